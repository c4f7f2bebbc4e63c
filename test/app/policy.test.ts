/** Who may do what, from a signed delivery to what people see and what is on record. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openStore } from '../../app/store/open-store.ts';
import { defaultSettings, type ProjectSettings } from '../../shared/config/project-settings.ts';
import type { PolicyRules } from '../../shared/policy/policy.ts';
import { AppUnderTest, log } from './app-under-test.ts';
import { commentCreated, pullSynchronized } from './deliveries.ts';
import { head, repositoryId, type FakeComment } from './fake-github.ts';
import { findPostgres, startPostgres, type PostgresServer } from './store/postgres-server.ts';

const settings = defaultSettings('demo-project', ['us-central1']);
const account = (name: string): string => `${name}@demo-project.iam.gserviceaccount.com`;
const forkPlaces: Partial<ProjectSettings> = {
  builderServiceAccounts: { fork: account('fork-builder') },
  trainerServiceAccounts: { fork: account('fork-trainer') },
  registries: { fork: 'us-central1-docker.pkg.dev/demo-project/forks' },
};
const fork = 2002;

let app: AppUnderTest;

const programs = findPostgres();
/** Where it is installed: another process can read there what is on record. */
let server: PostgresServer | undefined;

beforeAll(async () => {
  server = programs === undefined ? undefined : await startPostgres(programs);
  app = await AppUnderTest.prepare(server?.createDatabase('policy'));
  const { permissions } = app.github;
  permissions['wanda'] = { id: 9, permission: 'write' };
  // Each asks once: who has no authority is not answered twice.
  for (const [at, name] of ['tom', 'tara', 'theo'].entries()) {
    permissions[name] = { id: 10 + at, permission: 'triage' };
  }
  await app.start();
});
afterAll(async () => {
  await app.close();
  await server?.stop();
});
beforeEach(() => {
  const { github } = app;
  Object.assign(github.pull, {
    ...{ head, state: 'open', headRepositoryId: repositoryId, archived: false },
    author: { id: 9 },
  });
  github.files['.github/trainyard.yml'] = 'config: config.yaml\n';
  github.filesAt = {};
  github.teams = {};
  github.pullFiles = [];
  github.repositoryIdByName = repositoryId;
});

/** The operator's rules from now on. */
async function rule(policy: PolicyRules, changes: Partial<ProjectSettings> = {}): Promise<void> {
  app.repositories.set(repositoryId, { ...settings, ...changes, policy });
  await app.restart();
}

async function say(text: string, login = 'olivia'): Promise<FakeComment> {
  const comment = app.github.comment(text, login, app.world.now);
  expect(await app.deliver(commentCreated(comment))).toBe(202);
  return comment;
}

/** Somebody pushes to the pull request; the clock moves on, so that the next comment is after it. */
async function push(sha: string, sender = { id: 9, login: 'wanda', type: 'User' }): Promise<void> {
  app.github.pull.head = sha;
  app.world.now = new Date(app.world.now.getTime() + 2_000);
  const payload = { ...pullSynchronized(app.world.now, sha), sender };
  await app.deliver(payload, { event: 'pull_request' });
  app.world.now = new Date(app.world.now.getTime() + 2_000);
}

async function answerTo(text: string, login = 'olivia'): Promise<string> {
  const comment = await say(text, login);
  return app.until(`an answer to ${text}`, () => app.answersTo(comment)[0]);
}

const isAllowed = /\*\*Dry run\*\*/;

describe('who may', () => {
  it.each<[string, PolicyRules, string, string, RegExp]>([
    ['triage, if the operator says so', { permission: 'triage' }, '', 'tom', isAllowed],
    [
      'write, unless the repository asks for more',
      {},
      'who: {permission: maintain}',
      'wanda',
      /maintain access/,
    ],
    [
      'nobody by the repository’s file alone',
      {},
      'who: {permission: triage}',
      'tara',
      /write access/,
    ],
    ['members of the team', { members: { teams: ['ml'], users: [] } }, '', 'wanda', isAllowed],
    ['nobody else', { members: { teams: ['ml'], users: [] } }, '', 'olivia', /member of `ml`/],
    ['people who are named', { members: { teams: [], users: [7] } }, '', 'olivia', isAllowed],
    [
      'those in both circles',
      { members: { teams: [], users: [7] } },
      'who: {teams: [ml]}',
      'olivia',
      /member of `ml`/,
    ],
  ])('%s', async (_, operator, repository, login, expected) => {
    app.github.teams = { ml: ['wanda'] };
    app.github.files['.github/trainyard.yml'] = `config: config.yaml\n${repository}\n`;
    await rule(operator);
    expect(await answerTo('/train dry-run', login)).toMatch(expected);
  });

  it('bots that the operator names, and no others', async () => {
    await rule({ bots: [301] });
    const ask = async (id: number): Promise<FakeComment> => {
      const comment = app.github.comment('/train dry-run', `bot${id}[bot]`, app.world.now);
      Object.assign(comment, {
        user: { id, login: `bot${id}[bot]`, type: 'Bot' },
        performed_via_github_app: { id: 77 },
      });
      await app.deliver(commentCreated(comment));
      return comment;
    };
    const other = await ask(302);
    const named = await ask(301);
    expect(await app.until('an answer', () => app.answersTo(named)[0])).toMatch(isAllowed);
    const answers = app.github.comments.filter(
      ({ id, body }) => id > other.id && isAllowed.test(body),
    );
    expect(answers).toHaveLength(1);
  });
});

describe('which repository', () => {
  it.each<[string, () => void, Partial<ProjectSettings>, RegExp]>([
    [
      'its name leads to another one',
      () => (app.github.repositoryIdByName = 1002),
      {},
      /another repository/,
    ],
    ['it is archived', () => (app.github.pull.archived = true), {}, /archived/],
    ['it was transferred', () => undefined, { ownerId: 51 }, /another account/],
    ['it is the one that is meant', () => undefined, { ownerId: 50 }, isAllowed],
  ])('%s', async (_, change, changes, expected) => {
    await rule({}, changes);
    change();
    expect(await answerTo('/train dry-run')).toMatch(expected);
  });
});

describe('machines and money', () => {
  it.each<[PolicyRules, string, RegExp]>([
    [{ gpus: ['L4'] }, '/train gpu=T4 dry-run', /may not use the GPU `T4`/],
    [{ gpus: ['T4'] }, '/train gpu=T4 dry-run', isAllowed],
    [{ machines: ['n1-standard-4'] }, '/train dry-run', /machine `n1-standard-8`/],
    [{ maxGpusPerRun: 1 }, '/train gpu=T4:2 dry-run', /2 GPUs/],
    [{ maxUsdPerMonth: 0.01 }, '/train dry-run', /of \$0\.01, and this one may cost \$/],
  ])('%j: %s', async (operator, command, expected) => {
    await rule(operator);
    expect(await answerTo(command)).toMatch(expected);
  });

  it('says in a dry run what would remain', async () => {
    await rule({ maxUsdPerMonth: 50, maxRunsPerPull: 3 });
    const answer = await answerTo('/train timeout=1h dry-run');
    expect(answer).toMatch(/\*\*Allowed\*\* as code of this repository's pull requests/);
    expect(answer).toMatch(/\$4\d\.\d\d of this month's \$50\.00/);
    expect(answer).toContain('2 of 3 runs of this pull request at once');
  });

  it('lets as many commands become runs as fit, whoever asks at once', async () => {
    await rule({ maxRunsPerPull: 2 });
    app.world.jobStates = ['queued'];
    const before = app.github.checks.length;
    const comments = await Promise.all(Array.from({ length: 6 }, () => say('/train')));
    const all = await app.until('all answers', () => {
      const answers = comments.map(({ id }) =>
        app.github.reactions.filter((one) => one.commentId === id),
      );
      const refused = answers.filter((one) => one.some(({ content }) => content === 'confused'));
      return refused.length === 4 && app.github.checks.length === before + 2 ? refused : undefined;
    });
    expect(all).toHaveLength(4);
    await say('/cancel all');
    app.world.jobStates = ['queued', 'pending', 'running', 'succeeded'];
    const open = (): boolean =>
      app.github.checks.slice(before).some(({ status }) => status !== 'completed');
    await app.until('their ends', () => (open() ? undefined : true), 200);
    // What has ended holds nothing any more.
    expect(await answerTo('/train dry-run')).toMatch(isAllowed);
  });

  it('ends runs of older commits where the policy says so', async () => {
    await rule({});
    app.github.files['.github/trainyard.yml'] = 'config: config.yaml\ncancel_superseded: true\n';
    app.world.jobStates = ['queued'];
    const comment = await say('/train');
    await app.until('the card', () => app.answersTo(comment)[0]);
    await push('c'.repeat(40));
    await app.until(
      'the end',
      () => app.answersTo(comment)[0]?.includes('**Cancelled**') || undefined,
      200,
    );
    app.world.jobStates = ['queued', 'pending', 'running', 'succeeded'];
  });
});

describe('forks', () => {
  beforeEach(() => {
    app.github.pull.headRepositoryId = fork;
  });

  it('never run unless the operator says so', async () => {
    await rule({}, forkPlaces);
    app.github.files['.github/trainyard.yml'] = 'config: config.yaml\nforks: approved\n';
    expect(await answerTo('/train')).toMatch(/code from forks is not run/);
    expect(await answerTo(`/approve ${head}`)).toMatch(/approved or not/);
  });

  it('need accounts of their own', async () => {
    await rule({ forks: 'approved' });
    expect(await answerTo('/train')).toMatch(/builder, a trainer and a registry of its own/);
  });

  it('run the approved commit as nobody else, and no other commit', async () => {
    await rule({ forks: 'approved' }, forkPlaces);
    await push(head);
    expect(await answerTo('/train')).toContain(`/approve ${head}`);
    expect(await answerTo(`/approve ${head}`, 'theo')).toMatch(/write access/);
    expect(await answerTo(`/approve ${head}`, 'wanda')).toMatch(/code of their own/);
    expect(await answerTo(`/approve ${'b'.repeat(40)}`)).toMatch(/not the newest commit/);
    expect(await answerTo('/train')).toMatch(/Nobody has approved/);
    expect(await answerTo(`/approve ${head}`)).toMatch(/\*\*Approved\*\* `aaaaaaa`/);
    expect(await answerTo('/train dry-run')).toMatch(/code of an approved fork/);
    const builds = app.world.builds.length;
    const jobs = app.world.jobs.length;
    await say('/train');
    const build = await app.until('the build', () => app.world.builds[builds], 200);
    expect(build.serviceAccount).toContain(account('fork-builder'));
    expect(build.images[0]?.name).toContain('/demo-project/forks/');
    const job = await app.until('the job', () => app.world.jobs[jobs], 200);
    expect(job.serviceAccount).toBe(account('fork-trainer'));
    await push('e'.repeat(40));
    expect(await answerTo('/train')).toMatch(/Nobody has approved `eeeeeee`/);
    // Any push voids it, one that comes back to the approved commit as well.
    await push(head);
    expect(await answerTo('/train dry-run')).toMatch(/Nobody has approved `aaaaaaa`/);
    expect(await answerTo(`/approve ${head}`)).toMatch(/\*\*Approved\*\* `aaaaaaa`/);
    expect(await answerTo('/train dry-run')).toMatch(/code of an approved fork/);
  });

  it('are what bots write, too', async () => {
    await rule({ forks: 'approved' }, forkPlaces);
    app.github.pull.headRepositoryId = repositoryId;
    app.github.pull.author = { id: 301, type: 'Bot' };
    await push('f'.repeat(40), { id: 301, login: 'bot301[bot]', type: 'Bot' });
    expect(await answerTo('/train')).toMatch(/Nobody has approved `fffffff`/);
    await rule({}, forkPlaces);
    expect(await answerTo('/train')).toMatch(/A bot wrote/);
  });
});

describe('trainyard/config', () => {
  const sha = '9'.repeat(40);
  async function pushed(): Promise<void> {
    await push(sha);
    await answerTo('/help');
  }
  const checks = () => app.github.checks.filter(({ name }) => name === 'trainyard/config');

  it('is not there where the file is not touched', async () => {
    app.github.filesAt = { [sha]: { '.github/trainyard.yml': 'confg: a' } };
    app.github.pullFiles = ['README.md'];
    await pushed();
    expect(checks()).toEqual([]);
  });

  it('says once what is wrong and where, and then that nothing is', async () => {
    const shows = (conclusion: string): Promise<true> =>
      app.until(conclusion, () => checks()[0]?.conclusion === conclusion || undefined);
    const updates = (): number =>
      app.github.requests.filter((route) => /^PATCH .*\/check-runs\//.test(route)).length;
    app.github.pullFiles = ['README.md', '.github/trainyard.yml'];
    app.github.filesAt = { [sha]: { '.github/trainyard.yml': 'config: a.yaml\nmax_usd: -1\n' } };
    await pushed();
    await shows('failure');
    const before = updates();
    await pushed();
    await app.until('the second look', () => updates() > before || undefined);
    expect(checks()).toMatchObject([
      { head_sha: sha, status: 'completed', output: { title: '1 problem' } },
    ]);
    expect(checks()[0]?.details_url).toMatch(/\/acme\/digits\/pull\/1\/files$/);
    app.github.filesAt = { [sha]: { '.github/trainyard.yml': 'config: a.yaml\n' } };
    await pushed();
    await shows('success');
    expect(checks()).toMatchObject([{ output: { title: 'Valid' } }]);
    app.github.filesAt = { [sha]: { 'README.md': '' } };
    await pushed();
    await shows('neutral');
    expect(checks()).toHaveLength(1);
  });
});

(programs === undefined ? it.skip : it)(
  'has every verdict on record, with what led to it',
  async () => {
    await push(head);
    await rule({ maxUsdPerMonth: 20 });
    expect(await answerTo('/train dry-run')).toMatch(isAllowed);
    expect(await answerTo('/train', 'rae')).toMatch(/write access/);
    const store = await openStore(app.settings, log);
    const events = await store.db
      .selectFrom('events')
      .select(['actor_id', 'detail'])
      .where('kind', '=', 'decision')
      .orderBy('id', 'desc')
      .limit(2)
      .execute();
    await store.close();
    expect(events).toMatchObject([
      {
        actor_id: 8,
        detail: { verdict: 'rejected', reason: 'no_permission', facts: { permission: 'read' } },
      },
      {
        actor_id: 7,
        detail: {
          verdict: 'allowed',
          tier: 'pull',
          facts: {
            permission: 'admin',
            policy: { maxUsdPerMonth: 20, permission: 'write' },
            pull: { headShaAtComment: head },
          },
        },
      },
    ]);
  },
);
