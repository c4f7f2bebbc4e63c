/** What GitHub lists as not delivered, and what the App asks for again; in a GitHub in memory, whose clock stands still. */
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../app/log.ts';
import { insertDelivery } from '../../app/store/deliveries.ts';
import { openStore, type Store } from '../../app/store/open-store.ts';
import { MissedDeliveries } from '../../app/webhooks/missed-deliveries.ts';
import type { Octokit } from '../../shared/github/client.ts';

const start = new Date('2026-03-04T05:06:07Z');
const hoursAgo = (hours: number): string =>
  new Date(start.getTime() - hours * 3_600_000).toISOString();
const log = createLog('silent');

/** Lists newest first, a hundred a page, and takes what is asked for again as delivered. */
class Deliveries {
  /** Oldest first. */
  readonly all: { id: number; guid: string; status_code: number; delivered_at: string }[] = [];
  readonly asked: string[] = [];
  readonly refused = new Set<string>();
  pages = 0;

  fail(guid: string, delivered_at: string): void {
    this.all.push({ id: this.all.length + 1, guid, status_code: 502, delivered_at });
  }

  readonly octokit: Octokit = {
    request: async (route, parameters = {}) => {
      if (route === 'GET /app/hook/deliveries') return this.list(Number(parameters['cursor'] ?? 0));
      const { guid } = this.all[Number(parameters['delivery_id']) - 1] ?? { guid: '' };
      if (this.refused.has(guid)) throw refusal;
      this.asked.push(guid);
      await insertDelivery(store.db, {
        ...{ id: guid, event: 'push', body: Buffer.from('{}'), receivedAt: start, isDone: true },
      });
      this.all.push({ id: this.all.length + 1, guid, status_code: 202, delivered_at: hoursAgo(0) });
      return { status: 202, data: {} };
    },
  };

  private list(from: number) {
    this.pages += 1;
    const page = this.all.toReversed().slice(from, from + 100);
    const data = page.map((one) => ({ ...one, event: 'push' }));
    const link = `<https://api.github.com/app/hook/deliveries?cursor=${from + 100}>; rel="next"`;
    const isLast = from + 100 >= this.all.length;
    return Promise.resolve({ status: 200, data, headers: isLast ? {} : { link } });
  }
}

const refusal = Object.assign(new Error('Not Found'), { status: 404, response: { headers: {} } });

let directory = '';
let store: Store;
let github: Deliveries;
let missed: MissedDeliveries;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trainyard-missed-'));
  store = await openStore({ databaseUrl: undefined, dataDir: directory }, log);
});
beforeEach(async () => {
  await store.db.deleteFrom('deliveries').execute();
  github = new Deliveries();
  missed = new MissedDeliveries({ db: store.db, app: github.octokit, now: () => start, log });
});
afterAll(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

it('asks for all of a long silence, a hundred at a time and the oldest first', async () => {
  const guids = Array.from({ length: 1_250 }, (_, at) => `guid-${at}`);
  for (const [at, guid] of guids.entries()) github.fail(guid, hoursAgo(20 - at / 100));
  const counts: number[] = [];
  while (counts.at(-1) !== 0) counts.push(await missed.ask());
  expect(counts).toEqual([...Array.from({ length: 12 }, () => 100), 50, 0]);
  expect(github.asked).toEqual(guids);
});

it('is kept from none by one that GitHub does not send again', async () => {
  for (const guid of ['a', 'b', 'c']) github.fail(guid, hoursAgo(2));
  github.refused.add('a');
  await missed.ask();
  expect(github.asked).toEqual(['b', 'c']);
});

it('asks for nothing that is older than GitHub sends again', async () => {
  github.fail('old', hoursAgo(73));
  github.fail('new', hoursAgo(71));
  expect(await missed.ask()).toBe(1);
  expect(github.asked).toEqual(['new']);
});

it('reads the last hour alone once nothing older is left', async () => {
  for (let at = 0; at < 500; at++) github.fail(`guid-${at}`, hoursAgo(2));
  while ((await missed.ask()) !== 0);
  github.all.splice(0, github.all.length, ...github.all.filter((one) => one.status_code === 502));
  github.pages = 0;
  expect(await missed.ask()).toBe(0);
  expect(github.pages).toBe(1);
});

it.each([
  [401, 'error', 'GitHub does not take PRIVATE_KEY for that of APP_ID'],
  [403, 'warn', 'could not ask GitHub for missed deliveries'],
])('says what GitHub answers the App with: %i', async (status, level, message) => {
  const said: unknown[] = [];
  const say = (as: string) => (_fields: unknown, words: string) => said.push([as, words]);
  const answer = Object.assign(new Error('no'), { status, response: { headers: {} } });
  const octokit: Octokit = { request: () => Promise.reject(answer) };
  const told = { warn: say('warn'), error: say('error') } as unknown as typeof log;
  const asked = new MissedDeliveries({ db: store.db, app: octokit, now: () => start, log: told });
  expect(await asked.ask()).toBe(0);
  expect(said).toEqual([[level, message]]);
});
