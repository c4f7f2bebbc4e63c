/**
 * Whether this machine lets an ordinary process have namespaces of its own. In: a scratch directory. Out: the
 * arguments for `unshare` with which a trivial job ran, or undefined (macOS, most containers, systems
 * that restrict user namespaces).
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runChild } from './child.ts';
import type { Interpreter } from './interpreter.ts';
import { defaultLimits } from './limits.ts';
import { launchDirectory, planMounts } from './mount-plan.ts';
import { launchIsolated, renderEnvironment } from './launch-scripts.ts';

const namespaces = ['--mount', '--pid', '--ipc', '--fork', '--kill-child'];
const withUser = ['--user', '--map-root-user', ...namespaces];

const probeTimeoutMs = 60_000;

export async function probeIsolation(
  dataDir: string,
  interpreter: Interpreter | undefined,
): Promise<readonly string[] | undefined> {
  if (process.platform !== 'linux') return undefined;
  // A user namespace first even for root: what it may do then ends at its border.
  const candidates = process.getuid?.() === 0 ? [withUser, namespaces] : [withUser];
  for (const unshare of candidates) {
    if (await works(unshare, dataDir, interpreter)) return unshare;
  }
  return undefined;
}

/** Runs `true`, or the interpreter where there is one: seeing it is what the mounts are for. */
async function works(
  unshare: readonly string[],
  dataDir: string,
  interpreter: Interpreter | undefined,
): Promise<boolean> {
  const directory = await mkdtemp(join(dataDir, 'probe-'));
  try {
    const below = (name: string): string => join(directory, name);
    for (const name of ['image', 'launch', 'tmp', 'root']) await mkdir(below(name));
    const environment = renderEnvironment({ PATH: `${launchDirectory}/bin:/usr/bin:/bin` });
    await writeFile(join(below('launch'), 'environment'), environment);
    const mounts = await planMounts({
      rootfs: below('image'),
      launch: below('launch'),
      temporary: below('tmp'),
      buckets: {},
      interpreter,
    });
    const program = interpreter === undefined ? ['true'] : [interpreter.executable, '-c', ''];
    const launch = launchIsolated(below('root'), {
      unshare,
      mounts,
      workingDir: '/',
      program,
      maxFileBytes: defaultLimits.fileBytes,
    });
    const outcome = await runChild(launch, {
      graceMs: 0,
      limits: defaultLimits,
      memoryBytes: Infinity,
      signal: AbortSignal.timeout(probeTimeoutMs),
      log: () => undefined,
    });
    return outcome.report === 'started' && outcome.exitCode === 0;
  } catch {
    return false;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
