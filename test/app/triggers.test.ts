/** From what the default branch declares to triggers, checks and answers. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AppUnderTest } from './app-under-test.ts';
import { commentCreated, pullSynchronized, repositoryOfDeliveries } from './deliveries.ts';
import { buildOf } from './fake-cloud-build.ts';
import { repositoryId, type FakeCheck, type FakeComment } from './fake-github.ts';

let app: AppUnderTest;
let sha = 0;

const tags = ['trainyard-owner-test', `trainyard-repository-${repositoryId}`];
const github = { owner: 'acme', name: 'digits' };
const onMain = { push: { branch: '^main$' } };
const declaration = (entry: Record<string, unknown> = {}): string =>
  JSON.stringify({
    config: 'config.yaml',
    triggers: [{ name: 'train', on: 'push', branch: '^main$', config: 'ci.yaml', ...entry }],
  });
const trainTrigger = { name: 'train', github: { ...github, ...onMain }, filename: 'ci.yaml', tags };

beforeAll(async () => {
  app = await AppUnderTest.prepare();
  await app.start();
});
afterAll(() => app.close());
beforeEach(() => {
  app.cloudBuild.triggers.length = 0;
  app.cloudBuild.calls.length = 0;
  app.cloudBuild.faults.length = 0;
  app.github.faults.length = 0;
  app.github.isPublic = false;
  app.github.pull.headRepositoryId = repositoryId;
});

/** A commit of the default branch with that declaration; its sha. */
async function push(text: string): Promise<string> {
  app.github.mainSha = String(++sha).padStart(40, '0');
  app.github.files['.github/trainyard.yml'] = text;
  const payload = {
    ...{ ref: 'refs/heads/main', after: app.github.mainSha, deleted: false },
    repository: { ...repositoryOfDeliveries, default_branch: 'main' },
    installation: { id: 31 },
  };
  expect(await app.deliver(payload, { event: 'push' })).toBe(202);
  return app.github.mainSha;
}

function checkAt(commit: string, name = 'trainyard/triggers'): FakeCheck | undefined {
  return app.github.checks.find((one) => one.head_sha === commit && one.name === name);
}

function checkOf(commit: string, name?: string): Promise<FakeCheck> {
  return app.until(`the check of ${commit}`, () => checkAt(commit, name));
}

const summaryOf = (check: FakeCheck): string =>
  (check as unknown as { output: { title: string; summary: string; text?: string } }).output
    .summary;
const titleOf = (check: FakeCheck): string =>
  (check as unknown as { output: { title: string } }).output.title;

async function say(text: string, login = 'olivia', stepMs = 0): Promise<string> {
  const comment: FakeComment = app.github.comment(text, login, app.world.now);
  await app.deliver(commentCreated(comment));
  return app.until(`an answer to ${text}`, () => app.answersTo(comment)[0], stepMs);
}

describe('a push to the default branch', () => {
  it('creates what is declared, marked as ours, and says so at the commit', async () => {
    const check = await checkOf(await push(declaration()));
    expect(check).toMatchObject({ status: 'completed', conclusion: 'success' });
    expect(titleOf(check)).toBe('1 created');
    expect(summaryOf(check)).toMatch(/there is no file `ci.yaml`/);
    expect(app.cloudBuild.triggers).toEqual([{ ...trainTrigger, id: expect.any(String) }]);
  });

  it('changes what was changed by hand, and shows it first', async () => {
    await checkOf(await push(declaration()));
    const [trigger] = app.cloudBuild.triggers;
    Object.assign(trigger ?? {}, { filename: 'hacked.yaml', disabled: true });
    const check = await checkOf(await push(declaration()));
    expect(titleOf(check)).toBe('1 changed');
    expect(summaryOf(check)).toMatch(
      /`filename` \| `hacked.yaml` \(changed by hand\) \| `ci.yaml`/,
    );
    expect(app.cloudBuild.calls).toContain('update disabled,filename');
    expect(app.cloudBuild.triggers).toEqual([{ ...trainTrigger, id: trigger?.id }]);
  });

  it('does nothing twice: the same declaration is no news', async () => {
    await checkOf(await push(declaration()));
    app.cloudBuild.calls.length = 0;
    const quiet = await push(`${declaration()}\n`);
    await app.until('a look', () => app.cloudBuild.calls.includes('list') || undefined);
    await say('/trigger list');
    expect(app.cloudBuild.calls.filter((call) => call !== 'list' && call !== 'builds')).toEqual([]);
    expect(checkAt(quiet)).toBeUndefined();
  });

  it('lists what is not declared, and deletes only what is named', async () => {
    app.cloudBuild.add({ name: 'old', github: { ...github, ...onMain }, filename: 'a.yaml' });
    app.cloudBuild.add({ name: 'other', github: { owner: 'else', name: 'where' } });
    const first = await checkOf(await push(declaration()));
    expect(summaryOf(first)).toMatch(/1 not declared, left alone[^]*`old`/);
    expect(summaryOf(first)).not.toContain('other');
    const deletion = {
      triggers: [
        { name: 'old', delete: true },
        { name: 'other', delete: true },
      ],
    };
    const second = await checkOf(await push(JSON.stringify(deletion)));
    expect(titleOf(second)).toBe('1 deleted');
    expect(app.cloudBuild.triggers.map(({ name }) => name)).toEqual(['other', 'train']);
  });

  it('creates anew what somebody has deleted, and knows the old one no more', async () => {
    const run = { allowed: true };
    await checkOf(await push(declaration({ run })));
    app.cloudBuild.triggers.length = 0;
    await checkOf(await push(declaration({ run })));
    await say('/trigger run train');
    expect(app.cloudBuild.runs.at(-1)?.id).toBe(app.cloudBuild.triggers[0]?.id);
  });

  it('finds what a lost answer has left behind', async () => {
    app.cloudBuild.faults.push({ operation: 'create', when: 'after' });
    const commit = await push(declaration());
    const failed = await checkOf(commit);
    expect(failed.conclusion).toBe('failure');
    const mended = await app.until(
      'the check to be mended',
      () => (failed.conclusion === 'success' ? failed : undefined),
      10_000,
    );
    expect(titleOf(mended)).toBe('Triggers are as declared');
    expect(app.cloudBuild.triggers).toHaveLength(1);
  });

  it('waits out an outage, and says so when it lasts', async () => {
    for (let look = 0; look < 3; look++) {
      app.cloudBuild.faults.push({ operation: 'list', when: 'before' });
    }
    const commit = await push(declaration());
    await app.until('the first look', () => app.cloudBuild.calls.includes('list') || undefined);
    expect(checkAt(commit)).toBeUndefined();
    const check = await app.until('the check', () => checkAt(commit), 10_000);
    expect(titleOf(check)).toBe('The triggers could not be looked at');
    await app.until('its end', () => check.conclusion === 'success' || undefined, 10_000);
    expect(titleOf(check)).toBe('1 created');
  });

  it('shows what the service says against it, as text', async () => {
    app.cloudBuild.faults.push({ operation: 'create', when: 'refused' });
    const check = await checkOf(await push(declaration()));
    expect(check.conclusion).toBe('failure');
    expect(summaryOf(check)).toMatch(/Refused.*`train`/);
    expect(summaryOf(check)).not.toMatch(/<b>|@olivia/);
  });

  it.each([
    ['an account of nobody', { service_account: 'x@y.iam.gserviceaccount.com' }, /operator/],
    ['a region of nobody', { region: 'europe-west1' }, /europe-west1/],
    ['a pattern that fits anywhere', { branch: 'main' }, /begins and ends/],
    ['a connection without the repository', { connection: 'gh' }, /connection/],
  ])('refuses %s, and changes nothing', async (_what, entry, expected) => {
    const check = await checkOf(await push(declaration(entry)));
    expect(check.conclusion).toBe('failure');
    expect(summaryOf(check)).toMatch(expected);
    expect(app.cloudBuild.triggers).toEqual([]);
  });

  it('refuses pull requests of a public repository that nobody has to let in', async () => {
    app.github.isPublic = true;
    const open = { on: 'pull_request', comment_control: 'COMMENTS_DISABLED' };
    const check = await checkOf(await push(declaration(open)));
    expect(summaryOf(check)).toMatch(/comment_control/);
    expect(app.cloudBuild.triggers).toEqual([]);
  });
});

describe('a pull request that changes the declaration', () => {
  async function synchronize(text: string): Promise<string> {
    const commit = `e${String(++sha).padStart(39, '0')}`;
    app.github.filesAt[commit] = { '.github/trainyard.yml': text };
    const at = app.world.now.toISOString().replace(/\.\d+/, '');
    const payload = {
      ...{ action: 'synchronize', number: 1, installation: { id: 31 } },
      repository: { ...repositoryOfDeliveries, default_branch: 'main' },
      pull_request: {
        head: { sha: commit, repo: { id: app.github.pull.headRepositoryId } },
        base: { ref: 'main' },
        ...{ created_at: at, updated_at: at },
      },
    };
    expect(await app.deliver(payload, { event: 'pull_request' })).toBe(202);
    return commit;
  }

  it('gets a check that shows the plan, and nothing is done', async () => {
    await checkOf(await push(declaration()));
    app.cloudBuild.calls.length = 0;
    const check = await checkOf(await synchronize(declaration({ branch: '^release$' })));
    expect(check.conclusion).toBe('success');
    expect(titleOf(check)).toBe('1 to change');
    expect(summaryOf(check)).toMatch(/`github.push.branch` \| `\^main\$` \| `\^release\$`/);
    expect(app.cloudBuild.calls.filter((call) => call !== 'list' && call !== 'builds')).toEqual([]);
  });

  it('gets one that fails when it is written wrong', async () => {
    const check = await checkOf(await synchronize(declaration({ brnach: 'x' })));
    expect(check.conclusion).toBe('failure');
    expect(summaryOf(check)).toMatch(/trainyard.yml:1:\d+.*`branch`/);
  });

  it('of a fork is told of the declaration alone', async () => {
    app.github.pull.headRepositoryId = 5005;
    app.cloudBuild.add({ name: 'private', github: { ...github, ...onMain } });
    app.cloudBuild.calls.length = 0;
    const check = await checkOf(await synchronize(declaration({ name: 'mine' })));
    expect(titleOf(check)).toBe('The triggers are well declared');
    expect(summaryOf(check)).not.toContain('private');
    expect(app.cloudBuild.calls).not.toContain('list');
  });
});

describe('/trigger', () => {
  beforeEach(async () => {
    app.github.permissions['maya'] = { id: 9, permission: 'maintain' };
    app.github.permissions['will'] = { id: 10, permission: 'write' };
    const run = { allowed: true, substitutions: ['_EPOCHS'] };
    await checkOf(await push(declaration({ run })));
    app.cloudBuild.runs.length = 0;
  });

  it('list says what there is and what may be run', async () => {
    expect(await say('/trigger list', 'will')).toMatch(
      /`train` \| push to `\^main\$` \| `ci.yaml` \| ready \| `\/trigger run train`/,
    );
  });

  it('show says what Cloud Build has', async () => {
    expect(await say('/trigger show train', 'will')).toMatch(/`filename` \| `ci.yaml`/);
    expect(await say('/trigger show trian', 'will')).toMatch(/`train`/);
  });

  it.each([
    ['/trigger run train', 'maya', { branchName: 'main' }],
    [
      '/trigger run train main _EPOCHS=3',
      'maya',
      { branchName: 'main', substitutions: { _EPOCHS: '3' } },
    ],
  ])('%s starts a build', async (text, login, source) => {
    expect(await say(text, login)).toMatch(/\*\*Started\*\* `train` as build `build-1`/);
    expect(app.cloudBuild.runs).toEqual([{ id: app.cloudBuild.triggers[0]?.id, source }]);
  });

  it.each([
    ['/trigger run train', 'will', /maintain/],
    ['/trigger run train', 'rae', /write access/],
    ['/trigger run train _DEPLOY=1', 'maya', /does not let `_DEPLOY`/],
    ['/trigger run train head', 'maya', /default branch only/],
    ['/trigger run train evil-branch', 'maya', /not run on/],
    ['/trigger run other', 'maya', /No trigger `other`/],
    ['/trigger apply', 'will', /maintain/],
  ])('%s of %s is refused', async (text, login, expected) => {
    expect(await say(text, login)).toMatch(expected);
    expect(app.cloudBuild.runs).toEqual([]);
  });

  it('run builds what a bot wrote only when somebody names the commit', async () => {
    // What may be run is not Cloud Build's to know: there is nothing to apply, and no check.
    await push(declaration({ run: { allowed: true, head: true } }));
    const { head } = app.github.pull;
    const receipt = pullSynchronized(new Date(app.world.now.getTime() - 60_000), head);
    const sender = { id: 301, login: 'bot301[bot]', type: 'Bot' };
    await app.deliver({ ...receipt, sender }, { event: 'pull_request' });
    expect(await say(`/trigger run train ${head}`, 'maya')).toMatch(/not run here/);
    const settings = app.repositories.get(repositoryId);
    if (settings === undefined) throw new Error('the repository is served');
    app.repositories.set(repositoryId, { ...settings, policy: { forks: 'approved' } });
    await app.restart();
    expect(await say('/trigger run train head', 'maya')).toMatch(/names the commit/);
    expect(app.cloudBuild.runs).toEqual([]);
    expect(await say(`/trigger run train ${head}`, 'maya')).toMatch(/\*\*Started\*\*/);
    expect(app.cloudBuild.runs).toMatchObject([{ source: { commitSha: head } }]);
    app.repositories.set(repositoryId, settings);
    await app.restart();
  });

  it.each([
    ['who may not start runs', { users: [1] }, /Only the people whom the policy/],
    ['who has too little', { permission: 'admin' }, /people with admin access/],
    ['who may', { users: [9] }, /\*\*Started\*\*/],
  ])('run asks of somebody what a run asks: %s', async (_what, who, expected) => {
    const declared = JSON.parse(declaration({ run: { allowed: true } })) as object;
    const looks = (): number =>
      app.github.requests.filter((route) => route.endsWith('/branches/main')).length;
    const before = looks();
    await push(JSON.stringify({ ...declared, who }));
    await app.until('the look', () => (looks() > before ? true : undefined));
    expect(await say('/trigger run train', 'maya')).toMatch(expected);
    // The next push is of another instant, so that it is seen while this one is looked at.
    app.world.now = new Date(app.world.now.getTime() + 1_000);
  });

  it.each([
    [{ id: 666, archived: false }, /another repository now/],
    [{ id: repositoryId, archived: true }, /archived/],
  ])('run does nothing for %j', async (repository, expected) => {
    const before = app.github.repository;
    app.github.repository = repository;
    try {
      expect(await say('/trigger run train', 'maya')).toMatch(expected);
      expect(app.cloudBuild.runs).toEqual([]);
    } finally {
      app.github.repository = before;
    }
  });

  it('run starts one build although the answer was lost', async () => {
    app.cloudBuild.builds.length = 0;
    app.cloudBuild.faults.push({ operation: 'run', when: 'after' });
    expect(await say('/trigger run train', 'maya', 1_000)).toMatch(/\*\*Started\*\*/);
    expect(app.cloudBuild.runs).toHaveLength(1);
  });

  it('apply dry-run shows what apply then does', async () => {
    Object.assign(app.cloudBuild.triggers[0] ?? {}, { disabled: true });
    expect(await say('/trigger apply dry-run', 'will')).toMatch(/1 to change[^]*`disabled`/);
    expect(app.cloudBuild.triggers[0]?.disabled).toBe(true);
    expect(await say('/trigger apply', 'maya')).toMatch(/1 changed/);
    expect(app.cloudBuild.triggers[0]?.disabled).toBeUndefined();
  });
});

describe('where the App is not any more, and nobody told it', () => {
  const ours = { id: 31, suspended_at: null };
  beforeEach(async () => {
    app.github.permissions['maya'] = { id: 9, permission: 'maintain' };
    await checkOf(await push(declaration()));
  });
  afterEach(() => {
    app.github.installation = ours;
    app.github.repository = { id: repositoryId, archived: false };
    app.world.now = new Date(app.world.now.getTime() + 1_000);
  });

  /** The answer, once nobody else looks at them. */
  async function applied(): Promise<string> {
    for (;;) {
      const answer = await say('/trigger apply', 'maya');
      if (!answer.includes('being applied just now')) return answer;
    }
  }

  it.each<[string, () => void]>([
    ['removed', () => (app.github.installation = undefined)],
    ['suspended', () => (app.github.installation = { ...ours, suspended_at: '2026-01-02' })],
    ['somebody else’s', () => (app.github.installation = { ...ours, id: 77 })],
    ['another repository', () => (app.github.repository = { id: 4_711, archived: false })],
  ])('triggers are left as they are: %s', async (_what, lose) => {
    lose();
    app.cloudBuild.triggers.length = 0;
    app.cloudBuild.calls.length = 0;
    expect(await applied()).toMatch(/declares no triggers/);
    expect(app.cloudBuild.calls.filter((call) => call !== 'builds')).toEqual([]);
    app.github.installation = ours;
    app.github.repository = { id: repositoryId, archived: false };
    await applied();
    expect(app.cloudBuild.triggers).toHaveLength(1);
  });
});

describe('a build that a trigger started', () => {
  const commit = 'c'.repeat(40);

  beforeEach(async () => {
    app.cloudBuild.builds.length = 0;
    app.github.checks.length = 0;
    await checkOf(await push(declaration()));
  });

  it('is shown by one check on its commit, with what failed and the end of the log', async () => {
    const triggerId = app.cloudBuild.triggers[0]?.id ?? '';
    const id = `b-${sha}`;
    const createTime = app.world.now.toISOString();
    const build = buildOf({ id, triggerId, createTime, startTime: createTime });
    app.cloudBuild.builds.push(build);
    const check = await checkOf(commit, 'trainyard/build train');
    expect(check).toMatchObject({ status: 'in_progress', external_id: id });
    expect(check.details_url).toMatch(new RegExp(`/acme/digits/commit/${commit}$`));
    app.cloudBuild.logs[id] = 'one\n/gcbrun\n``` @olivia\n';
    app.cloudBuild.builds[0] = {
      ...build,
      ...{ status: 'failure', failedStep: 'test', logsBucket: 'gs://logs' },
    };
    await app.until('its end', () => check.conclusion, 1_000);
    expect(check.conclusion).toBe('failure');
    expect(titleOf(check)).toBe('Failed: test');
    const { text } = (check as unknown as { output: { text: string } }).output;
    expect(text).toContain('│ one');
    expect(text).not.toMatch(/^\/gcbrun|@olivia/m);
    expect(app.github.checks.filter(({ external_id }) => external_id === id)).toHaveLength(1);
  });

  it('names its images by digest', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    app.cloudBuild.builds.push(
      buildOf({
        ...{ id: `b-${sha}`, triggerId: app.cloudBuild.triggers[0]?.id ?? '', status: 'success' },
        images: [{ name: 'us-docker.pkg.dev/p/r/train:v1', digest }],
      }),
    );
    const check = await checkOf(commit, 'trainyard/build train');
    expect(check.conclusion).toBe('success');
    expect(summaryOf(check)).toContain(`\`us-docker.pkg.dev/p/r/train@${digest}\``);
  });

  it('of a trigger that is not ours is nobody’s business', async () => {
    app.cloudBuild.builds.push(buildOf({ id: 'foreign', triggerId: 'somebody-else' }));
    app.cloudBuild.calls.length = 0;
    await app.until('a look', () => app.cloudBuild.calls.includes('builds') || undefined);
    expect(app.github.checks.map(({ external_id }) => external_id)).not.toContain('foreign');
  });
});
