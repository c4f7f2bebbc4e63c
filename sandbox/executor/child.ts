/**
 * A child process with everything it starts. In: what to launch, where its lines go, when to stop. Out: how
 * it ended. When the promise settles, its process group is gone.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import type { Launch } from './launch-scripts.ts';
import { LineSplitter } from './line-splitter.ts';

export interface ChildOptions {
  readonly graceMs: number;
  readonly signal: AbortSignal;
  log(line: string, stream: 'stdout' | 'stderr'): void;
}

export interface ChildOutcome {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** What the launch scripts reported. */
  readonly report: 'started' | 'missing' | 'none';
  /** The last lines on stderr, for when it did not even start. */
  readonly complaint: string;
}

/** How long output of processes that outlived the main one is waited for. */
const drainMs = 1_000;

/** The launcher's own environment: where `unshare` and `mount` are, and nothing else. */
const launcherEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
};

export async function runChild(launch: Launch, options: ChildOptions): Promise<ChildOutcome> {
  const child = spawn(launch.command, [...launch.args], {
    cwd: launch.cwd,
    env: launcherEnvironment,
    // Its own process group, so that everything it starts can be ended with it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  const complaints: string[] = [];
  let report = '';
  follow(child.stdout, (line) => options.log(line, 'stdout'));
  follow(child.stderr, (line) => {
    complaints.push(line);
    if (complaints.length > 5) complaints.shift();
    options.log(line, 'stderr');
  });
  child.stdio[4]?.on('data', (chunk: Buffer) => {
    if (report.length < 100) report += chunk.toString();
  });
  const release = stopOnAbort(child, options);
  const closed = once(child, 'close').catch(() => undefined);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    killGroup(child, 'SIGKILL');
    await closedOrLate(child, closed);
    return { ...asExit(code, signal), report: reportOf(report), complaint: complaints.join('\n') };
  } finally {
    release();
    child.stdio[3]?.destroy();
  }
}

/** SIGTERM to the whole group, and SIGKILL when the grace is over. */
function stopOnAbort(child: ChildProcess, options: ChildOptions): () => void {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    killGroup(child, 'SIGTERM');
    timer = setTimeout(() => killGroup(child, 'SIGKILL'), options.graceMs);
  };
  if (options.signal.aborted) stop();
  else options.signal.addEventListener('abort', stop, { once: true });
  return () => {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', stop);
  };
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function follow(stream: Readable | null, take: (line: string) => void): void {
  const lines = new LineSplitter(take);
  stream?.on('data', (chunk: Buffer) => lines.write(chunk));
  stream?.on('close', () => lines.end());
}

async function closedOrLate(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, drainMs);
  });
  await Promise.race([closed, late]);
  clearTimeout(timer);
  child.stdout?.destroy();
  child.stderr?.destroy();
}

/**
 * A shell between us and the job says 128 + n for signal n, as container runtimes do; undone here, so that
 * both ways of running a job report alike.
 */
function asExit(
  code: number | null,
  signal: NodeJS.Signals | null,
): { exitCode: number | null; signal: string | null } {
  if (code === null || code <= 128) return { exitCode: code, signal };
  const name = Object.entries(constants.signals).find(([, n]) => n === code - 128)?.[0];
  return name === undefined ? { exitCode: code, signal } : { exitCode: null, signal: name };
}

function reportOf(text: string): ChildOutcome['report'] {
  if (text.startsWith('started')) return 'started';
  return text.startsWith('missing') ? 'missing' : 'none';
}
