/**
 * What a running container uses of this machine, looked at again and again: its launcher's process in, the
 * first limit that it breaks out. Linux only; elsewhere nothing is seen and nothing is broken.
 *
 * Limits of the kernel do not do: one on processes is the user's and not the job's, and does not hold for
 * root; one on memory counts addresses, of which a runtime reserves many times what it uses.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';

interface UsageLimits {
  readonly processes: number;
  /** Resident, of all its processes together. */
  readonly memoryBytes: number;
}

export interface Breach {
  readonly kind: 'processes' | 'memory';
  /** For people. */
  readonly message: string;
}

const lookEveryMs = 100;
/** @see https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html: sizes are in pages, here of the least size */
const pageBytes = 4_096;

/** Calls back once, and never after the returned function was called. */
export function watchUsage(
  pid: number,
  isIsolated: boolean,
  limits: UsageLimits,
  onBreach: (breach: Breach) => void,
): () => void {
  if (process.platform !== 'linux') return () => undefined;
  const timer = setInterval(() => {
    const breach = findBreach(pid, isIsolated, limits);
    if (breach === undefined) return;
    clearInterval(timer);
    onBreach(breach);
  }, lookEveryMs);
  return () => clearInterval(timer);
}

/** Looks once. @internal @param pid the launcher's */
export function findBreach(
  pid: number,
  isIsolated: boolean,
  limits: UsageLimits,
): Breach | undefined {
  // Without waiting for anything: a fork bomb leaves this process little time.
  const processes = isIsolated ? processesInside(pid) : processesOfSession(pid);
  if (processes.length > limits.processes) {
    const message = `it had ${processes.length} processes, and may have ${limits.processes}`;
    return { kind: 'processes', message };
  }
  const bytes = processes.reduce((sum, directory) => sum + residentBytes(directory), 0);
  if (bytes <= limits.memoryBytes) return undefined;
  const message = `it used ${mebibytes(bytes)} of memory, and may use ${mebibytes(limits.memoryBytes)}`;
  return { kind: 'memory', message };
}

/** All processes of the namespace, as its own `/proc` lists them: none can leave it. */
function processesInside(launcher: number): string[] {
  const children = read(`/proc/${launcher}/task/${launcher}/children`).trim().split(' ');
  // The launcher's other child is the watchdog, which is where the launcher is.
  const outside = depthOf(String(launcher));
  const first = children.find((child) => child !== '' && depthOf(child) > outside);
  if (first === undefined) return [];
  const proc = `/proc/${first}/root/proc`;
  // Until it has a root of its own it sees the host's, which lists everybody's processes.
  return deviceOf(proc) === deviceOf('/proc') ? [] : processDirectories(proc);
}

/** Of the file system there, and undefined when it is gone: each namespace's `/proc` is one of its own. */
function deviceOf(path: string): number | undefined {
  try {
    return statSync(path).dev;
  } catch {
    return undefined;
  }
}

/** How many PID namespaces the process is in: it has a number in each. */
function depthOf(pid: string): number {
  const numbers = /^NSpid:\t(.*)$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? '';
  return numbers.split('\t').length;
}

/** Those of the launcher's session; a process that begins one of its own is not seen. */
function processesOfSession(launcher: number): string[] {
  return processDirectories('/proc').filter((directory) => {
    const stat = read(`${directory}/stat`);
    // After the command's name, which may hold anything: state, parent, group, session.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3] === String(launcher);
  });
}

function processDirectories(proc: string): string[] {
  try {
    return readdirSync(proc)
      .filter((name) => /^\d+$/.test(name))
      .map((name) => `${proc}/${name}`);
  } catch {
    return [];
  }
}

/** Without what it shares with others, which would be counted again with each. */
function residentBytes(directory: string): number {
  const [, resident = 0, shared = 0] = read(`${directory}/statm`).split(' ').map(Number);
  return Math.max(0, resident - shared) * pageBytes;
}

/** Empty when it is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}
