/** The commit that a command is about: receipts of pushes and what GitHub says now in, a commit or none out. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pinHead } from '../../app/commands/pin-head.ts';
import { createLog } from '../../app/log.ts';
import { insertDelivery } from '../../app/store/deliveries.ts';
import { openStore, type Store } from '../../app/store/open-store.ts';

let store: Store;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'trainyard-heads-'));
  store = await openStore({ databaseUrl: undefined, dataDir }, createLog('silent'));
});
afterAll(async () => {
  await store.close();
  await rm(dataDir, { recursive: true, force: true });
});

const at = (second: number): Date => new Date(Date.UTC(2026, 0, 2, 3, 4, second));
const commented = 30;
const [a, b] = ['a', 'b'];
const sha = (letter: string): string => letter.repeat(40);
let repositories = 0;

it.each<
  [
    receipts: readonly (readonly [second: number, letter: string])[],
    live: string,
    pushed: number | undefined,
    pinned: string | undefined,
    why: string,
  ]
>([
  [[[10, a]], a, 10, a, 'it was there and is'],
  [[[10, a]], a, 40, a, 'something else was pushed since'],
  [
    [
      [10, a],
      [20, b],
    ],
    b,
    20,
    b,
    'the newest before the comment',
  ],
  [
    [
      [10, a],
      [40, b],
    ],
    b,
    40,
    a,
    'a push since',
  ],
  [
    [
      [10, a],
      [40, b],
    ],
    b,
    20,
    a,
    'a push since, whatever the repository says of its time',
  ],
  [
    [
      [10, a],
      [40, b],
    ],
    a,
    50,
    a,
    'a push since, and back',
  ],
  [
    [
      [10, a],
      [20, b],
    ],
    a,
    25,
    b,
    'both are known, and the newest receipt decides',
  ],
  [[[10, a]], b, 20, b, 'a push before the comment, whose delivery was lost'],
  [
    [[10, a]],
    b,
    30,
    a,
    'a push in the second of the comment or after it, whose delivery is to come',
  ],
  [[[10, a]], b, undefined, a, 'the head repository is gone'],
  [[[40, b]], b, 40, undefined, 'all that is known came later'],
  [[], a, 20, a, 'never seen, and nothing pushed since'],
  [[], a, 30, undefined, 'never seen, and perhaps pushed since'],
  [[], a, undefined, undefined, 'never seen, and nobody can say'],
])('%j, now %s, pushed at %s: %s, %s', async (receipts, live, pushed, pinned, why) => {
  const where = { repositoryId: ++repositories, pullNumber: 1 };
  for (const [second, letter] of receipts)
    await insertDelivery(store.db, {
      ...{ id: `${why} ${second}`, event: 'pull_request', body: Buffer.from('{}') },
      ...{ receivedAt: at(second), head: { ...where, sha: sha(letter), happenedAt: at(second) } },
    });
  const request = {
    repository: { id: where.repositoryId, owner: 'acme', repo: 'digits' },
    ...{ pullNumber: where.pullNumber, askedAt: at(commented), receivedAt: at(commented) },
  };
  const pull = {
    headSha: sha(live),
    headPushedAt: pushed === undefined ? undefined : at(pushed).toISOString(),
  };
  expect(await pinHead(request, pull, store.db)).toBe(pinned && sha(pinned));
});
