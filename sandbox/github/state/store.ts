/**
 * The state in memory and its file: changed in place, written whole to a temporary file that replaces the
 * old one, so that a crash leaves either the old state or the new one. Also the questions that many ask.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { emptyState, type Account, type Pull, type Repository, type State } from './model.ts';

export class Store {
  readonly state: State;
  readonly directory: string;
  private writing: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;

  private constructor(directory: string, state: State) {
    this.directory = directory;
    this.state = state;
  }

  /**
   * Reads `state.json` in that directory, or starts empty.
   * @throws when the file is not what save() wrote
   */
  static async open(directory: string): Promise<{ store: Store; isNew: boolean }> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await removeUnfinished(directory);
    const path = join(directory, 'state.json');
    try {
      const state = parseState(path, await readFile(path, 'utf8'));
      return { store: new Store(directory, state), isNew: false };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return { store: new Store(directory, emptyState()), isNew: true };
    }
  }

  /** Resolves when everything changed so far is on disk; calls that wait for the same write share it. */
  save(): Promise<void> {
    this.next ??= this.writing
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        this.writing = writeWhole(join(this.directory, 'state.json'), JSON.stringify(this.state));
        return this.writing;
      });
    return this.next;
  }

  newId(): number {
    return this.state.nextId++;
  }

  /** Never gives that id again: it was found on disk, and the state that counted it was not saved. */
  reserveId(id: number): void {
    this.state.nextId = Math.max(this.state.nextId, id + 1);
  }

  account(id: number): Account {
    const account = this.state.accounts.find((one) => one.id === id);
    if (account === undefined) throw new Error(`no account ${id}`);
    return account;
  }

  /** Logins are compared as GitHub does, without regard to case. */
  accountNamed(login: string): Account | undefined {
    const wanted = login.toLowerCase();
    return this.state.accounts.find((one) => one.login.toLowerCase() === wanted);
  }

  repository(id: number): Repository {
    const repository = this.state.repositories.find((one) => one.id === id);
    if (repository === undefined) throw new Error(`no repository ${id}`);
    return repository;
  }

  repositoryNamed(owner: string, name: string): Repository | undefined {
    const account = this.accountNamed(owner);
    const wanted = name.toLowerCase();
    return this.state.repositories.find(
      (one) => one.ownerId === account?.id && one.name.toLowerCase() === wanted,
    );
  }

  /** The one that had this name before: GitHub leads from there to its new one until another takes the name. */
  repositoryOnceNamed(owner: string, name: string): Repository | undefined {
    const account = this.accountNamed(owner);
    const wanted = name.toLowerCase();
    return this.state.repositories.find(
      ({ ownerId, formerNames = [] }) =>
        ownerId === account?.id && formerNames.some((one) => one.toLowerCase() === wanted),
    );
  }

  pull(repository: Repository, number: number): Pull | undefined {
    return this.state.pulls.find(
      (one) => one.repositoryId === repository.id && one.number === number,
    );
  }

  fullName(repository: Repository): string {
    return `${this.account(repository.ownerId).login}/${repository.name}`;
  }
}

function parseState(path: string, text: string): State {
  try {
    // What later versions have added begins empty.
    return { ...emptyState(), ...(JSON.parse(text) as State) };
  } catch (error) {
    throw new Error(
      `${path} is damaged. Put back a copy of it, or delete its directory to start anew.`,
      { cause: error },
    );
  }
}

/** What writeWhole() leaves behind when it is killed. */
export async function removeUnfinished(directory: string): Promise<void> {
  const unfinished = (await readdir(directory)).filter((name) => name.endsWith('.tmp'));
  await Promise.all(unfinished.map((name) => rm(join(directory, name), { force: true })));
}

/** Replaces the file at once, readable by this user only: there are tokens in it. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** A secret in GitHub's form: prefix and 36 letters and digits. */
export function newToken(prefix: 'ghp' | 'ghs'): string {
  return `${prefix}_${randomBytes(18).toString('hex')}`;
}
