/** A database that goes away while somebody is in the middle of something. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { createLog } from '../../../app/log.ts';
import { openStore, type Store } from '../../../app/store/open-store.ts';
import { findPostgres, startPostgres, type PostgresServer } from './postgres-server.ts';

const programs = findPostgres();
if (programs === undefined) {
  process.stderr.write('Skipped: broken connections are tested where PostgreSQL is installed.\n');
}

(programs === undefined ? describe.skip : describe)('a connection that breaks', () => {
  let server: PostgresServer;
  let store: Store;
  beforeAll(async () => {
    server = await startPostgres(programs ?? '');
    const databaseUrl = server.createDatabase('broken');
    store = await openStore({ databaseUrl, dataDir: '' }, createLog('silent'));
  });
  afterAll(async () => {
    await store.close();
    await server.stop();
  });

  it('inside a transaction fails that, and not the process', async () => {
    const work = store.db.transaction().execute(async (trx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
      await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(store.db);
      // Until it is known here, while nobody waits for an answer on it.
      for (;;) await sql`select 1`.execute(trx);
    });
    await expect(work).rejects.toThrow();
    const { rows } = await sql<{ one: number }>`select 1 as one`.execute(store.db);
    expect(rows).toEqual([{ one: 1 }]);
  });
});
