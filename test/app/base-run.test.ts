/** Pushes to the default branch that are trained, and pull requests that are compared with them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openStore } from '../../app/store/open-store.ts';
import { defaultSettings } from '../../shared/config/project-settings.ts';
import { parseMarker } from '../../shared/report/marker.ts';
import { AppUnderTest, log } from './app-under-test.ts';
import { checkClicked, commentCreated, pullSynchronized, pushedToMain } from './deliveries.ts';
import { repositoryId, type FakeCheck, type FakeComment } from './fake-github.ts';

interface ShownCheck extends FakeCheck {
  readonly output: { readonly title: string; readonly summary: string };
}

const asks = 'config: config.yaml\ntrain_on_push: true\nmetric: val_accuracy\ngoal: maximize\n';
const olivia = { id: 7, login: 'olivia' };
const rae = { id: 8, login: 'rae' };
const wanda = { id: 9, login: 'wanda' };
const settings = defaultSettings('demo-project', ['us-central1']);

let app: AppUnderTest;
let pushes = 0;
/** Commits of which nothing may come, at once or later. */
const untrained: string[] = [];
beforeAll(async () => {
  app = await AppUnderTest.prepare();
  const account = (name: string): string => `${name}@demo-project.iam.gserviceaccount.com`;
  app.repositories.set(repositoryId, {
    ...settings,
    trainerServiceAccounts: { base: account('base-trainer'), pull: account('pull-trainer') },
    policy: { maxRunsPerRepository: 3 },
  });
  app.github.permissions['wanda'] = { id: 9, permission: 'write' };
  await app.start();
});
afterAll(() => app.close());
beforeEach(() => {
  app.github.files['.github/trainyard.yml'] = asks;
  app.github.filesAt = {};
  app.github.repository = { id: repositoryId, archived: false };
  app.world.jobStates = ['queued', 'pending', 'running', 'succeeded'];
});

function newSha(): string {
  pushes += 1;
  return pushes.toString(16).padStart(2, '0').repeat(20);
}

/** The newest commit of main is that one from now on. */
async function push(
  sha = newSha(),
  sender: Parameters<typeof pushedToMain>[1] = olivia,
  changes?: Record<string, unknown>,
): Promise<string> {
  app.github.mainSha = sha;
  const payload = pushedToMain(sha, sender, changes);
  expect(await app.deliver(payload, { event: 'push' })).toBe(202);
  return sha;
}

function checksOf(sha: string): ShownCheck[] {
  return app.github.checks.filter(({ head_sha }) => head_sha === sha) as ShownCheck[];
}

function checkOf(sha: string): Promise<ShownCheck> {
  return app.until(`a check of ${sha}`, () => checksOf(sha)[0]);
}

async function endOf(check: ShownCheck): Promise<ShownCheck> {
  await app.until('the end', () => (check.status === 'completed' ? true : undefined), 500);
  return check;
}

async function say(text: string): Promise<FakeComment> {
  const comment = app.github.comment(text, 'olivia', app.world.now);
  expect(await app.deliver(commentCreated(comment))).toBe(202);
  return comment;
}

async function answerTo(text: string): Promise<string> {
  const comment = await say(text);
  return app.until(`an answer to ${text}`, () => app.answersTo(comment)[0]);
}

/** Whatever was delivered before it has been handled once this is answered. */
async function settle(): Promise<void> {
  await answerTo('/help');
}

function measure(accuracy: number, loss: number): void {
  app.world.results = {
    'metrics.json': JSON.stringify({ val_accuracy: accuracy, loss }),
    'plots/metrics/val_accuracy.tsv': `step\tval_accuracy\n1\t0.5\n2\t${accuracy}\n`,
  };
}

async function trainPull(): Promise<{ readonly card: FakeComment; readonly runId: string }> {
  const comment = await say('/train');
  const card = await app.until(
    'the card',
    () => app.github.comments.find(({ id, body }) => id > comment.id && /\*\*Trained/.test(body)),
    500,
  );
  return { card, runId: parseMarker(card.body)?.runId ?? '' };
}

it('without a record there is nothing to compare with, and what is advised works', async () => {
  measure(0.5, 1);
  const { card } = await trainPull();
  expect(card.body).not.toContain('against');
  expect(await answerTo('/compare base')).toMatch(
    /No run of the default branch has metrics.*\n\n`train_on_push: true` in `\.github\/trainyard\.yml`.*the only run/,
  );
  await trainPull();
  const advice = await answerTo('/compare main');
  const [, command = ''] = /`(\/compare \w{8} \w{8})`/.exec(advice) ?? [];
  expect(await answerTo(command)).toMatch(/^\*\*Compared\*\*: val_accuracy/);
  expect(await answerTo('/compare develop')).toMatch(
    /no run `develop`, and its default branch is called `main`/,
  );
});

it('a push is trained as the base, and a pull request is held against what it measured', async () => {
  const [jobs, comments] = [app.world.jobs.length, app.github.comments.length];
  measure(0.957, 0.131);
  const sha = await push();
  const base = await endOf(await checkOf(sha));
  expect(base).toMatchObject({ name: 'trainyard/train', conclusion: 'success', actions: [] });
  expect(base.output.title).toBe('val_accuracy 0.957');
  expect(base.details_url).toMatch(new RegExp(`/acme/digits/commit/${sha}$`));
  expect(base.output.summary).not.toMatch(/\/cancel|\/retry/);
  expect(app.github.comments).toHaveLength(comments);
  expect(app.world.jobs.slice(jobs)).toMatchObject([
    { serviceAccount: 'base-trainer@demo-project.iam.gserviceaccount.com' },
  ]);
  expect(base.output.summary).toContain(`/${repositoryId}/base/`);

  measure(0.961, 0.118);
  const { card, runId } = await trainPull();
  expect(card.body.split('\n')[0]).toMatch(
    /^\*\*Trained\*\* `aaaaaaa`: val_accuracy \*\*0\.961\*\* \(\+0\.004 against main\) · /,
  );
  const table = [
    `| metric | main \`${sha.slice(0, 7)}\` | this | change |`,
    '| --- | --- | --- | --- |',
    '| val_accuracy | 0.957 | **0.961** | +0.004 better |',
    '| loss | 0.131 | **0.118** | −9.92 % better |',
  ].join('\n');
  expect(card.body).toContain(table);
  const chart =
    'val_accuracy: main (grey) from 0.5 to 0.957, this run (blue) from 0.5 to 0.961\n\n```mermaid';
  expect(card.body).toContain(chart);
  expect(card.body).toContain("<summary>Parameters: none differs from the base's</summary>");
  const titles = app.github.checks.map((check) => (check as ShownCheck).output.title);
  expect(titles).toContain('val_accuracy 0.961 (+0.004)');
  expect(await answerTo(`/compare ${runId} base`)).toMatch(
    /^\*\*Compared\*\*: val_accuracy \*\*0\.961\*\* \(\+0\.004 better against main\)/,
  );

  // What comes later changes nothing of it, though the card is edited once more.
  measure(0.99, 0.1);
  const later = await endOf(await checkOf(await push()));
  expect(later.output.title).toBe('val_accuracy 0.99 (+0.033)');
  app.github.pull.head = 'b'.repeat(40);
  const newer = pullSynchronized(app.world.now, app.github.pull.head);
  await app.deliver(newer, { event: 'pull_request' });
  await app.until('the mark', () => (card.body.includes('Superseded') ? true : undefined));
  expect(card.body).toContain(table);
  expect(card.body).toContain(chart);
  expect(await answerTo(`/compare ${runId} main`)).toContain('(−0.029 worse against main)');

  // Eight letters, as a run's id has.
  const known = app.github.repository;
  app.github.repository = Object.assign({ default_branch: 'mainline' }, known);
  const words = ['mainline', `${runId} mainline`, 'features', `${runId} features`];
  const answers: string[] = [];
  for (const word of words) answers.push(await answerTo(`/compare ${word}`));
  app.github.repository = known;
  const compared = /^\*\*Compared\*\*: val_accuracy/;
  const neither = /no run `features`, and its default branch is called `mainline`/;
  for (const [at, expected] of [compared, compared, neither, neither].entries())
    expect(answers[at]).toMatch(expected);
});

it('a commit is trained once, however often and under whatever name its push comes', async () => {
  const sha = await push();
  await endOf(await checkOf(sha));
  const jobs = app.world.jobs.length;
  await push(sha);
  await push(sha, wanda);
  await push(sha);
  await settle();
  expect(checksOf(sha)).toHaveLength(1);
  expect(app.world.jobs).toHaveLength(jobs);
});

describe('nothing is trained for', () => {
  const rows: readonly [string, Record<string, unknown>, change?: (sha: string) => void][] = [
    ['another branch', { ref: 'refs/heads/topic' }],
    ['a tag', { ref: 'refs/tags/main' }],
    ['a branch that is deleted', { deleted: true, after: '0'.repeat(40), head_commit: null }],
    ['no commit', { after: '0'.repeat(40) }],
    ['half a commit', { after: 'abc' }],
    ['a commit that asks for nothing', { head_commit: { message: 'Words\n\n[Skip train]' } }],
    ['a commit without a message', { head_commit: null }],
    ['a repository that is not installed', { installation: undefined }],
    ['a push that a newer one followed', {}, () => (app.github.mainSha = 'f'.repeat(40))],
    [
      'a repository that does not ask for it',
      {},
      (sha) => (app.github.filesAt[sha] = { '.github/trainyard.yml': 'config: config.yaml\n' }),
    ],
    [
      'a file that is wrong',
      {},
      (sha) => (app.github.filesAt[sha] = { '.github/trainyard.yml': `${asks}gaol: up\n` }),
    ],
    ['no file', {}, (sha) => (app.github.filesAt[sha] = {})],
    [
      'a name that is a stranger now',
      {},
      () => (app.github.repository = { id: 4711, archived: false }),
    ],
  ];
  const unchanged = (): void => undefined;

  it.each(rows.map(([what, changes, change = unchanged]) => [what, changes, change] as const))(
    '%s',
    async (_what, changes, change) => {
      const [jobs, checks] = [app.world.jobs.length, app.github.checks.length];
      const sha = newSha();
      app.github.mainSha = sha;
      change(sha);
      untrained.push(sha);
      const payload = pushedToMain(sha, olivia, changes);
      // GitHub's own are not malformed, and a malformed one is not tried again.
      expect([202, 400]).toContain(await app.deliver(payload, { event: 'push' }));
      await settle();
      expect(app.github.checks).toHaveLength(checks);
      expect(app.world.jobs).toHaveLength(jobs);
    },
  );
});

describe('a refusal is a check that blocks nothing', () => {
  it.each<[string, sender: Parameters<typeof pushedToMain>[1], file: string, why: RegExp]>([
    ['a reader', rae, asks, /^Not started: Only people with write access/],
    ['a stranger', { id: 99, login: 'nobody' }, asks, /^Not started: Only people with write/],
    ['another with that login', { id: 70, login: 'olivia' }, asks, /^Not started: Only people/],
    ['a bot', { id: 3, login: 'ci[bot]', type: 'Bot' }, asks, /^Not started: Bots cannot/],
    [
      'somebody outside of the circle',
      olivia,
      `${asks}who: { users: [70] }\n`,
      /^Not started: Only the people whom the policy/,
    ],
    ['a config that is not there', olivia, asks.replace('config.yaml', 'x.yaml'), /x\.yaml/],
    ['a region that may not be', olivia, `${asks}region: europe-west4\n`, /europe-west4/],
    ['a machine that may not be', olivia, `${asks}machines: [e2-standard-4]\n`, /n1-standard-8/],
    ['what could cost too much', olivia, `${asks}max_usd_per_month: 0.01\n`, /month/],
  ])('%s', async (_what, sender, file, why) => {
    app.github.files['.github/trainyard.yml'] = file;
    const [jobs, comments] = [app.world.jobs.length, app.github.comments.length];
    const sha = await push(newSha(), sender);
    const check = await checkOf(sha);
    expect(check).toMatchObject({ name: 'trainyard/train', conclusion: 'neutral' });
    expect(check.status).toBe('completed');
    expect(check.output.title).toMatch(why);
    expect(check.output.title).not.toContain('`');
    expect(check.output.summary).toContain('`train_on_push`');
    expect(check.output.summary).not.toContain('This would work');
    await push(sha, sender);
    await app.deliver(checkClicked(check, olivia), { event: 'check_run' });
    await settle();
    expect(checksOf(sha)).toHaveLength(1);
    expect(app.world.jobs).toHaveLength(jobs);
    // The settling one and its answer.
    expect(app.github.comments).toHaveLength(comments + 2);
  });
});

it('Cancel ends a base run, for those who may, and nothing else can be clicked', async () => {
  app.world.jobStates = ['queued'];
  const [jobs, comments] = [app.world.jobs.length, app.github.comments.length];
  const check = await checkOf(await push());
  await app.until('the job', () => (app.world.jobs.length > jobs ? true : undefined), 500);
  expect(check.actions?.map(({ identifier }) => identifier)).toEqual(['cancel']);
  const click = (...args: Parameters<typeof checkClicked>): Promise<number> =>
    app.deliver(checkClicked(...args), { event: 'check_run' });
  await click(check, rae, 'cancel');
  await click(check, olivia, 'retry');
  await click(check, olivia, 'logs');
  await click(check, olivia);
  await settle();
  expect(check.status).not.toBe('completed');
  await click(check, olivia, 'cancel');
  await endOf(check);
  expect(check).toMatchObject({ conclusion: 'cancelled', actions: [] });
  // The settling one and its answer.
  expect(app.github.comments).toHaveLength(comments + 2);
});

describe('a launch long after its push', () => {
  it.each<[string, permission: string, title: RegExp]>([
    ['happens when nothing has changed', 'admin', /^val_accuracy/],
    ['does not when who pushed may not any more', 'read', /^Failed: no longer allowed/],
  ])('%s', async (_what, permission, title) => {
    const builds = app.world.builds.length;
    app.github.files['Dockerfile'] = `FROM scratch\nLABEL build=${builds}\n`;
    const check = await checkOf(await push());
    await app.until('the build', () => app.world.builds[builds]);
    app.github.permissions['olivia'] = { id: 7, permission };
    app.world.now = new Date(app.world.now.getTime() + 11 * 60_000);
    await endOf(check);
    app.github.permissions['olivia'] = { id: 7, permission: 'admin' };
    expect(check.output.title).toMatch(title);
  });
});

it('a base run is done again by a push, not by a command of a pull request', async () => {
  const check = await endOf(await checkOf(await push()));
  expect(await answerTo(`/retry ${check.external_id}`)).toMatch(
    /is one of a push to the default branch/,
  );
});

it('a newer push cancels the run of an older one where the policy says so, and only then', async () => {
  app.world.jobStates = ['queued'];
  const first = await checkOf(await push());
  const second = await checkOf(await push(newSha(), wanda));
  // At its own commits alone: the others' files may be being packed.
  const [newer, newest] = [newSha(), newSha()];
  const files = {
    ...app.github.files,
    '.github/trainyard.yml': `${asks}cancel_superseded: true\n`,
  };
  app.github.filesAt = { [newer]: files, [newest]: files };
  const third = await checkOf(await push(newer));
  await Promise.all([endOf(first), endOf(second)]);
  expect([first.conclusion, second.conclusion]).toEqual(['cancelled', 'cancelled']);
  // By whoever pushed the third, not the second.
  for (const { output } of [first, second]) expect(output.summary).toContain('by `olivia`');

  // What is refused leaves the older one alone.
  const refused = await endOf(await checkOf(await push(newest, rae)));
  expect(refused.conclusion).toBe('neutral');
  await settle();
  await app.deliver(checkClicked(third, olivia, 'cancel'), { event: 'check_run' });
  await endOf(third);
  expect(third.output.summary).toContain('by `olivia`');
});

it('whatever was decided is on record', async () => {
  await app.stop();
  expect(untrained.flatMap(checksOf)).toEqual([]);
  const store = await openStore({ databaseUrl: undefined, dataDir: app.dataDir }, log);
  try {
    const rows = await store.db
      .selectFrom('events')
      .selectAll()
      .where('kind', '=', 'decision')
      .execute();
    const details = rows.map(({ detail }) => detail);
    const ofPushes = details.filter(({ origin }) => String(origin).startsWith('push/'));
    expect(ofPushes).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ verdict: 'allowed', tier: 'base' }),
        expect.objectContaining({ verdict: 'rejected', reason: 'no_permission' }),
      ]),
    );
    const origins = ofPushes.map(({ origin }) => origin);
    expect(new Set(origins).size).toBe(origins.length);
  } finally {
    await store.close();
  }
});
