/**
 * A command as a process of its own: how long it took to its end, or to send a certain request and how much
 * memory it had had by then. The service that it talks to runs in this process, which is how its requests are
 * seen without anything in between.
 */
import { spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';

export interface Command {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface Reached {
  readonly milliseconds: number;
  /** The most memory that the command has had, in bytes; NaN where the system does not say. */
  readonly peakBytes: number;
}

/** @throws Error when it does not exit with 0. */
export async function timeToEnd({ command, ...options }: Command): Promise<number> {
  const [program, ...args] = command;
  const startedAt = performance.now();
  const child = spawn(program, args, { ...options, stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number | null];
  const milliseconds = performance.now() - startedAt;
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${String(code)}`);
  return milliseconds;
}

/**
 * Starts the command and ends it once such a request has arrived, which nobody answers: what it asks for would
 * keep the machine busy during the next measurement.
 */
export async function timeToRequest(
  { command, ...options }: Command,
  isWanted: (request: IncomingMessage) => boolean,
): Promise<Reached> {
  const [program, ...args] = command;
  const startedAt = performance.now();
  const child = spawn(program, args, { ...options, stdio: 'ignore' });
  const ended = once(child, 'exit');
  const { promise: reached, resolve } = Promise.withResolvers<Reached>();
  const observe = (message: unknown): void => {
    const { request } = message as { readonly request: IncomingMessage };
    if (!isWanted(request)) return;
    const milliseconds = performance.now() - startedAt;
    resolve({ milliseconds, peakBytes: peakOf(child.pid ?? 0) });
    request.destroy();
  };
  // @see https://nodejs.org/api/diagnostics_channel.html#http
  subscribe('http.server.request.start', observe);
  try {
    const outcome = await Promise.race([reached, ended.then(() => undefined)]);
    child.kill('SIGKILL');
    await ended;
    if (outcome === undefined) throw new Error(`${command.join(' ')} ended without that request`);
    return outcome;
  } finally {
    unsubscribe('http.server.request.start', observe);
  }
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_status.5.html (VmHWM) */
function peakOf(pid: number): number {
  try {
    const [, kilobytes] =
      /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) * 1_024;
  } catch {
    return NaN;
  }
}
