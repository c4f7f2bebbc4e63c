/** A sandbox in a directory that goes with it; with no App, and quick, unless told otherwise. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lags } from '../../sandbox/google/options.ts';
import { startSandbox, type Sandbox } from '../../sandbox/start.ts';

export interface TemporarySandbox extends Sandbox {
  readonly dataDir: string;
}

export async function startTemporarySandbox({
  app = false,
  realistic = false,
  lags = {},
}: {
  readonly app?: boolean;
  readonly realistic?: boolean;
  readonly lags?: Partial<Lags>;
} = {}): Promise<TemporarySandbox> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trainyard-acceptance-'));
  const sandbox = await startSandbox({ dataDir, port: 0, app, realistic, lags });
  return {
    ...sandbox,
    dataDir,
    close: async () => {
      await sandbox.close();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
