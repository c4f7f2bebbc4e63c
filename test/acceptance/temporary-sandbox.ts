/** A sandbox in a directory that goes with it; with no App, and quick, unless told otherwise. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox, type Sandbox } from '../../sandbox/start.ts';

export interface TemporarySandbox extends Sandbox {
  readonly dataDir: string;
}

export async function startTemporarySandbox({
  app = false,
  realistic = false,
} = {}): Promise<TemporarySandbox> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trainyard-acceptance-'));
  const sandbox = await startSandbox({ dataDir, port: 0, app, realistic });
  return {
    ...sandbox,
    dataDir,
    close: async () => {
      await sandbox.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
