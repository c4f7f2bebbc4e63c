/**
 * The App as a child process: started again when it dies, as Cloud Run or Kubernetes would, and gone when
 * the sandbox is gone, however that ends. In: its environment. Out: its lines, and a way to stop it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface SupervisedApp {
  /** Resolves when it answers at the address. @throws with its last lines when it cannot */
  untilReady(url: string): Promise<void>;
  stop(): Promise<void>;
}

/** Ends the whole process group when the pipe on descriptor 3 ends; then becomes the App. */
const watchdog = `
(trap '' TERM INT HUP; read -r _ <&3; kill -KILL 0) </dev/null >/dev/null 2>&1 &
exec "$@" 3<&-
`;
const entry = join(fileURLToPath(new URL('..', import.meta.url)), 'app/index.ts');
const restartAfterMs = 1_000;
/** It makes its database first, which a busy machine takes a minute for. */
const readyMs = 240_000;
/** Longer than the App takes itself to end what it is at. */
const graceMs = 12_000;
const keptLines = 20;

export function superviseApp(
  environment: Readonly<Record<string, string>>,
  onLine: ((line: string) => void) | undefined,
): SupervisedApp {
  const recentLines: string[] = [];
  let stopping = false;
  let child: ChildProcess;
  let restart: NodeJS.Timeout | undefined;
  let ends = 0;
  const take = (chunk: Buffer): void => {
    for (const line of chunk.toString().split('\n')) {
      if (line === '') continue;
      recentLines.push(line);
      if (recentLines.length > keptLines) recentLines.shift();
      onLine?.(line);
    }
  };
  const start = (): void => {
    child = launch(environment);
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('exit', (code, signal) => {
      ends += 1;
      // The watchdog is still there.
      signalGroup(child, 'SIGKILL');
      if (stopping) return;
      onLine?.(`the App ended (${signal ?? String(code)}); starting it again`);
      restart = setTimeout(start, restartAfterMs);
    });
  };
  start();
  return {
    untilReady: async (url) => {
      const deadline = Date.now() + readyMs;
      // What ends before it was ever ready does so again: a port that is taken, another sandbox's directory.
      while (Date.now() < deadline && ends < 2) {
        const asked = { signal: AbortSignal.timeout(2_000) };
        const response = await fetch(`${url}/readyz`, asked).catch(() => undefined);
        if (response?.ok === true) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`the App did not become ready. Its last lines:\n${recentLines.join('\n')}`);
    },
    stop: async () => {
      stopping = true;
      clearTimeout(restart);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const kill = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
      await ended;
      clearTimeout(kill);
    },
  };
}

function launch(environment: Readonly<Record<string, string>>): ChildProcess {
  return spawn('/bin/sh', ['-c', watchdog, 'sh', process.execPath, entry], {
    // Only what the App needs: the sandbox's own environment stays here.
    env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', ...environment },
    // A group of its own: Ctrl-C is for the sandbox, which then ends the App in order.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
