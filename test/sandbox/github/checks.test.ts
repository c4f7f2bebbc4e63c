/** Check runs with their suites, annotations and buttons; commit statuses. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { bearer, callApi } from './call-api.ts';
import { addressOf, clone } from './git-client.ts';
import { digits, pullOne, startWorld, statusOf, type Octokit, type World } from './world.ts';

let world: World;
let bot: World['installation']['rest'];
let rae: Octokit['rest'];
let wes: Octokit['rest'];
let sha: string;

beforeAll(async () => {
  world = await startWorld();
  bot = world.installation.rest;
  rae = world.as('reader').rest;
  wes = world.as('writer').rest;
  sha = (await rae.pulls.get(pullOne)).data.head.sha;
});
afterAll(() => world.close());
beforeEach(async () => {
  await events();
});

const events = (): Promise<string[]> => world.takeEvents();
/** Pushes a commit of its own as that branch and returns its SHA. */
async function pushCommit(branch: string): Promise<string> {
  const address = addressOf(world.github.web, 'acme/digits', world.github.tokens.writer);
  const { git, commit: make, remove } = await clone(address);
  try {
    const made = await make({}, branch);
    await git('push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
    return made;
  } finally {
    await remove();
  }
}
const commit = () => ({ ...digits, head_sha: sha });
const output = { title: 'Running', summary: 'epoch 7/20' };

describe('a check run', () => {
  it('goes from queued to completed, and is told when it begins and ends', async () => {
    const created = (
      await bot.checks.create({
        ...{
          ...commit(),
          name: 'train',
          external_id: 'k7q2',
          details_url: 'https://example.com/x',
        },
      })
    ).data;
    expect(created).toMatchObject({
      ...{ name: 'train', head_sha: sha, status: 'queued', conclusion: null, completed_at: null },
      ...{ external_id: 'k7q2', details_url: 'https://example.com/x', app: { slug: 'trainyard' } },
      pull_requests: [{ number: 1, head: { sha } }],
      output: { title: null, summary: null, text: null, annotations_count: 0 },
    });
    expect(await events()).toEqual(['check_run.created']);
    const run = { ...digits, check_run_id: created.id };
    const running = await bot.checks.update({ ...run, status: 'in_progress', output });
    expect(running.data).toMatchObject({ status: 'in_progress', output, external_id: 'k7q2' });
    expect(await events()).toEqual([]);
    const ended = await bot.checks.update({
      ...{ ...run, conclusion: 'success', completed_at: '2026-01-06T10:30:00.123Z' },
    });
    expect(ended.data).toMatchObject({
      ...{
        status: 'completed',
        conclusion: 'success',
        completed_at: '2026-01-06T10:30:00Z',
        output,
      },
    });
    expect(await events()).toEqual(['check_run.completed']);
    expect(world.receiver.last('check_run.completed').payload).toMatchObject({
      check_run: { id: created.id, conclusion: 'success', check_suite: { head_sha: sha } },
    });
    expect((await rae.checks.get(run)).data.conclusion).toBe('success');
    // Taken up again.
    const again = (await bot.checks.update({ ...run, status: 'in_progress' })).data;
    expect(again).toMatchObject({ status: 'in_progress', conclusion: null, completed_at: null });
  });

  it('leads to the page that the App gives, kept until another is given, or else to the App’s own', async () => {
    const { data } = await bot.checks.create({ ...commit(), name: 'without a page' });
    expect(data.details_url).toBe(world.github.web);
    const run = { ...digits, check_run_id: data.id };
    const details_url = 'https://example.com/runs/1#end';
    expect((await bot.checks.update({ ...run, details_url })).data).toMatchObject({ details_url });
    expect((await bot.checks.update({ ...run, output })).data).toMatchObject({ details_url });
    expect((await rae.checks.get(run)).data).toMatchObject({ details_url });
  });

  it.each([
    ['', 'details_url must use the http or https scheme'],
    ['javascript:alert(1)', 'details_url must use the http or https scheme'],
    ['/acme/digits/pull/1', 'details_url must use the http or https scheme'],
    ['https://', 'details_url is not a valid URL'],
  ])('does not lead to %j', async (details_url, message) => {
    const error = { resource: 'CheckRun', code: 'custom', field: 'details_url', message };
    const { data } = await bot.checks.create({ ...commit(), name: 'with a page' });
    for (const asked of [
      bot.checks.create({ ...commit(), name: 'x', details_url }),
      bot.checks.update({ ...digits, check_run_id: data.id, details_url }),
    ])
      await expect(asked).rejects.toMatchObject({
        ...{ status: 422, response: { data: { message: 'Validation Failed', errors: [error] } } },
      });
    expect(world.takeViolations()).toHaveLength(2);
  });

  it('may be made completed, and is told twice then', async () => {
    const { data } = await bot.checks.create({
      ...commit(),
      name: 'at once',
      conclusion: 'neutral',
    });
    expect(data).toMatchObject({ status: 'completed', conclusion: 'neutral' });
    expect(data.completed_at).not.toBeNull();
    expect(await events()).toEqual(['check_run.created', 'check_run.completed']);
  });

  it('is written by the App alone', async () => {
    const create = { ...commit(), name: 'mine' };
    await expect(wes.checks.create(create)).rejects.toMatchObject({
      ...{
        status: 403,
        response: { data: { message: 'You must authenticate via a GitHub App.' } },
      },
    });
    expect(await statusOf(rae.checks.create(create))).toBe(403);
    const path = '/repos/acme/digits/check-runs';
    const body = { name: 'x', head_sha: sha };
    expect((await callApi(world, { method: 'POST', path, body })).status).toBe(401);
  });

  it.each([
    { name: 'a commit that is none', head: () => '0'.repeat(40) },
    { name: 'a branch', head: () => 'main' },
    { name: 'a short SHA', head: () => sha.slice(0, 7) },
    { name: 'an option', head: () => '--all' },
  ])('is refused on $name', async ({ head }) => {
    expect(await statusOf(bot.checks.create({ ...digits, name: 'x', head_sha: head() }))).toBe(422);
    // The commit is what is wrong, not the request.
    expect(world.takeViolations()).toEqual([]);
  });

  it.each(['waiting', 'requested', 'pending'])(
    'cannot be %s, which is for GitHub Actions',
    async (status) => {
      const { data } = await bot.checks.create({ ...commit(), name: 'x' });
      // The official types know that it cannot.
      const update = { ...digits, check_run_id: data.id, status: status as 'queued' };
      expect(await statusOf(bot.checks.update(update))).toBe(422);
      expect(world.takeViolations()).toHaveLength(1);
    },
  );

  it('collects annotations, fifty at a time, and lists them by pages', async () => {
    const annotation = (line: number) => ({
      ...{ path: 'train.py', start_line: line, end_line: line },
      ...{ annotation_level: 'warning' as const, message: `line ${line}` },
    });
    const fifty = (from: number) => Array.from({ length: 50 }, (_, i) => annotation(from + i));
    const { data } = await bot.checks.create({
      ...{ ...commit(), name: 'annotated', output: { ...output, annotations: fifty(1) } },
    });
    const run = { ...digits, check_run_id: data.id };
    const more = await bot.checks.update({
      ...{ ...run, output: { summary: 'more', annotations: fifty(51) } },
    });
    expect(more.data.output).toMatchObject({
      annotations_count: 100,
      summary: 'more',
      title: 'Running',
    });
    const octokit = world.as('reader');
    const all = await octokit.paginate(octokit.rest.checks.listAnnotations, run);
    expect(all.map(({ message }) => message)).toEqual(
      Array.from({ length: 100 }, (_, i) => `line ${i + 1}`),
    );
    expect(all[0]).toMatchObject({ start_column: null, title: null, raw_details: null });
  });

  it('tells the App whose button was pressed by whom', async () => {
    const actions = [{ label: 'Cancel', description: 'Ends the run', identifier: 'cancel:k7q2' }];
    const { data } = await bot.checks.create({ ...commit(), name: 'with a button', actions });
    await events();
    world.github.pressButton(data.id, 'cancel:k7q2', 'writer');
    expect(await events()).toEqual(['check_run.requested_action']);
    expect(world.receiver.last('check_run.requested_action').payload).toMatchObject({
      requested_action: { identifier: 'cancel:k7q2' },
      check_run: { id: data.id, head_sha: sha, app: { id: 4242 } },
      sender: { login: 'wes' },
    });
    expect(() => world.github.pressButton(data.id, 'cancel:other', 'writer')).toThrow('no button');
    expect(() => world.github.pressButton(data.id, 'cancel:k7q2', 'reader')).toThrow(
      'may not write',
    );
    expect(await events()).toEqual([]);
  });

  it('is asked for again by people who may write, when it has ended', async () => {
    const { data } = await bot.checks.create({ ...commit(), name: 'again', status: 'in_progress' });
    const run = { ...digits, check_run_id: data.id };
    expect(await statusOf(wes.checks.rerequestRun(run))).toBe(422);
    await bot.checks.update({ ...run, conclusion: 'failure' });
    await events();
    expect(await statusOf(rae.checks.rerequestRun(run))).toBe(403);
    expect(await statusOf(wes.checks.rerequestRun(run))).toBe(201);
    expect(await events()).toEqual(['check_run.rerequested']);
    expect(world.receiver.last('check_run.rerequested').payload).toMatchObject({
      ...{ check_run: { id: data.id, conclusion: 'failure' }, sender: { login: 'wes' } },
    });
  });

  it('is listed by commit, name, status and App, the newest of each name or all', async () => {
    await bot.checks.create({ ...commit(), name: 'listed', conclusion: 'failure' });
    const { data: newest } = await bot.checks.create({ ...commit(), name: 'listed' });
    const list = async (query: object = {}, ref = sha) =>
      (await rae.checks.listForRef({ ...digits, ref, check_name: 'listed', ...query })).data;
    expect((await list()).check_runs.map(({ id }) => id)).toEqual([newest.id]);
    expect(await list({}, 'tune-learning-rate')).toMatchObject({ total_count: 1 });
    expect(await list({ filter: 'all' })).toMatchObject({
      ...{ total_count: 2, check_runs: [{ id: newest.id }, { conclusion: 'failure' }] },
    });
    expect(await list({ filter: 'all', status: 'completed' })).toMatchObject({ total_count: 1 });
    expect(await list({ app_id: 1 })).toMatchObject({ total_count: 0, check_runs: [] });
    expect(await list({}, 'main')).toMatchObject({ total_count: 0 });
    expect(await statusOf(rae.checks.listForRef({ ...digits, ref: 'nothing' }))).toBe(422);
  });

  it('belongs to its commit’s one suite', async () => {
    const suites = (await rae.checks.listSuitesForRef({ ...digits, ref: sha })).data;
    expect(suites).toMatchObject({
      total_count: 1,
      check_suites: [{ head_sha: sha, head_branch: 'tune-learning-rate', app: { id: 4242 } }],
    });
    const suite = { ...digits, check_suite_id: suites.check_suites[0]!.id };
    expect((await rae.checks.getSuite(suite)).data).toMatchObject({ status: 'in_progress' });
    const runs = (await rae.checks.listForSuite({ ...suite, filter: 'all' })).data;
    expect(runs.total_count).toBe(suites.check_suites[0]!.latest_check_runs_count);
    const byName = (name: string) =>
      rae.checks.listSuitesForRef({ ...digits, ref: sha, check_name: name });
    expect((await byName('listed')).data.total_count).toBe(1);
    expect((await byName('nothing')).data.total_count).toBe(0);
    // Two at once make one suite.
    const main = (await rae.repos.getBranch({ ...digits, branch: 'main' })).data.commit.sha;
    await Promise.all(
      ['a', 'b'].map((name) => bot.checks.create({ ...digits, name, head_sha: main })),
    );
    const onMain = (await rae.checks.listSuitesForRef({ ...digits, ref: 'main' })).data;
    expect(onMain).toMatchObject({ total_count: 1, check_suites: [{ status: 'queued' }] });
  });

  it.each([
    { conclusions: ['success', 'neutral'], suite: 'success' },
    { conclusions: ['success', 'failure', 'cancelled'], suite: 'cancelled' },
    { conclusions: ['skipped'], suite: 'neutral' },
  ] as const)('of $conclusions make a suite of $suite', async ({ conclusions, suite }) => {
    const head = await pushCommit(conclusions.join('-'));
    for (const conclusion of conclusions) {
      await bot.checks.create({ ...digits, head_sha: head, name: conclusion, conclusion });
    }
    const { data } = await rae.checks.listSuitesForRef({ ...digits, ref: head });
    expect(data.check_suites[0]).toMatchObject({ status: 'completed', conclusion: suite });
  });
});

describe('a commit status', () => {
  it('is set by people who may write; the newest of each context counts', async () => {
    const set = (state: 'error' | 'pending' | 'success', context?: string) =>
      wes.repos.createCommitStatus({
        ...{ ...digits, sha, state, description: state, target_url: 'https://example.com' },
        ...(context && { context }),
      });
    const combined = async () =>
      (await rae.repos.getCombinedStatusForRef({ ...digits, ref: sha })).data;
    expect(await combined()).toMatchObject({ state: 'pending', total_count: 0 });
    expect((await set('pending')).data).toMatchObject({
      ...{ context: 'default', state: 'pending', creator: { login: 'wes' } },
    });
    await set('error', 'ci');
    expect(await combined()).toMatchObject({ state: 'failure', total_count: 2 });
    await set('success', 'ci');
    expect(await combined()).toMatchObject({ state: 'pending', total_count: 2 });
    await set('success');
    expect(await combined()).toMatchObject({ state: 'success', sha, total_count: 2 });
    const all = (await rae.repos.listCommitStatusesForRef({ ...digits, ref: sha })).data;
    expect(all.map(({ state }) => state)).toEqual(['success', 'success', 'error', 'pending']);
  });

  it('is refused to others, and on what is no commit', async () => {
    const status = { ...digits, sha, state: 'success' } as const;
    expect(await statusOf(rae.repos.createCommitStatus(status))).toBe(403);
    expect(await statusOf(world.as('stranger').rest.repos.createCommitStatus(status))).toBe(403);
    const nowhere = { ...status, sha: '0'.repeat(40) };
    expect(await statusOf(wes.repos.createCommitStatus(nowhere))).toBe(422);
    const authorization = bearer(world, 'writer');
    const path = `/repos/acme/digits/statuses/${sha}`;
    const body = { state: 'success', target_url: null, description: null };
    const nulls = await callApi(world, { authorization, method: 'POST', path, body });
    expect(nulls).toMatchObject({ status: 201, data: { target_url: null, description: null } });
  });
});
