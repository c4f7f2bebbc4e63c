/**
 * Threat 11: a signed body is for ever. Whoever has kept one sends it again under a new delivery id, long after what
 * it tells was true; access-lost.test.ts has the events that end runs.
 */
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { defaultSettings } from '../../shared/config/project-settings.ts';
import { AppUnderTest } from './app-under-test.ts';
import { commentCreated, pullSynchronized, repositoryOfDeliveries } from './deliveries.ts';
import { appId, head, repositoryId, type FakeCheck, type FakeComment } from './fake-github.ts';

let app: AppUnderTest;
const sender = { id: 7, login: 'olivia', type: 'User' };
const installation = { id: 31 };
const shaOf = (letter: string): string => letter.repeat(40);

beforeAll(async () => {
  app = await AppUnderTest.prepare();
  app.repositories.set(repositoryId, {
    ...defaultSettings('demo-project', ['us-central1']),
    policy: { cancelSuperseded: true },
  });
  await app.start();
});
afterAll(() => app.close());
afterEach(() => {
  app.github.pull.head = head;
  app.github.installation = { id: 31, suspended_at: null };
  app.github.repository = { id: repositoryId, archived: false };
  app.world.jobStates = ['queued', 'pending', 'running', 'succeeded'];
});

/** Whatever was delivered before it has been handled, or is left for later, once this is answered. */
async function settle(): Promise<void> {
  const help = app.github.comment('/help', 'olivia', app.world.now);
  await app.deliver(commentCreated(help));
  await app.until('the help', () => app.answersTo(help)[0]);
}

/** Until nothing that was delivered can still be tried again soon. */
async function minutes(): Promise<void> {
  const until = app.world.now.getTime() + 120_000;
  await app.until('minutes', () => (app.world.now.getTime() > until ? true : undefined), 2_000);
  await settle();
}

async function say(text: string): Promise<FakeComment> {
  app.world.now = new Date(app.world.now.getTime() + 2_000);
  const comment = app.github.comment(text, 'olivia', app.world.now);
  await app.deliver(commentCreated(comment));
  return comment;
}

async function started(text: string): Promise<FakeCheck> {
  const known = app.github.checks.length;
  await say(text);
  return app.until('the check', () => app.github.checks[known]);
}

async function ended(check: FakeCheck): Promise<FakeCheck> {
  await app.until('the end', () => (check.status === 'completed' ? true : undefined), 500);
  return check;
}

function push(sha: string, before: string): object {
  app.world.now = new Date(app.world.now.getTime() + 2_000);
  return { ...pullSynchronized(app.world.now, sha), before, sender };
}

async function receive(event: string, payload: object): Promise<void> {
  expect(await app.deliver(payload, { event })).toBe(202);
}

const cardOf = (check: FakeCheck): string =>
  app.github.comments.find(({ body }) => body.includes(`id=${check.external_id}`))?.body ?? '';

it('a push of before marks no newer run, and ends none', async () => {
  app.world.jobStates = ['queued', 'running'];
  const first = push(shaOf('b'), head);
  const second = push(shaOf('c'), shaOf('b'));
  app.github.pull.head = shaOf('c');
  for (const payload of [first, second]) await receive('pull_request', payload);
  const check = await started('/train');
  expect(check.head_sha).toBe(shaOf('c'));
  for (const payload of [first, second, first]) await receive('pull_request', payload);
  await minutes();
  expect(cardOf(check)).not.toContain('Superseded');
  expect(check.status).not.toBe('completed');
  app.world.jobStates = ['succeeded'];
  expect((await ended(check)).conclusion).toBe('success');
  // What is done again of an older commit was asked for after the push that came in between.
  const third = push(shaOf('d'), shaOf('c'));
  app.github.pull.head = shaOf('d');
  await receive('pull_request', third);
  await app.until('the mark', () => (cardOf(check).includes('Superseded') ? true : undefined));
  app.world.jobStates = ['queued', 'running'];
  const again = await started(`/retry ${check.external_id}`);
  expect(again.head_sha).toBe(shaOf('c'));
  for (const payload of [third, second, first]) await receive('pull_request', payload);
  await minutes();
  expect(cardOf(again)).not.toContain('Superseded');
  app.world.jobStates = ['succeeded'];
  expect((await ended(again)).conclusion).toBe('success');
});

it('a push of before is no newer receipt, within the same second either', async () => {
  app.world.now = new Date(app.world.now.getTime() + 2_000);
  const first = { ...pullSynchronized(app.world.now, shaOf('1')), before: head, sender };
  const second = { ...pullSynchronized(app.world.now, shaOf('2')), before: shaOf('1'), sender };
  app.github.pull.head = shaOf('2');
  for (const payload of [first, second, first, first]) await receive('pull_request', payload);
  expect((await ended(await started('/train'))).head_sha).toBe(shaOf('2'));
});

it('a push that GitHub shows late marks the runs of before all the same', async () => {
  app.github.pull.head = shaOf('3');
  await receive('pull_request', push(shaOf('3'), shaOf('2')));
  const check = await ended(await started('/train'));
  expect(check.head_sha).toBe(shaOf('3'));
  await receive('pull_request', push(shaOf('4'), shaOf('3')));
  await settle();
  app.github.pull.head = shaOf('4');
  await app.until('the mark', () => cardOf(check).includes('Superseded') || undefined, 500);
  expect(cardOf(check)).toContain('`4444444`');
});

it('all checks of a commit are run again once for a click, whatever has become its newest run', async () => {
  app.github.pull.head = shaOf('5');
  await receive('pull_request', push(shaOf('5'), head));
  const check = await ended(await started('/train'));
  const payload = {
    ...{ action: 'rerequested', sender, installation, repository: repositoryOfDeliveries },
    check_suite: { id: 1, head_sha: check.head_sha, app: { id: appId } },
  };
  const known = app.github.checks.length;
  await receive('check_suite', payload);
  await ended(await app.until('the new check', () => app.github.checks[known]));
  for (let time = 0; time < 2; time++) await receive('check_suite', payload);
  await settle();
  expect(app.github.checks).toHaveLength(known + 1);
});

it('a comment of before is neither performed nor answered again', async () => {
  const comment = await say('/train dry-run\n\n/status');
  await app.until('the answers', () => (app.answersTo(comment).length === 2 ? true : undefined));
  comment.body = 'edited';
  for (let time = 0; time < 3; time++) {
    await app.deliver(commentCreated({ ...comment, body: '/train dry-run\n\n/status' }));
  }
  await settle();
  // The last one is of what settles.
  expect(app.answersTo(comment)).toHaveLength(3);
});

const repositories = [{ ...repositoryOfDeliveries, default_branch: 'main' }];
const added: readonly (readonly [string, string, object])[] = [
  ['installation.created', 'installation', { action: 'created', repositories }],
  ['installation.unsuspend', 'installation', { action: 'unsuspend', repositories }],
  [
    'installation_repositories.added',
    'installation_repositories',
    { action: 'added', repositories_added: repositories, repositories_removed: [] },
  ],
  [
    'push',
    'push',
    { ref: 'refs/heads/main', after: shaOf('d'), deleted: false, repository: repositories[0] },
  ],
];
const notThere: readonly (readonly [string, () => void])[] = [
  ['was removed', () => (app.github.installation = undefined)],
  [
    'is suspended',
    () => (app.github.installation = { id: 31, suspended_at: '2026-01-02T03:00:00Z' }),
  ],
  ['has another one’s name', () => (app.github.repository = { id: 4_711, archived: false })],
];

const looks = (): number =>
  app.github.requests.filter((route) => route.endsWith('/branches/main')).length;

it.each(added)('%s has triggers looked at where the App is', async (_what, event, payload) => {
  const before = looks();
  await receive(event, { ...payload, installation, sender });
  await app.until('the look', () => (looks() > before ? true : undefined));
  await minutes();
});

it.each(
  added.flatMap(([what, event, payload]) =>
    notThere.map(([why, lose]) => ({ what, why, event, payload, lose })),
  ),
)('$what of before does not have triggers kept where the App $why', async (row) => {
  row.lose();
  const declared = { on: 'push', branch: '^main$', config: 'ci.yaml', name: 'train' };
  app.github.files['.github/trainyard.yml'] = JSON.stringify({
    config: 'config.yaml',
    triggers: [declared],
  });
  const calls = app.cloudBuild.calls.length;
  const looks = (): number =>
    app.github.requests.filter((route) => route.endsWith('/branches/main')).length;
  const before = looks();
  await receive(row.event, { ...row.payload, installation, sender });
  await minutes();
  expect(looks()).toBe(before);
  expect(app.cloudBuild.calls).toHaveLength(calls);
});
