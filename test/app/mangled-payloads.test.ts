/** Payloads that are signed and mean us, with one part that is not what it should be: taken, and nothing comes of them. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { isHandled } from '../../app/webhooks/handled-events.ts';
import { fc, runs } from '../properties.ts';
import { AppUnderTest } from './app-under-test.ts';
import {
  checkClicked,
  commentCreated,
  deliver,
  pullSynchronized,
  pushedToMain,
} from './deliveries.ts';
import { head } from './fake-github.ts';
import { publishedPayloads, unfinishedDeliveries } from './published-payloads.ts';

let app: AppUnderTest;
beforeAll(async () => {
  app = await AppUnderTest.prepare();
  await app.start();
});
afterAll(() => app.close());

type Path = readonly (string | number)[];

/** Every place in a payload, its own keys first. */
function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  const here = Object.keys(value).map((key) => [...path, key]);
  const below = Object.entries(value).flatMap(([key, child]) => pathsIn(child, [...path, key]));
  return [...here, ...below];
}

/** As JSON: an object literal of JavaScript has no key `__proto__`. */
function mangled(payload: object, path: Path, replacement: string): string {
  const place = 'the mangled part';
  const copy = structuredClone(payload) as Record<string, unknown>;
  const parent = path
    .slice(0, -1)
    .reduce<Record<string, unknown>>((node, key) => node[key] as Record<string, unknown>, copy);
  parent[String(path.at(-1))] = place;
  return JSON.stringify(copy).replace(JSON.stringify(place), () => replacement);
}

const replacements = [
  ...['null', 'true', '-1', '0', '1e308', '9007199254740993', '""', '"x"', '[]', '{}', '[null]'],
  ...['{"__proto__":{"polluted":1}}', '{"constructor":{"prototype":{"polluted":1}}}', '"\\u0000"'],
  ...[
    '"\\ud800"',
    '"../../x"',
    '"x\\ny"',
    `"${'x'.repeat(100_000)}"`,
    `${'['.repeat(900)}${']'.repeat(900)}`,
  ],
];

it('is handled without an error and leaves nothing behind', async () => {
  const { now } = app.world;
  const olivia = { id: 1, login: 'olivia' };
  const comment = app.github.comment('/train gpu=T4', 'nobody', now);
  const check = { id: 7, external_id: 'x', app: { id: 1 } };
  const own: readonly (readonly [string, object])[] = [
    ['issue_comment', commentCreated(comment)],
    ['pull_request', pullSynchronized(now)],
    ['push', pushedToMain(head, olivia)],
    ['check_run', checkClicked(check as never, olivia, 'cancel')],
  ];
  const examples = publishedPayloads.flatMap(({ name, examples: all }) =>
    all.filter((payload) => isHandled(name, payload)).map((payload) => [name, payload] as const),
  );
  const cases = [...own, ...examples].flatMap(([event, payload]) => {
    const paths = pathsIn(payload).filter((path) => path.length <= 3);
    const arbitrary = fc.tuple(fc.constantFrom(...paths), fc.constantFrom(...replacements));
    return fc
      .sample(arbitrary, runs(own.some(([, one]) => one === payload) ? 40 : 4))
      .map(([path, replacement]) => ({
        event,
        path,
        replacement,
        body: mangled(payload, path, replacement),
      }));
  });
  for (const [at, { event, path, replacement, body }] of cases.entries()) {
    const status = await deliver(app.url, body, { event, id: `mangled-${at}` });
    expect([event, path, replacement.slice(0, 40), status]).toEqual([
      event,
      path,
      replacement.slice(0, 40),
      202,
    ]);
  }
  const { unfinished } = await unfinishedDeliveries(app);
  // GitHub's own answer where another repository is named is no fault of ours.
  const ours = unfinished.filter(({ error }) => !/^Not Found\b/.test(error ?? ''));
  expect(
    ours.map(({ id, ...rest }) => ({
      ...rest,
      ...cases[Number(id.slice('mangled-'.length))],
      body: '',
    })),
  ).toEqual([]);
  expect(app.world.jobs).toEqual([]);
  expect(Object.prototype).not.toHaveProperty('polluted');
}, 600_000);
