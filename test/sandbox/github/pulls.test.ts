/** Pull requests: made from branches and forks, listed, changed, closed, opened again and merged. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { callApi } from './call-api.ts';
import { addressOf, clone, type GitClient } from './git-client.ts';
import { digits, pullOne, startWorld, statusOf, type Octokit, type World } from './world.ts';

let world: World;
let client: GitClient;
let olivia: Octokit['rest'];
let wes: Octokit['rest'];
let rae: Octokit['rest'];
let sam: Octokit['rest'];

beforeAll(async () => {
  world = await startWorld();
  client = await clone(addressOf(world.github.web, 'acme/digits', world.github.tokens.writer));
  olivia = world.as('owner').rest;
  wes = world.as('writer').rest;
  rae = world.as('reader').rest;
  sam = world.as('stranger').rest;
});
afterAll(async () => {
  await client.remove();
  await world.close();
});
beforeEach(async () => {
  await events();
});

const events = (): Promise<string[]> => world.takeEvents();

/** Pushes one commit on top of main as that branch. */
async function pushBranch(name: string): Promise<string> {
  const { git, commit } = client;
  await git('fetch', '--quiet', 'origin');
  await git('checkout', '--quiet', '-B', name, 'origin/main');
  const sha = await commit({ [`${name}.txt`]: `${name}\n` }, `Add ${name}`);
  await git('push', '--quiet', '--force', 'origin', name);
  return sha;
}

async function open(name: string) {
  const sha = await pushBranch(name);
  const created = await wes.pulls.create({ ...digits, head: name, base: 'main', title: name });
  await events();
  return { sha, ...digits, pull_number: created.data.number };
}
const where = ({
  owner,
  repo,
  pull_number,
}: {
  owner: string;
  repo: string;
  pull_number: number;
}) => ({
  ...{ owner, repo, pull_number },
});

describe('making one', () => {
  it('counts commits, files and lines from where the branch began', async () => {
    const sha = await pushBranch('counted');
    await events();
    const { data, status } = await wes.pulls.create({
      ...{
        ...digits,
        head: 'acme:counted',
        base: 'main',
        title: 'Count',
        body: 'Why',
        draft: true,
      },
    });
    expect(status).toBe(201);
    expect(data).toMatchObject({
      ...{ number: 2, state: 'open', draft: true, title: 'Count', body: 'Why', merged: false },
      ...{ commits: 1, changed_files: 1, additions: 1, deletions: 0, user: { login: 'wes' } },
      head: { sha, ref: 'counted', label: 'acme:counted' },
      base: { ref: 'main', label: 'acme:main' },
    });
    expect(await events()).toEqual(['pull_request.opened']);
    expect((await wes.pulls.listFiles({ ...digits, pull_number: 2 })).data).toMatchObject([
      { filename: 'counted.txt', status: 'added', patch: '@@ -0,0 +1 @@\n+counted' },
    ]);
    expect((await wes.pulls.listCommits({ ...digits, pull_number: 2 })).data).toMatchObject([
      { sha, commit: { message: 'Add counted' } },
    ]);
    expect((await wes.issues.get({ ...digits, issue_number: 2 })).data).toMatchObject({
      ...{ number: 2, title: 'Count', pull_request: { url: data.url } },
    });
  });

  it.each([
    { what: 'a head that is none', head: 'nothing', base: 'main', field: 'head' },
    { what: 'a base that is none', head: 'tune-learning-rate', base: 'nothing', field: 'base' },
    { what: 'the fork of somebody without one', head: 'rae:main', base: 'main', field: 'head' },
    { what: 'a head that is no name', head: '--upload-pack=x', base: 'main', field: 'head' },
    { what: 'a commit for a branch', head: 'main~0', base: 'main', field: 'head' },
  ])('is refused with $what', async ({ head, base, field }) => {
    await expect(wes.pulls.create({ ...digits, head, base, title: 'x' })).rejects.toMatchObject({
      status: 422,
      response: {
        data: { message: 'Validation Failed', errors: [{ resource: 'PullRequest', field }] },
      },
    });
  });

  it('is refused without commits, and a second time', async () => {
    const create = (head: string) =>
      wes.pulls.create({ ...digits, head, base: 'main', title: 'x' });
    await expect(create('main')).rejects.toMatchObject({
      response: { data: { errors: [{ message: 'No commits between main and main' }] } },
    });
    await expect(create('tune-learning-rate')).rejects.toMatchObject({
      response: {
        data: {
          errors: [{ message: 'A pull request already exists for acme:tune-learning-rate.' }],
        },
      },
    });
  });

  it('is refused to those who cannot push the branch', async () => {
    const create = { ...digits, head: 'tune-learning-rate', base: 'main', title: 'x' };
    expect(await statusOf(rae.pulls.create(create))).toBe(403);
    expect(await statusOf(sam.pulls.create(create))).toBe(403);
    const path = '/repos/acme/digits/pulls';
    const body = { head: 'x', base: 'main', title: 'x' };
    expect((await callApi(world, { method: 'POST', path, body })).status).toBe(401);
  });

  it('gives two that are made at once two numbers', async () => {
    await pushBranch('twin-a');
    await pushBranch('twin-b');
    const made = await Promise.all(
      ['twin-a', 'twin-b'].map((head) =>
        wes.pulls.create({ ...digits, head, base: 'main', title: head }),
      ),
    );
    expect(new Set(made.map(({ data }) => data.number)).size).toBe(2);
    for (const { data } of made) {
      const ref = await client.git('ls-remote', 'origin', `refs/pull/${data.number}/head`);
      expect(ref).toContain(data.head.sha);
    }
  });
});

describe('forks', () => {
  it('are made once, for people, with all branches or the default one', async () => {
    const first = await sam.repos.createFork(digits);
    expect(first.status).toBe(202);
    expect(first.data).toMatchObject({
      ...{ full_name: 'sam/digits', fork: true, private: false, default_branch: 'main' },
      owner: { login: 'sam', type: 'User' },
    });
    expect((await sam.repos.createFork(digits)).data.id).toBe(first.data.id);
    const full = (await sam.repos.get({ owner: 'sam', repo: 'digits' })).data;
    expect(full).toMatchObject({
      parent: { full_name: 'acme/digits' },
      permissions: { admin: true },
    });
    const fork = { owner: 'rae', repo: 'figures' };
    await rae.repos.createFork({ ...digits, name: 'figures', default_branch_only: true });
    const branches = (await rae.repos.listBranches(fork)).data.map(({ name }) => name);
    expect(branches).toEqual(['main']);
    expect((await rae.repos.get(digits)).data.forks_count).toBe(2);
    expect(await statusOf(olivia.repos.createFork({ ...digits, name: '../x' }))).toBe(422);
    expect(await statusOf(olivia.repos.createFork({ ...digits, organization: 'acme' }))).toBe(403);
    expect(
      (await callApi(world, { method: 'POST', path: '/repos/acme/digits/forks' })).status,
    ).toBe(401);
  });

  it('have pull requests by owner and branch, also under another name', async () => {
    const figures = await clone(
      addressOf(world.github.web, 'rae/figures', world.github.tokens.reader),
    );
    try {
      const sha = await figures.commit({ 'figures.txt': '1\n' });
      await figures.git('push', '--quiet', 'origin', 'HEAD:refs/heads/idea');
      await events();
      const { data } = await rae.pulls.create({
        ...{
          ...digits,
          head: 'rae:idea',
          base: 'main',
          title: 'Figures',
          head_repo: 'rae/figures',
        },
      });
      expect(data).toMatchObject({
        maintainer_can_modify: true,
        head: { sha, label: 'rae:idea', repo: { full_name: 'rae/figures', fork: true } },
        base: { repo: { full_name: 'acme/digits' } },
        author_association: 'COLLABORATOR',
      });
      expect(await events()).toEqual(['pull_request.opened']);
      const list = await rae.pulls.list({ ...digits, head: 'rae:idea' });
      expect(list.data.map(({ number }) => number)).toEqual([data.number]);
      const other = {
        ...digits,
        head: 'rae:idea',
        base: 'main',
        title: 'x',
        head_repo: 'rae/other',
      };
      expect(await statusOf(rae.pulls.create(other))).toBe(422);
    } finally {
      await figures.remove();
    }
  });
});

describe('lists', () => {
  it('are filtered, sorted and paged', async () => {
    const numbers = async (query: Parameters<typeof rae.pulls.list>[0]): Promise<number[]> =>
      (await rae.pulls.list(query)).data.map(({ number }) => number);
    const all = await numbers({ ...digits, state: 'all' });
    expect(all).toEqual(all.toSorted((a, b) => b - a));
    expect(await numbers({ ...digits, state: 'all', direction: 'asc' })).toEqual(all.toReversed());
    expect(await numbers({ ...digits, head: 'acme:tune-learning-rate' })).toEqual([1]);
    expect(await numbers({ ...digits, base: 'nothing' })).toEqual([]);
    expect(await numbers({ ...digits, state: 'closed' })).toEqual([]);
    const octokit = world.as('reader');
    const paged = await octokit.paginate(octokit.rest.pulls.list, {
      ...{ ...digits, state: 'all', per_page: 2 },
    });
    expect(paged.map(({ number }) => number)).toEqual(all);
    const { link } = (await rae.pulls.list({ ...digits, state: 'all', per_page: 2, page: 2 }))
      .headers;
    const last = Math.ceil(all.length / 2);
    const relations = [...(link ?? '').matchAll(/[?&]page=(\d+)[^>]*>; rel="(\w+)"/g)];
    expect(Object.fromEntries(relations.map(([, page, rel]) => [rel, Number(page)]))).toEqual({
      ...{ prev: 1, first: 1 },
      ...(last > 2 ? { next: 3, last } : {}),
    });
  });
});

describe('changing one', () => {
  it('tells what was before', async () => {
    const { data } = await olivia.pulls.update({ ...pullOne, title: 'Faster', body: 'Now.' });
    expect(data).toMatchObject({ title: 'Faster', body: 'Now.', state: 'open' });
    expect(await events()).toEqual(['pull_request.edited']);
    expect(world.receiver.last('pull_request.edited').payload).toMatchObject({
      changes: { title: { from: 'Try a higher learning rate' } },
    });
    // Nothing changes, and nobody is told.
    await olivia.pulls.update({ ...pullOne, title: 'Faster' });
    expect(await events()).toEqual([]);
  });

  it('is refused to those who neither wrote it nor may write', async () => {
    expect(await statusOf(rae.pulls.update({ ...pullOne, title: 'x' }))).toBe(403);
    expect(await statusOf(sam.pulls.update({ ...pullOne, state: 'closed' }))).toBe(403);
    expect(await statusOf(wes.pulls.update({ ...pullOne, base: 'nothing' }))).toBe(422);
    const path = '/repos/acme/digits/pulls/1';
    expect((await callApi(world, { method: 'PATCH', path, body: { title: 'x' } })).status).toBe(
      401,
    );
    expect(await events()).toEqual([]);
  });

  it('closes it and opens it again', async () => {
    const { sha, ...rest } = await open('closing');
    const closed = (await wes.pulls.update({ ...where(rest), state: 'closed' })).data;
    expect(closed).toMatchObject({ state: 'closed', merged: false, merged_at: null });
    expect(closed.closed_at).not.toBeNull();
    expect(await events()).toEqual(['pull_request.closed']);
    // Comments are still taken.
    const issue = { ...digits, issue_number: rest.pull_number };
    expect((await wes.issues.createComment({ ...issue, body: 'x' })).status).toBe(201);
    // A closed pull request's head stays where it is.
    await client.git('checkout', '--quiet', 'closing');
    const next = await client.commit({ 'closing.txt': '2\n' });
    await events();
    await client.git('push', '--quiet', 'origin', 'closing');
    expect(await events()).toEqual(['push']);
    expect((await wes.pulls.get(where(rest))).data.head.sha).toBe(sha);
    const opened = (await wes.pulls.update({ ...where(rest), state: 'open' })).data;
    expect(opened).toMatchObject({ state: 'open', closed_at: null, head: { sha: next } });
    expect(await events()).toEqual(['pull_request.reopened']);
  });

  it('does not open it again when its branch was rewritten or is gone', async () => {
    const rest = await open('rewritten');
    await wes.pulls.update({ ...where(rest), state: 'closed' });
    await client.git('checkout', '--quiet', '-B', 'rewritten', 'origin/main');
    await client.commit({ 'rewritten.txt': 'otherwise\n' });
    await client.git('push', '--quiet', '--force', 'origin', 'rewritten');
    const reopen = () => wes.pulls.update({ ...where(rest), state: 'open' });
    await expect(reopen()).rejects.toMatchObject({ status: 422 });
    await client.git('push', '--quiet', 'origin', ':rewritten');
    await expect(reopen()).rejects.toMatchObject({ status: 422 });
  });
});

describe('what git does to one', () => {
  it('deleting its branch closes it', async () => {
    const rest = await open('deleted');
    await client.git('push', '--quiet', 'origin', ':deleted');
    expect(await events()).toEqual(['push', 'pull_request.closed']);
    const { data } = await wes.pulls.get(where(rest));
    expect(data).toMatchObject({ state: 'closed', merged: false, head: { sha: rest.sha } });
    // Its commits are kept.
    expect((await wes.pulls.listCommits(where(rest))).data).toHaveLength(1);
  });

  it('deleting its base closes it', async () => {
    await pushBranch('some-base');
    await client.git('checkout', '--quiet', '-b', 'on-some-base');
    await client.commit({ 'y.txt': 'y\n' });
    await client.git('push', '--quiet', 'origin', 'on-some-base');
    const { data } = await wes.pulls.create({
      ...{ ...digits, head: 'on-some-base', base: 'some-base', title: 'x' },
    });
    await events();
    await client.git('push', '--quiet', 'origin', ':some-base');
    expect(await events()).toEqual(['push', 'pull_request.closed']);
    expect((await wes.pulls.get({ ...digits, pull_number: data.number })).data.state).toBe(
      'closed',
    );
  });

  it.each(['a merge commit', 'a fast-forward'])(
    'merging it with %s closes it as merged',
    async (how) => {
      const name = how.replaceAll(' ', '-');
      const rest = await open(name);
      const { git } = client;
      await git('checkout', '--quiet', '-B', 'main', 'origin/main');
      await git('merge', '--quiet', how === 'a fast-forward' ? '--ff-only' : '--no-ff', name);
      const merge = await git('rev-parse', 'HEAD');
      await git('push', '--quiet', 'origin', 'main');
      expect(await events()).toEqual(['push', 'pull_request.closed']);
      const { data } = await wes.pulls.get(where(rest));
      expect(data).toMatchObject({
        ...{ state: 'closed', merged: true, merge_commit_sha: merge, merged_by: { login: 'wes' } },
        ...{ commits: 1, changed_files: 1 },
      });
      expect(data.merged_at).toBe(data.closed_at);
      expect(world.receiver.last('pull_request.closed').payload).toMatchObject({
        pull_request: { merged: true, merge_commit_sha: merge },
      });
      await expect(wes.pulls.update({ ...where(rest), state: 'open' })).rejects.toMatchObject({
        status: 422,
      });
    },
  );

  it('moving its base without it leaves it open', async () => {
    const rest = await open('waiting');
    await client.git('checkout', '--quiet', '-B', 'main', 'origin/main');
    const base = await client.commit({ 'main.txt': 'main\n' });
    await client.git('push', '--quiet', 'origin', 'main');
    expect(await events()).toEqual(['push']);
    const { data } = await wes.pulls.get(where(rest));
    expect(data).toMatchObject({
      state: 'open',
      base: { sha: base },
      commits: 1,
      changed_files: 1,
    });
  });
});
