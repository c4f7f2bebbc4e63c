/**
 * A child process with everything it starts. In: what to launch, where its lines go, when to stop. Out: how
 * it ended. When the promise settles, its process group is gone.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import type { Readable } from 'node:stream';
import type { Launch } from './launch-scripts.ts';
import type { Limits } from './limits.ts';
import { LineSplitter } from './line-splitter.ts';
import { OutputLimit } from './output-limit.ts';
import { watchUsage, type Breach } from './usage.ts';

interface ChildOptions {
  readonly graceMs: number;
  readonly signal: AbortSignal;
  readonly limits: Limits;
  readonly memoryBytes: number;
  /** Holds the launcher's process while anything that it has started may live. */
  readonly launchers?: Set<number>;
  log(line: string, stream: 'stdout' | 'stderr'): void;
}

export interface ChildOutcome {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** What the launch scripts reported. */
  readonly report: 'started' | 'missing' | 'none';
  /** The last lines on stderr, for when it did not even start. */
  readonly complaint: string;
  /** The limit for which it was killed. */
  readonly breach?: Breach;
}

/** How long output of processes that outlived the main one is waited for. */
const drainMs = 5_000;
/** Behind everything else: what the code does must not take the sandbox's own time. */
const niceness = 10;

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
  if (child.pid !== undefined) {
    setPriority(child.pid, niceness);
    options.launchers?.add(child.pid);
  }
  const complaints: string[] = [];
  let report = '';
  const output = new OutputLimit(options.limits, (line, stream) => {
    if (stream === 'stderr') complaints.push(line);
    if (complaints.length > 5) complaints.shift();
    options.log(line, stream);
  });
  follow(child.stdout, output, 'stdout');
  follow(child.stderr, output, 'stderr');
  child.stdio[4]?.on('data', (chunk: Buffer) => {
    if (report.length < 100) report += chunk.toString();
  });
  let breach: Breach | undefined;
  const release = stopOnAbort(child, options);
  const usage = { processes: options.limits.processes, memoryBytes: options.memoryBytes };
  const unwatch = watchUsage(child.pid ?? 0, launch.isIsolated, usage, (found) => {
    breach = found;
    killGroup(child, 'SIGKILL');
  });
  const closed = once(child, 'close').catch(() => undefined);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    killGroup(child, 'SIGKILL');
    await closedOrLate(child, closed);
    return {
      ...asExit(code, signal),
      report: reportOf(report),
      complaint: complaints.join('\n'),
      ...(breach === undefined ? {} : { breach }),
    };
  } finally {
    unwatch();
    release();
    options.launchers?.delete(child.pid ?? 0);
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

function follow(stream: Readable | null, output: OutputLimit, name: 'stdout' | 'stderr'): void {
  const lines = new LineSplitter((line) => output.take(line, name));
  stream?.on('data', (chunk: Buffer) => {
    // What nobody keeps is not even cut into lines; it is read, so that the program does not stop at it.
    if (!output.isFull) lines.write(chunk);
  });
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
