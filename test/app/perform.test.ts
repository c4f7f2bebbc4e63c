/** One command that comes several times, or meets a database that goes away. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { perform } from '../../app/commands/perform.ts';
import type { CommandContext, Outcome, Request } from '../../app/commands/request.ts';
import { createLog } from '../../app/log.ts';
import { openStore, type Store } from '../../app/store/open-store.ts';

let directory = '';
let store: Store;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trainyard-perform-'));
  store = await openStore({ databaseUrl: undefined, dataDir: directory }, createLog('silent'));
});
afterAll(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

/** A command of olivia's, and what came of it. */
function commandOf(origin: string) {
  const counted: string[] = [];
  const told: string[] = [];
  const context: Partial<CommandContext> = {
    ...{ db: store.db, log: createLog('silent'), now: () => new Date() },
    metrics: {
      command: (verdict: string) => counted.push(verdict),
      bug: () => counted.push('bug'),
    } as unknown as CommandContext['metrics'],
  };
  const request = {
    ...{ actor: { id: 7, login: 'olivia' }, attempt: 7, pullNumber: 1 },
    key: { repositoryId: 1, origin },
    react: () => Promise.resolve(),
  } as unknown as Request;
  const take = (decide: () => Promise<Outcome>): Promise<void> =>
    perform(request, context as CommandContext, decide, ({ body }) => {
      told.push(body);
      return Promise.resolve();
    });
  return { counted, told, take };
}

const answer: Outcome = { verdict: 'answered', reason: null, body: 'Here it is.' };

it('is answered once when the database is back, and not as failed', async () => {
  const { counted, told, take } = commandOf('comment/1/1');
  const lost = Object.assign(new Error('terminating connection'), { code: '57P01' });

  await expect(take(() => Promise.reject(lost))).rejects.toBe(lost);
  expect([told, counted]).toEqual([[], []]);
  await take(() => Promise.resolve(answer));
  await take(() => Promise.resolve(answer));
  expect([told, counted]).toEqual([['Here it is.'], ['answered']]);
});

it('is decided and answered once when it comes several times at once', async () => {
  const { told, take } = commandOf('comment/2/1');
  let decided = 0;
  const decide = (): Promise<Outcome> => {
    decided += 1;
    return Promise.resolve(answer);
  };
  await Promise.all([take(decide), take(decide), take(decide)]);
  expect([decided, told]).toEqual([1, ['Here it is.']]);
});

it('is decided by the next that comes when the first one fails', async () => {
  const { told, take } = commandOf('comment/3/1');
  const lost = Object.assign(new Error('terminating connection'), { code: '57P01' });
  const [first, second] = await Promise.allSettled([
    take(() => Promise.reject(lost)),
    take(() => Promise.resolve(answer)),
  ]);
  expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
  expect(told).toEqual(['Here it is.']);
});
