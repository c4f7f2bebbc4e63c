/** git over HTTP with clients that mean harm, or go away. */
import { chmod, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { addressOf, clone, type GitClient } from './git-client.ts';
import { gitHasEnded } from './git-processes.ts';
import { requestRaw } from './raw-request.ts';
import { startWorld, type World } from './world.ts';

let world: World;
let shared: GitClient;

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

const headOfPull = (): Promise<string> => world.headOfPull();

const events = (): Promise<string[]> => world.takeEvents();

describe('hostile clients', () => {
  it.each([
    { ref: 'refs/pull/1/head', says: /hidden ref/ },
    { ref: 'refs/pull/99/head', says: /hidden ref/ },
    { ref: 'refs/heads/../../../escape', says: /invalid refspec|funny refname|not a valid/i },
    { ref: 'refs/heads/x.lock', says: /invalid refspec|funny refname|not a valid/i },
  ])('cannot push to $ref', async ({ ref, says }) => {
    const before = await headOfPull();
    await shared.commitOn('main', { 'x.txt': 'x\n' });
    await expect(shared.pushAs(world, 'writer', `HEAD:${ref}`)).rejects.toThrow(says);
    expect(await headOfPull()).toBe(before);
    expect(await events()).toEqual([]);
  });

  it('cannot delete the default branch', async () => {
    await expect(shared.pushAs(world, 'owner', ':main')).rejects.toThrow('remote rejected');
  });

  it('cannot push objects that git itself would not make', async () => {
    const { git, directory } = shared;
    const blob = await git('hash-object', '-w', 'README.md');
    // A tree entry named `.git`, which would be written over the configuration of whoever checks it out.
    const entry = Buffer.concat([Buffer.from('100644 .git\0'), Buffer.from(blob, 'hex')]);
    await writeFile(join(directory, '../entry'), entry);
    const tree = await git('hash-object', '-t', 'tree', '-w', '--literally', '../entry');
    const commit = await git('commit-tree', tree, '-m', 'Evil');
    await expect(git('push', 'origin', `${commit}:refs/heads/evil`)).rejects.toThrow(/hasDotgit/i);
  });

  it('run no hooks, neither ones that lie in the repository nor ones that are configured', async () => {
    const repository = join(world.dataDir, 'git', '1001.git');
    const proof = join(world.dataDir, 'hook-ran');
    for (const name of [
      'pre-receive',
      'update',
      'post-receive',
      'post-update',
      'reference-transaction',
    ]) {
      const hook = join(repository, 'hooks', name);
      await writeFile(hook, `#!/bin/sh\ntouch '${proof}'\n`);
      await chmod(hook, 0o755);
    }
    await shared.commitOn('main', { 'hooked.txt': 'x\n' });
    await shared.pushAs(world, 'writer', 'HEAD:refs/heads/hooked');
    await expect(stat(proof)).rejects.toThrow('ENOENT');
    await rm(join(repository, 'hooks'), { recursive: true });
  });

  it.each([
    { path: '/acme/digits.git/info/refs', status: 403 },
    { path: '/acme/digits.git/info/refs?service=git-evil', status: 403 },
    {
      path: '/acme/digits.git/info/refs?service=git-upload-pack&service=git-receive-pack',
      status: 403,
    },
    { path: '/acme/digits.git/HEAD', status: 404 },
    { path: '/acme/digits.git/config', status: 404 },
    { path: '/acme/digits.git/objects/info/packs', status: 404 },
    { path: '/acme/../../state.json', status: 404 },
    { path: '/acme/..%2f..%2fstate.json/info/refs?service=git-upload-pack', status: 404 },
    { path: '/../1001.git/info/refs?service=git-upload-pack', status: 404 },
    { path: '/git/1001.git/info/refs?service=git-upload-pack', status: 401 },
    { path: '/acme/.git/info/refs?service=git-upload-pack', status: 401 },
    { path: '/acme/...git/info/refs?service=git-upload-pack', status: 404 },
    { path: '/acme/digits.git/info/refs?service=git-receive-pack', status: 401 },
    { path: '/acme/nothing.git/info/refs?service=git-upload-pack', status: 401 },
    { path: '/_codeload/acme/digits/legacy.tar.gz/--output=x', status: 404 },
    { path: `/_codeload/acme/digits/legacy.tar.gz/${'0'.repeat(40)}`, status: 404 },
    { path: '/_codeload/acme/..%2f/legacy.tar.gz/main', status: 404 },
    { path: '//', status: 400 },
    { path: '//evil.example/acme/digits.git/info/refs?service=git-upload-pack', status: 400 },
    { path: 'http://evil.example/acme/digits.git/info/refs', status: 400 },
  ])('get $status for $path', async ({ path, status }) => {
    expect((await requestRaw(world.github.web, { path })).status).toBe(status);
  });

  it.each([
    { name: 'a form of another page', contentType: 'text/plain', status: 415 },
    {
      name: 'the other service’s type',
      contentType: 'application/x-git-upload-pack-request',
      status: 415,
    },
  ])('cannot push with $name', async ({ contentType, status }) => {
    const answer = await requestRaw(world.github.web, {
      method: 'POST',
      path: '/acme/digits.git/git-receive-pack',
      headers: {
        authorization: `Bearer ${world.github.tokens.owner}`,
        'content-type': contentType,
      },
      body: Buffer.from('0000'),
    });
    expect(answer.status).toBe(status);
  });

  it('may go away in the middle of a push, and the next one is served', async () => {
    await requestRaw(world.github.web, {
      method: 'POST',
      path: '/acme/digits.git/git-receive-pack',
      headers: {
        authorization: `Bearer ${world.github.tokens.owner}`,
        'content-type': 'application/x-git-receive-pack-request',
        'content-length': '1000',
      },
      body: Buffer.from('00'),
      hangUp: true,
    });
    await gitHasEnded(world.dataDir);
    const sha = await shared.commitOn('main', { 'after.txt': 'x\n' });
    await shared.pushAs(world, 'writer', 'HEAD:refs/heads/after-all');
    expect(await events()).toEqual(['push']);
    expect(world.receiver.last('push').payload['after']).toBe(sha);
  });
});
