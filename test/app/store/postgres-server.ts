/**
 * A real PostgreSQL for tests: a server of its own in a fresh directory, on loopback, gone afterwards.
 * Undefined where PostgreSQL is not installed; the tests then say that they were skipped.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../sandbox/free-ports.ts';

const installations = '/usr/lib/postgresql';

export interface PostgresServer {
  readonly url: string;
  /** An empty database of its own. */
  createDatabase(name: string): string;
  stop(): Promise<void>;
}

/** The newest installed version's programs. */
export function findPostgres(): string | undefined {
  if (!existsSync(installations)) return undefined;
  return readdirSync(installations)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(installations, version, 'bin'))
    .find((directory) => existsSync(join(directory, 'postgres')));
}

export async function startPostgres(programs: string): Promise<PostgresServer> {
  const directory = mkdtempSync(join(tmpdir(), 'trainyard-postgres-'));
  const port = await freePort();
  const identity = asServerUser(directory);
  const data = join(directory, 'data');
  const options = { ...identity, cwd: directory, env: { PATH: programs, LC_ALL: 'C' } };
  const initdb = ['-D', data, '-U', 'trainyard', '-A', 'trust', '-E', 'UTF8', '--no-sync'];
  execFileSync(join(programs, 'initdb'), initdb, { ...options, stdio: 'ignore' });
  const server = spawn(
    join(programs, 'postgres'),
    ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', directory, '-c', 'fsync=off'],
    { ...options, stdio: 'ignore' },
  );
  const url = `postgres://trainyard@127.0.0.1:${port}`;
  const psql = (sql: string): void => {
    execFileSync(join(programs, 'psql'), [`${url}/postgres`, '-q', '-c', sql], {
      ...options,
      stdio: 'ignore',
    });
  };
  await untilReady(() => {
    psql('select 1');
  });
  return {
    url: `${url}/postgres`,
    createDatabase: (name) => {
      psql(`create database ${name}`);
      return `${url}/${name}`;
    },
    stop: async () => {
      const ended = once(server, 'exit');
      // Fast shutdown: open connections are closed.
      server.kill('SIGINT');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL refuses to run as root; Debian's package brings a user for it. */
function asServerUser(directory: string): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  const identity = { uid: id('-u'), gid: id('-g') };
  chownSync(directory, identity.uid, identity.gid);
  return identity;
}

async function untilReady(ask: () => void): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      ask();
      return;
    } catch (error) {
      if (attempt >= 1_000) throw new Error('PostgreSQL did not start', { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
