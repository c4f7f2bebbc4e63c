/** Whose processes and memory are counted as a container's. Skipped, saying so, where there are no namespaces. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from '@jest/globals';
import { findBreach } from '../../../sandbox/executor/usage.ts';

const isolation = ['--user', '--map-root-user', '--mount', '--pid', '--fork', '--kill-child'];
const mountProc = 'mount -t proc proc /proc';
const canIsolate =
  spawnSync('unshare', [...isolation, 'sh', '-c', mountProc], { stdio: 'ignore' }).status === 0;
if (!canIsolate) process.stderr.write('skipped: what is counted (no namespaces)\n');

(canIsolate ? it : it.skip)('counts nobody else’s before a container has a /proc', async () => {
  const script = `echo ready; read -r _; ${mountProc}; echo mounted; read -r _`;
  // As the sandbox launches it: the launcher is the parent of `unshare`'s child.
  const launcher = spawn('unshare', [...isolation, 'sh', '-c', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const look = (limits: { processes: number; memoryBytes: number }): string | undefined =>
    findBreach(launcher.pid ?? 0, true, limits)?.message;
  try {
    await once(launcher.stdout, 'data');
    expect(look({ processes: 0, memoryBytes: 0 })).toBeUndefined();
    launcher.stdin.write('\n');
    await once(launcher.stdout, 'data');
    expect(look({ processes: 0, memoryBytes: 0 })).toBe('it had 1 processes, and may have 0');
    expect(look({ processes: 1, memoryBytes: 2 ** 30 })).toBeUndefined();
  } finally {
    launcher.stdin.end();
    await once(launcher, 'exit');
  }
});
