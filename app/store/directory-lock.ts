/**
 * One process per data directory. PGlite does not lock its directory, and two processes on one lose
 * committed rows without an error, so a lock file stands guard: who holds it (pid and start time) goes in,
 * a release function comes out. A lock whose holder is dead is taken over.
 * @see https://github.com/electric-sql/pglite/issues/1106
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../shared/errors.ts';

interface Holder {
  readonly pid: number;
  /** Tells two processes with the same pid apart; empty where the system does not say. */
  readonly startedAt: string;
  readonly token: string;
}

const maxAttempts = 5;

/**
 * Takes the lock of a directory, which is made when it is missing.
 * @returns a function that gives the lock back
 * @throws {UserError} `bad_config` when another living process holds it
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const lock = join(directory, 'app.lock');
  const mine: Holder = {
    pid: process.pid,
    startedAt: await startTimeOf(process.pid),
    token: randomUUID(),
  };
  // Linked into place, so that nobody ever reads a lock that is half written.
  const draft = join(directory, `app.lock.${mine.token}`);
  await writeFile(draft, JSON.stringify(mine), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      if (await linked(draft, lock)) return () => release(lock, mine.token);
      const holder = await readHolder(lock);
      if (holder === undefined) continue;
      if (await isAlive(holder)) throw heldBy(holder, directory);
      await removeStale(lock, holder);
    }
  } finally {
    await rm(draft, { force: true });
  }
  throw new Error(`the lock of ${directory} changed hands ${maxAttempts} times while it was taken`);
}

async function linked(draft: string, lock: string): Promise<boolean> {
  try {
    await link(draft, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Undefined when there is no lock (any more). An unreadable one belongs to nobody who lives. */
async function readHolder(lock: string): Promise<Holder | undefined> {
  const text = await readFile(lock, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { pid, startedAt, token } = JSON.parse(text) as Partial<Holder>;
    return { pid: Number(pid), startedAt: startedAt ?? '', token: token ?? '' };
  } catch {
    return { pid: 0, startedAt: '', token: '' };
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  if (!Number.isInteger(holder.pid) || holder.pid <= 0) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  // A pid is used again, in a container always: the same number started at another time is another process.
  return holder.startedAt === (await startTimeOf(holder.pid));
}

/** Two may see the same stale lock; whoever moved a fresh one by mistake puts it back. */
async function removeStale(lock: string, holder: Holder): Promise<void> {
  const aside = `${lock}.${randomUUID()}`;
  try {
    await rename(lock, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = await readHolder(aside);
  if (moved?.token !== holder.token) await linked(aside, lock);
  await rm(aside, { force: true });
}

async function release(lock: string, token: string): Promise<void> {
  const holder = await readHolder(lock);
  if (holder?.token === token) await rm(lock, { force: true });
}

/**
 * Boot and clock ticks since then at which a process started.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html field 22
 */
async function startTimeOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    // The second field is the command in parentheses and may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${boot.trim()}/${fields[19] ?? ''}`;
  } catch {
    return '';
  }
}

function heldBy(holder: Holder, directory: string): UserError {
  return new UserError(
    'bad_config',
    `the data directory ${directory} is in use by process ${holder.pid}.`,
    'Stop that process, choose another TRAINYARD_DATA, or use DATABASE_URL for several replicas.',
  );
}
