/** git over HTTP: git's own client against the sandbox's repositories. */
import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Person } from '../../../sandbox/github/seed.ts';
import { addressOf, clone, type GitClient } from './git-client.ts';
import { requestRaw } from './raw-request.ts';
import { digits, files, startWorld, type World } from './world.ts';

const headBranch = 'tune-learning-rate';
const noSha = '0'.repeat(40);

let world: World;
/** One clone, which everybody pushes from under their own name. */
let shared: GitClient;
let clones: GitClient[] = [];

beforeAll(async () => {
  world = await startWorld();
  shared = await clone(addressOf(world.github.web, 'acme/digits', world.github.tokens.writer));
});
afterAll(async () => {
  await shared.remove();
  await world.close();
});
beforeEach(async () => {
  await events();
});
afterEach(async () => {
  await Promise.all(clones.map((one) => one.remove()));
  clones = [];
});

async function cloneAs(person: Person | undefined, ...options: string[]): Promise<GitClient> {
  const token = person && world.github.tokens[person];
  const made = await clone(addressOf(world.github.web, 'acme/digits', token), ...options);
  clones.push(made);
  return made;
}

/** git signs in only when it is asked to; with this it does so unasked. */
function signedIn(token: string): string[] {
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  return ['-c', `http.extraHeader=Authorization: Basic ${basic}`];
}

const headOfPull = (): Promise<string> => world.headOfPull();

const events = (): Promise<string[]> => world.takeEvents();

describe('cloning', () => {
  it.each<Person | undefined>([undefined, 'owner', 'writer', 'reader', 'stranger', 'bot'])(
    'gives %s the whole public repository',
    async (person) => {
      const options = person === undefined ? [] : signedIn(world.github.tokens[person]);
      const { git, directory } = await cloneAs(undefined, ...options);
      expect(await git('branch', '--remotes', '--format=%(refname:short)')).toContain(
        `origin/${headBranch}`,
      );
      expect(await readFile(join(directory, 'data/small.csv'), 'utf8')).toBe(
        files['data/small.csv'],
      );
      expect(await git('fsck', '--strict')).toBe('');
    },
  );

  it.each([
    { name: 'a shallow clone', options: ['--depth=1'] },
    { name: 'protocol version 2', options: ['-c', 'protocol.version=2'] },
    { name: 'protocol version 1', options: ['-c', 'protocol.version=1'] },
    { name: 'protocol version 0', options: ['-c', 'protocol.version=0'] },
  ])('serves $name', async ({ options }) => {
    const { git } = await cloneAs(undefined, ...options);
    expect(await git('rev-parse', 'HEAD')).toBe(
      (await world.as('reader').rest.repos.getBranch({ ...digits, branch: 'main' })).data.commit
        .sha,
    );
  });

  it('leaves out what a partial clone does not ask for, and gives it later', async () => {
    const { git, directory } = await cloneAs(undefined, '--filter=blob:none', '--no-checkout');
    expect(await git('rev-list', '--objects', '--missing=print', 'HEAD')).toMatch(
      /^\?[0-9a-f]{40}$/m,
    );
    await git('checkout', '--quiet', 'main');
    expect(await readFile(join(directory, 'data/small.csv'), 'utf8')).toBe(files['data/small.csv']);
  });

  it('speaks protocol version 2 to those who ask for it', async () => {
    const { body } = await requestRaw(world.github.web, {
      path: '/acme/digits.git/info/refs?service=git-upload-pack',
      headers: { 'git-protocol': 'version=2' },
    });
    expect(body.toString()).toContain('version 2');
    expect(body.toString()).toContain('ls-refs');
  });

  it('gives a pull request’s head and any commit by its SHA', async () => {
    const { git } = await cloneAs(undefined, '--depth=1', '--single-branch');
    const head = await headOfPull();
    await git('fetch', '--quiet', 'origin', 'refs/pull/1/head');
    expect(await git('rev-parse', 'FETCH_HEAD')).toBe(head);
    await git('fetch', '--quiet', '--depth=1', 'origin', head);
    expect(await git('rev-parse', 'FETCH_HEAD')).toBe(head);
  });

  it('takes the address without .git', async () => {
    const made = await clone(`${world.github.web}/acme/digits`);
    clones.push(made);
    expect(await made.git('rev-parse', 'HEAD')).toMatch(/^[0-9a-f]{40}$/);
  });

  it('takes an installation’s token, which may not push', async () => {
    const { data } = await world.app.rest.apps.createInstallationAccessToken({
      installation_id: 7001,
    });
    const { git, commit } = await cloneAs(undefined, ...signedIn(data.token));
    await commit({ 'by-the-app.txt': 'no\n' });
    await expect(git('push', 'origin', 'HEAD:refs/heads/by-the-app')).rejects.toThrow('403');
  });

  it('refuses a token that nobody has', async () => {
    await expect(cloneAs(undefined, ...signedIn('ghp_nobody'))).rejects.toThrow(
      'could not read Username',
    );
  });
});

describe('pushing', () => {
  it('moves the head of the pull request and fires push and synchronize', async () => {
    const before = await headOfPull();
    const { git, commit } = await cloneAs('writer');
    await git('checkout', '--quiet', headBranch);
    const sha = await commit({ 'train.py': 'print("new")\n', 'new.txt': 'new\n' }, 'Train anew');
    await git('push', '--quiet', 'origin', headBranch);

    expect(await headOfPull()).toBe(sha);
    expect(await git('ls-remote', 'origin', 'refs/pull/1/head')).toBe(`${sha}\trefs/pull/1/head`);
    expect(await events()).toEqual(['push', 'pull_request.synchronize']);
    const push = world.receiver.last('push').payload;
    expect(push).toMatchObject({
      ref: `refs/heads/${headBranch}`,
      ...{ before, after: sha, created: false, deleted: false, forced: false },
      commits: [{ id: sha, message: 'Train anew', added: ['new.txt'], modified: ['train.py'] }],
      head_commit: { id: sha },
      pusher: { name: 'wes' },
      sender: { login: 'wes' },
    });
    expect(world.receiver.last('pull_request.synchronize').payload).toMatchObject({
      ...{ number: 1, before, after: sha, sender: { login: 'wes' } },
      pull_request: { head: { sha } },
    });
  });

  it.each<{ person: Person | undefined; says: string }>([
    { person: 'reader', says: '403' },
    { person: 'stranger', says: '403' },
    { person: undefined, says: 'could not read Username' },
  ])('is refused to $person, and nothing changes', async ({ person, says }) => {
    const before = await headOfPull();
    await shared.commitOn(headBranch, { 'evil.txt': 'evil\n' });
    await expect(shared.pushAs(world, person, `HEAD:${headBranch}`)).rejects.toThrow(says);
    expect(await headOfPull()).toBe(before);
    expect(await events()).toEqual([]);
  });

  it.each<Person>(['owner', 'writer', 'bot'])('is allowed to %s', async (person) => {
    const sha = await shared.commitOn('main', { [`${person}.txt`]: 'mine\n' });
    await shared.pushAs(world, person, `HEAD:refs/heads/by-${person}`);
    const { data } = await world
      .as('reader')
      .rest.git.getRef({ ...digits, ref: `heads/by-${person}` });
    expect(data.object.sha).toBe(sha);
  });

  it('says that a forced push was one', async () => {
    const before = await headOfPull();
    const sha = await shared.commitOn('main', { 'other.txt': 'other\n' });
    const refspec = `HEAD:${headBranch}`;
    await expect(shared.pushAs(world, 'writer', refspec)).rejects.toThrow('non-fast-forward');
    expect(await events()).toEqual([]);
    await shared.pushAs(world, 'writer', '--force', refspec);
    expect(await headOfPull()).toBe(sha);
    expect(await events()).toEqual(['push', 'pull_request.synchronize']);
    expect(world.receiver.last('push').payload).toMatchObject({ before, after: sha, forced: true });
  });

  it('tells of new and deleted branches and of tags, each by itself', async () => {
    const { git } = await cloneAs('writer');
    const main = await git('rev-parse', 'HEAD');
    await git('tag', '-a', 'v1', '-m', 'Version 1');
    await git('push', '--quiet', 'origin', 'HEAD:refs/heads/short-lived', 'v1');
    expect(await events()).toEqual(['push', 'push']);
    await git('push', '--quiet', 'origin', ':short-lived');
    expect(await events()).toEqual(['push']);
    expect(world.receiver.last('push').payload).toMatchObject({
      ...{ ref: 'refs/heads/short-lived', before: main, after: noSha, deleted: true },
      ...{ commits: [], head_commit: null },
    });
    const { data } = await world.as('reader').rest.git.getRef({ ...digits, ref: 'tags/v1' });
    expect(data.object).toMatchObject({ type: 'tag', sha: await git('rev-parse', 'v1') });
    // Notes are no branch, and nobody is told.
    await git('notes', 'add', '-m', 'A note');
    await git('push', '--quiet', 'origin', 'refs/notes/commits');
    expect(await events()).toEqual([]);
  });

  it('carries out pushes that come at the same time one after the other', async () => {
    const people = ['owner', 'writer', 'bot'] as const;
    await shared.commitOn('main', { 'at-once.txt': 'at once\n' });
    await Promise.all(
      people.map((person) => shared.pushAs(world, person, `HEAD:refs/heads/at-once-${person}`)),
    );
    expect(await events()).toEqual(['push', 'push', 'push']);
    const told = world.receiver.received
      .slice(-3)
      .map(({ payload }) => [payload['ref'], (payload['sender'] as { login: string }).login]);
    // Each push is told as its own pusher's.
    expect(new Map(told as [string, string][])).toEqual(
      new Map([
        ['refs/heads/at-once-owner', 'olivia'],
        ['refs/heads/at-once-writer', 'wes'],
        ['refs/heads/at-once-bot', 'ci-bot[bot]'],
      ]),
    );
  });

  it('takes packs that are larger than git sends in one piece', async () => {
    // Nothing that could be compressed: above http.postBuffer git sends chunks without a length.
    await writeFile(join(shared.directory, 'weights.bin'), randomBytes(6 * 1024 ** 2));
    const sha = await shared.commitOn('main', {});
    await shared.pushAs(world, 'writer', 'HEAD:refs/heads/large');
    const again = await cloneAs('reader', '--branch=large');
    expect(await again.git('rev-parse', 'HEAD')).toBe(sha);
    expect((await stat(join(again.directory, 'weights.bin'))).size).toBe(6 * 1024 ** 2);
  });

  it('takes request bodies that are compressed', async () => {
    const main = await shared.git('rev-parse', 'origin/main');
    const line = `${noSha} ${main} refs/heads/by-hand\0report-status`;
    const command = (line.length + 4).toString(16).padStart(4, '0') + line;
    // An empty pack: everything that the branch needs is there.
    const pack = Buffer.from(
      '5041434b0000000200000000029d08823bd8a8eab510ad6ac75c823cfd3ed31e',
      'hex',
    );
    const body = gzipSync(Buffer.concat([Buffer.from(`${command}0000`), pack]));
    const answer = await requestRaw(world.github.web, {
      method: 'POST',
      path: '/acme/digits.git/git-receive-pack',
      headers: {
        authorization: `Basic ${Buffer.from(`x:${world.github.tokens.writer}`).toString('base64')}`,
        'content-type': 'application/x-git-receive-pack-request',
        'content-encoding': 'gzip',
      },
      body,
    });
    expect(answer.status).toBe(200);
    expect(answer.body.toString()).toContain('unpack ok');
    expect(await events()).toEqual(['push']);
  });
});

describe('forks', () => {
  it('have pull requests whose head moves with them', async () => {
    const sam = world.as('stranger').rest;
    const fork = (await sam.repos.createFork(digits)).data;
    expect(fork).toMatchObject({ full_name: 'sam/digits', fork: true });
    const url = addressOf(world.github.web, 'sam/digits', world.github.tokens.stranger);
    const made = await clone(url);
    clones.push(made);
    const first = await made.commit({ 'from-a-fork.txt': '1\n' });
    await made.git('push', '--quiet', 'origin', 'HEAD:refs/heads/idea');
    // The App is not installed at sam's.
    expect(await events()).toEqual([]);
    const pull = (
      await sam.pulls.create({ ...digits, head: 'sam:idea', base: 'main', title: 'An idea' })
    ).data;
    expect(pull.head).toMatchObject({ sha: first, label: 'sam:idea' });
    expect(await events()).toEqual(['pull_request.opened']);

    const second = await made.commit({ 'from-a-fork.txt': '2\n' });
    await made.git('push', '--quiet', 'origin', 'HEAD:refs/heads/idea');
    expect(await events()).toEqual(['pull_request.synchronize']);
    expect(world.receiver.last('pull_request.synchronize').payload).toMatchObject({
      ...{ before: first, after: second, number: pull.number },
      pull_request: { head: { repo: { full_name: 'sam/digits', fork: true } } },
    });
    const again = await sam.pulls.get({ ...digits, pull_number: pull.number });
    expect(again.data.head.sha).toBe(second);
    // Its commits are in the repository that the pull request is of.
    const { data } = await sam.git.getCommit({ ...digits, commit_sha: second });
    expect(data.parents[0]?.sha).toBe(first);
    // Others may not push to it.
    const other = await clone(addressOf(world.github.web, 'sam/digits', world.github.tokens.owner));
    clones.push(other);
    await other.commit({ 'x.txt': 'x\n' });
    await expect(other.git('push', 'origin', 'HEAD:refs/heads/idea')).rejects.toThrow('403');
  });
});
