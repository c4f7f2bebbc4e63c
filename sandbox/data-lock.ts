/**
 * One sandbox per data directory: two would write over each other's files. In: the directory. Out: the
 * lock, which dies with its process, however that ends; or an error that says where the other one is.
 *
 * Each holder writes a file of the next number, and the highest number holds the lock; making a file that
 * must not exist is atomic, so of two who find the same dead holder one follows it. The App locks its own
 * directory in the same way, and knows nothing of addresses.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Holder {
  readonly pid: number;
  /** Tells two processes with the same pid apart; empty where the system does not say. */
  readonly startedAt: string;
  /** Where its page is, once that is known. */
  readonly url?: string;
}

/** Another sandbox has the directory. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning';
}

export interface DataLock {
  /** What others are told who want the directory too. */
  showUrl(url: string): Promise<void>;
  release(): Promise<void>;
}

const nobody: Holder = { pid: 0, startedAt: '' };
const maxAttempts = 20;

/** Makes the directory where it is missing. @throws {AlreadyRunning} */
export async function lockData(directory: string): Promise<DataLock> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const mine: Holder = { pid: process.pid, startedAt: await startTimeOf(process.pid) };
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const last = await lastNumber(directory);
    const holder = last === 0 ? nobody : await readHolder(lockFile(directory, last));
    if (holder !== undefined && (await isAlive(holder))) throw heldBy(holder, directory);
    const number = last + 1;
    if (!(await create(directory, number, mine))) continue;
    if ((await lastNumber(directory)) === number) {
      await removeOlder(directory, number);
      return {
        showUrl: (url) => replace(directory, number, { ...mine, url }),
        release: () => replace(directory, number, nobody),
      };
    }
    // Somebody was further already, and our number was an old one that had been cleared away.
    await rm(lockFile(directory, number), { force: true });
  }
  throw new Error(`the lock of ${directory} changed hands ${maxAttempts} times while it was taken`);
}

function lockFile(directory: string, number: number): string {
  return join(directory, `sandbox.lock.${number}`);
}

async function numbers(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  return names.flatMap((name) => {
    const number = /^sandbox\.lock\.(\d{1,15})$/.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

/** 0 where the directory was never locked. */
async function lastNumber(directory: string): Promise<number> {
  return Math.max(0, ...(await numbers(directory)));
}

async function removeOlder(directory: string, number: number): Promise<void> {
  for (const older of await numbers(directory)) {
    if (older < number) await rm(lockFile(directory, older), { force: true });
  }
}

/** False when the number is taken. */
async function create(directory: string, number: number, holder: Holder): Promise<boolean> {
  const draft = await writeDraft(directory, holder);
  try {
    // Linked into place, so that nobody ever reads a lock that is half written.
    await link(draft, lockFile(directory, number));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function replace(directory: string, number: number, holder: Holder): Promise<void> {
  await rename(await writeDraft(directory, holder), lockFile(directory, number));
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

async function isAlive({ pid, startedAt }: Holder): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  // A pid is used again, in a container always: the same number started at another time is another process.
  return startedAt === (await startTimeOf(pid));
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

function heldBy({ pid, url }: Holder, directory: string): AlreadyRunning {
  const where = url === undefined ? 'is starting' : `is already running at ${url}`;
  return new AlreadyRunning(
    `a sandbox ${where} (process ${pid}, data in ${directory}). Open it, stop it, or choose another --data.`,
  );
}
