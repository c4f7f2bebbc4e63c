/** Both databases that the App runs on: each test of the store holds on both. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../../app/log.ts';
import { openStore, type Store, type StoreOptions } from '../../../app/store/open-store.ts';
import { findPostgres, startPostgres } from './postgres-server.ts';

export interface Database {
  readonly options: StoreOptions;
  remove(): Promise<void>;
}

async function embedded(): Promise<Database> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trainyard-store-'));
  return {
    options: { databaseUrl: undefined, dataDir },
    remove: () => rm(dataDir, { recursive: true, force: true }),
  };
}

const programs = findPostgres();
if (programs === undefined) {
  process.stderr.write('Skipped: the store is tested on PostgreSQL where it is installed.\n');
}

async function postgres(): Promise<Database> {
  const server = await startPostgres(programs ?? '');
  return {
    options: { databaseUrl: server.createDatabase('store'), dataDir: '' },
    remove: () => server.stop(),
  };
}

export const databases = [
  { name: 'PGlite', prepare: embedded, isHere: true, replicas: 1 },
  { name: 'PostgreSQL', prepare: postgres, isHere: programs !== undefined, replicas: 3 },
];

/** Several processes' pools upon one database. */
export interface Replicas {
  /** Of each in turn, by any index. */
  db(index?: number): Store['db'];
  close(): Promise<void>;
}

export async function openReplicas({
  prepare,
  replicas,
}: (typeof databases)[number]): Promise<Replicas> {
  const database = await prepare();
  const stores: Store[] = [];
  for (let index = 0; index < replicas; index++)
    stores.push(await openStore(database.options, createLog('silent')));
  return {
    db: (index = 0) => stores[index % stores.length]!.db,
    close: async () => {
      for (const store of stores) await store.close();
      await database.remove();
    },
  };
}
