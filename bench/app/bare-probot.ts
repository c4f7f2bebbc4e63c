/**
 * The reference: a Probot as its documentation shows one, whose only handler inserts the delivery. Settings from the
 * environment; its URL as the one line that it prints.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createNodeMiddleware, Probot } from 'probot';
import { sql } from 'kysely';
import { createLog } from '../../app/log.ts';
import { openStore } from '../../app/store/open-store.ts';

const { APP_ID, PRIVATE_KEY, WEBHOOK_SECRET, DATABASE_URL, TRAINYARD_DATA, GITHUB_API_URL } =
  process.env;
const store = await openStore(
  { databaseUrl: DATABASE_URL, dataDir: TRAINYARD_DATA ?? '' },
  createLog('error'),
);
const { db } = store;
await sql`create table if not exists bare (id text primary key, event text, body jsonb, at timestamptz)`.execute(
  db,
);
const probot = new Probot({
  appId: APP_ID ?? '',
  privateKey: PRIVATE_KEY ?? '',
  secret: WEBHOOK_SECRET ?? '',
  ...(GITHUB_API_URL === undefined ? {} : { baseUrl: GITHUB_API_URL }),
  logLevel: 'fatal',
});
const middleware = await createNodeMiddleware(
  (app) => {
    app.on('issue_comment.created', async ({ id, name, payload }) => {
      const body = JSON.stringify(payload);
      await sql`insert into bare values (${id}, ${name}, ${body}::jsonb, now()) on conflict do nothing`.execute(
        db,
      );
    });
  },
  { probot, webhooksPath: '/webhooks/github' },
);
const server = createServer((request, response) => void middleware(request, response));
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`http://127.0.0.1:${port}\n`);
});
