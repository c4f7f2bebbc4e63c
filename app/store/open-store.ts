/**
 * The App's state: where it is kept goes in, a migrated database comes out. PostgreSQL for anything real;
 * PGlite in a directory for evaluation and the sandbox. One dialect, the same tables and queue on both.
 */
import { join } from 'node:path';
import { Kysely, PGliteDialect, PostgresDialect } from 'kysely';
import { fromPglite, type ConstructorOptions } from 'pg-boss';
import type { Logger } from '../log.ts';
import { lockDirectory } from './directory-lock.ts';
import { migrate } from './migrations/index.ts';
import type { Tables } from './tables.ts';

export interface Store {
  readonly db: Kysely<Tables>;
  /** How pg-boss reaches the same database. */
  readonly queue: ConstructorOptions;
  /** True when no other process can hold a lease: whatever is leased at start-up belongs to the dead. */
  readonly exclusive: boolean;
  close(): Promise<void>;
}

export interface StoreOptions {
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
}

/**
 * Opens and migrates the store.
 * @throws {UserError} `bad_config` when another process uses the directory
 */
export async function openStore(options: StoreOptions, log: Logger): Promise<Store> {
  const store =
    options.databaseUrl === undefined
      ? await openDirectory(options.dataDir, log)
      : await openPostgres(options.databaseUrl, log);
  try {
    await migrate(store.db);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function openDirectory(directory: string, log: Logger): Promise<Store> {
  const release = await lockDirectory(directory);
  try {
    const { PGlite } = await import('@electric-sql/pglite');
    const pglite = await PGlite.create(join(directory, 'pglite'));
    log.warn(
      { directory },
      'state is kept in an embedded database, for evaluation: it survives a crash of this process, ' +
        'but not a power cut (it never syncs to disk), and serves one replica only. ' +
        'Set DATABASE_URL for anything real',
    );
    return {
      db: new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }) }),
      queue: { db: fromPglite(pglite), backend: 'pglite' },
      exclusive: true,
      close: async () => {
        await pglite.close();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

async function openPostgres(url: string, log: Logger): Promise<Store> {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    types: {
      // GitHub's ids are below 2^53; as texts they would never equal the numbers in payloads.
      getTypeParser: (oid, format) =>
        oid === pg.types.builtins.INT8
          ? Number
          : (pg.types.getTypeParser(oid, format) as (text: string) => unknown),
    },
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', (error) => log.warn({ err: error }, 'a database connection broke'));
  // Nor does the pool listen to one that is in use: whoever uses it learns of it by the query that fails.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return {
    db,
    queue: { connectionString: url },
    exclusive: false,
    close: () => db.destroy(),
  };
}
