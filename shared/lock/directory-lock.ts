/**
 * One process per directory: the directory and a name in, the lock out, which dies with its process, however
 * that ends.
 *
 * Each holder writes a file of the next number, and the highest number holds the lock. A number is never
 * given out twice: making a file that must not exist yet is atomic, and the last one stays when it is
 * released, so two who find the same dead holder cannot both follow it.
 */
import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from './make-directory.ts';

export interface Holder {
  readonly pid: number;
  /** Tells two processes with the same pid apart; empty where the system does not say. */
  readonly startedAt: string;
  /** Where it is reached, once it has said so. */
  readonly url?: string;
}

export interface DirectoryLock {
  /** What others are told who want the directory too. */
  showUrl(url: string): Promise<void>;
  release(): Promise<void>;
}

interface LockOptions {
  readonly directory: string;
  /** Of letters; locks of other names in the same directory are others' concern. */
  readonly name: string;
  /** The error for whoever comes second. */
  readonly heldBy: (holder: Holder, directory: string) => Error;
}

/** Written when the lock is given back. */
const nobody: Holder = { pid: 0, startedAt: '' };
const maxAttempts = 20;

/** Takes the lock of a directory, which is made when it is missing. @throws what `heldBy` makes */
export async function lockDirectory(options: LockOptions): Promise<DirectoryLock> {
  const { directory, heldBy } = options;
  await makeDirectory(directory);
  const mine: Holder = { pid: process.pid, startedAt: await startTimeOf(process.pid) };
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const last = await lastNumber(options);
    const holder = last === 0 ? nobody : await readHolder(lockFile(options, last));
    if (holder !== undefined && (await isAlive(holder))) throw heldBy(holder, directory);
    const number = last + 1;
    const file = lockFile(options, number);
    if (!(await create(file, directory, mine))) continue;
    if ((await lastNumber(options)) === number) {
      await removeOlder(options, number);
      return {
        showUrl: (url) => replace(file, directory, { ...mine, url }),
        release: () => replace(file, directory, nobody),
      };
    }
    // Somebody was further already, and our number was an old one that had been cleared away.
    await rm(file, { force: true });
  }
  throw new Error(`the lock of ${directory} changed hands ${maxAttempts} times while it was taken`);
}

type Place = Pick<LockOptions, 'directory' | 'name'>;

function lockFile({ directory, name }: Place, number: number): string {
  return join(directory, `${name}.lock.${number}`);
}

async function numbers({ directory, name }: Place): Promise<number[]> {
  const pattern = new RegExp(`^${name}\\.lock\\.(\\d{1,15})$`);
  return (await readdir(directory)).flatMap((file) => {
    const number = pattern.exec(file)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

/** 0 where the directory was never locked. */
async function lastNumber(place: Place): Promise<number> {
  return Math.max(0, ...(await numbers(place)));
}

async function removeOlder(place: Place, number: number): Promise<void> {
  for (const older of await numbers(place)) {
    if (older < number) await rm(lockFile(place, older), { force: true });
  }
}

/** False when the number is taken. */
async function create(file: string, directory: string, holder: Holder): Promise<boolean> {
  const draft = await writeDraft(directory, holder);
  try {
    // Linked into place, so that nobody ever reads a lock that is half written.
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function replace(file: string, directory: string, holder: Holder): Promise<void> {
  await rename(await writeDraft(directory, holder), file);
}

async function writeDraft(directory: string, holder: Holder): Promise<string> {
  const draft = join(directory, `lock-draft-${randomUUID()}`);
  await writeFile(draft, JSON.stringify(holder), { mode: 0o600 });
  return draft;
}

/** Undefined when the file is gone: somebody is further. An unreadable one belongs to nobody who lives. */
async function readHolder(file: string): Promise<Holder | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { pid, startedAt, url } = JSON.parse(text) as Partial<Holder>;
    const known = { pid: Number(pid), startedAt: startedAt ?? '' };
    return url === undefined ? known : { ...known, url };
  } catch {
    return nobody;
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
