/** Both databases that the App runs on: each test of the store holds on both. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreOptions } from '../../../app/store/open-store.ts';
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
