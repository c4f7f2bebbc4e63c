/** Files, trees, commits, references and archives, as the official client gets them from the real git. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callApi } from './call-api.ts';
import { addressOf, clone, type GitClient } from './git-client.ts';
import { digits, files, startWorld, statusOf, type Octokit, type World } from './world.ts';

const run = promisify(execFile);
const submodule = 'https://github.com/acme/library.git';
/** A branch and a tag that are named like commits. */
const looksLikeSha = 'a'.repeat(40);

let world: World;
let client: GitClient;
let rest: Octokit['rest'];
/** The branch `more`: a submodule, a large file, an executable, a change and a removal. */
let more: string;
let main: string;

beforeAll(async () => {
  world = await startWorld();
  rest = world.as('reader').rest;
  client = await clone(addressOf(world.github.web, 'acme/digits', world.github.tokens.writer));
  const { git, commit, directory } = client;
  main = await git('rev-parse', 'HEAD');
  await git('checkout', '--quiet', '-b', 'more');
  await writeFile(join(directory, 'large.bin'), Buffer.alloc(1024 ** 2 + 1, 1));
  await writeFile(join(directory, 'empty'), '');
  await git('rm', '--quiet', 'data/small.csv');
  await commit(
    {
      '.gitmodules': `[submodule "library"]\n\tpath = vendor/library\n\turl = ${submodule}\n`,
      'train.py': 'print(1)\n',
    },
    'Change much\n\nAnd say why.',
  );
  await git('update-index', '--add', '--cacheinfo', `160000,${'b'.repeat(40)},vendor/library`);
  await git('commit', '--quiet', '--amend', '--no-edit');
  more = await git('rev-parse', 'HEAD');
  await git('push', '--quiet', 'origin', 'more', `more:refs/heads/feature/deep/name`);
  await git('tag', '-a', 'v1', '-m', 'Version 1', main);
  await git('tag', 'light', main);
  await git('push', '--quiet', 'origin', 'v1', 'light');
  // git warns about such a branch and makes it; GitHub would not take it.
  await git('push', '--quiet', 'origin', `more:refs/heads/${main}`);
});
afterAll(async () => {
  await client.remove();
  await world.close();
});

interface File {
  readonly type: string;
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly sha: string;
  readonly content?: string;
  readonly encoding?: string;
}
async function content(path: string, ref?: string): Promise<File & Record<string, unknown>> {
  const { data } = await rest.repos.getContent({ ...digits, path, ...(ref && { ref }) });
  return data as unknown as File & Record<string, unknown>;
}
const textOf = ({ content: text = '' }: File): string => Buffer.from(text, 'base64').toString();

describe('contents', () => {
  it.each(['README.md', 'data/small.csv', 'data/umlaut ä #1.txt'])('gives %s', async (path) => {
    const file = await content(path);
    expect(file).toMatchObject({
      ...{ type: 'file', path, name: path.split('/').at(-1), encoding: 'base64' },
      size: Buffer.byteLength(files[path]!),
    });
    expect(textOf(file)).toBe(files[path]);
    // Its own address leads to it again.
    const again = await fetch(String(file['url']));
    expect(await again.json()).toMatchObject({ sha: file.sha, path });
  });

  it.each([
    { path: '', names: ['README.md', 'data', 'link-absolute', 'link-out'] },
    { path: 'data', names: ['small.csv', 'umlaut ä #1.txt'] },
    { path: 'data/', names: ['small.csv', 'umlaut ä #1.txt'] },
  ])('lists the directory "$path"', async ({ path, names }) => {
    const entries = (await content(path)) as unknown as File[];
    expect(entries.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
    expect(entries.find(({ name }) => name === 'data')?.type).toBe(path === '' ? 'dir' : undefined);
  });

  it('gives a directory as an object to those who want one', async () => {
    const { data } = await callApi(world, {
      path: '/repos/acme/digits/contents/data',
      headers: { accept: 'application/vnd.github.object+json' },
    });
    expect(data).toMatchObject({ type: 'dir', path: 'data', entries: [{ type: 'file' }, {}] });
  });

  it('answers a link to a file with the file, and other links with themselves', async () => {
    const file = await content('link-to-file');
    expect(file).toMatchObject({ type: 'file', path: 'link-to-file' });
    expect(textOf(file)).toBe(files['data/small.csv']);
    for (const [path, target] of [
      ['link-to-directory', 'data'],
      ['link-out', '../../etc/passwd'],
      ['link-absolute', '/etc/passwd'],
    ] as const) {
      expect(await content(path)).toMatchObject({ type: 'symlink', path, target });
    }
    expect(
      await statusOf(rest.repos.getContent({ ...digits, path: 'link-to-directory/small.csv' })),
    ).toBe(404);
  });

  it('calls a submodule a file in lists and a submodule by itself', async () => {
    const list = (await content('vendor', 'more')) as unknown as File[];
    expect(list).toMatchObject([{ type: 'file', path: 'vendor/library', size: 0 }]);
    expect(await content('vendor/library', 'more')).toMatchObject({
      ...{ type: 'submodule', sha: 'b'.repeat(40), submodule_git_url: submodule, git_url: null },
    });
  });

  it('leaves the content of large files to the raw media type', async () => {
    expect(await content('large.bin', 'more')).toMatchObject({
      ...{ size: 1024 ** 2 + 1, encoding: 'none', content: '' },
    });
    const raw = await fetch(`${world.github.api}/repos/acme/digits/contents/large.bin?ref=more`, {
      headers: { accept: 'application/vnd.github.raw+json' },
    });
    expect((await raw.arrayBuffer()).byteLength).toBe(1024 ** 2 + 1);
    expect(raw.headers.get('content-type')).toContain('application/vnd.github.raw');
    expect(await content('empty', 'more')).toMatchObject({ size: 0, content: '' });
  });

  it.each([
    { ref: 'more', text: 'print(1)\n' },
    { ref: 'feature/deep/name', text: 'print(1)\n' },
    { ref: 'refs/heads/more', text: 'print(1)\n' },
    { ref: 'v1', text: files['train.py'] },
    { ref: 'light', text: files['train.py'] },
    { ref: 'main', text: files['train.py'] },
  ])('is read at $ref', async ({ ref, text }) => {
    expect(textOf(await content('train.py', ref))).toBe(text);
  });

  it('is read at a commit, also when a branch has the commit’s name', async () => {
    expect(textOf(await content('train.py', main))).toBe(files['train.py']);
    expect(textOf(await content('train.py', more))).toBe('print(1)\n');
    expect(textOf(await content('train.py', more.slice(0, 8)))).toBe('print(1)\n');
  });

  it.each([
    { path: 'nothing.py' },
    { path: 'README.md/x' },
    { path: 'data/../README.md' },
    { path: '../1001.git/config' },
    { path: ':(top)README.md' },
    { path: '*.py' },
    { path: 'train.py', ref: 'nothing' },
    { path: 'train.py', ref: looksLikeSha },
    { path: 'train.py', ref: 'main~1' },
    { path: 'train.py', ref: 'main@{1}' },
    { path: 'train.py', ref: '--help' },
  ])('$path at $ref does not exist', async ({ path, ref }) => {
    expect(await statusOf(rest.repos.getContent({ ...digits, path, ...(ref && { ref }) }))).toBe(
      404,
    );
  });
});

describe('git objects', () => {
  it('trees are given with or without what is below them', async () => {
    const flat = (await rest.git.getTree({ ...digits, tree_sha: more })).data;
    expect(flat.tree.find(({ path }) => path === 'data')).toMatchObject({
      type: 'tree',
      mode: '040000',
    });
    expect(flat.tree.some(({ path }) => path.includes('/'))).toBe(false);
    const deep = (await rest.git.getTree({ ...digits, tree_sha: 'more', recursive: 'true' })).data;
    expect(deep).toMatchObject({ sha: flat.sha, truncated: false });
    const byPath = Object.fromEntries(deep.tree.map((one) => [one.path, one]));
    expect(byPath['vendor/library']).toMatchObject({ type: 'commit', mode: '160000' });
    expect(byPath['link-out']).toMatchObject({ type: 'blob', mode: '120000' });
    expect(byPath['large.bin']).toMatchObject({ type: 'blob', size: 1024 ** 2 + 1 });
    expect(byPath['data/umlaut ä #1.txt']).toBeDefined();
    expect(byPath['data/small.csv']).toBeUndefined();
  });

  it('blobs are given as base64 or as they are', async () => {
    const { sha } = await content('README.md');
    const { data } = await rest.git.getBlob({ ...digits, file_sha: sha });
    expect(data).toMatchObject({ sha, size: 9, encoding: 'base64' });
    expect(Buffer.from(data.content, 'base64').toString()).toBe(files['README.md']);
    const raw = await callApi(world, {
      path: `/repos/acme/digits/git/blobs/${sha}`,
      headers: { accept: 'application/vnd.github.raw' },
    });
    expect(raw.data).toBe(files['README.md']);
    expect(await statusOf(rest.git.getBlob({ ...digits, file_sha: main }))).toBe(404);
  });

  it('commits say who, when, what and after what', async () => {
    const { data } = await rest.git.getCommit({ ...digits, commit_sha: more });
    expect(data).toMatchObject({
      ...{ sha: more, message: 'Change much\n\nAnd say why.', parents: [{ sha: main }] },
      author: { name: 'Wes', email: 'wes@example.com' },
      verification: { verified: false, reason: 'unsigned' },
    });
    expect(data.tree.sha).toBe((await client.git('rev-parse', 'more^{tree}')).trim());
    const full = (await rest.repos.getCommit({ ...digits, ref: 'more' })).data;
    expect(full.files?.map(({ filename, status }) => `${status} ${filename}`)).toEqual([
      'added .gitmodules',
      'removed data/small.csv',
      'added empty',
      'added large.bin',
      'modified train.py',
      'added vendor/library',
    ]);
    const sha = await callApi(world, {
      path: '/repos/acme/digits/commits/more',
      headers: { accept: 'application/vnd.github.sha' },
    });
    expect(sha.data).toBe(more);
  });

  it.each(['nothing', 'a'.repeat(40), 'abcdef0', 'main~1', '--all', 'refs/heads/*'])(
    'a commit %s does not exist',
    async (ref) => expect(await statusOf(rest.repos.getCommit({ ...digits, ref }))).toBe(422),
  );

  it('commits are listed by branch, path, time, author and page', async () => {
    const list = async (query: object): Promise<string[]> =>
      (await rest.repos.listCommits({ ...digits, ...query })).data.map(({ sha }) => sha);
    expect(await list({ sha: 'more' })).toEqual([more, main]);
    expect(await list({})).toEqual([main]);
    expect(await list({ sha: 'more', path: 'README.md' })).toEqual([main]);
    expect(await list({ sha: 'more', author: 'wes@example.com' })).toEqual([more]);
    expect(await list({ sha: 'more', since: '2026-01-05T09:00:01Z' })).toEqual([more]);
    expect(await list({ sha: 'more', until: '2026-01-05T09:00:00Z' })).toEqual([main]);
    const first = await rest.repos.listCommits({ ...digits, sha: 'more', per_page: 1 });
    expect(first.headers.link).toMatch(/per_page=1&page=2>; rel="next"/);
    expect(await list({ sha: 'more', per_page: 1, page: 2 })).toEqual([main]);
  });

  it('references are found by name, with what they name', async () => {
    const { data } = await rest.git.getRef({ ...digits, ref: 'heads/feature/deep/name' });
    expect(data).toMatchObject({ object: { type: 'commit', sha: more } });
    const tags = (await rest.git.listMatchingRefs({ ...digits, ref: 'tags/' })).data;
    expect(tags.map(({ ref, object }) => [ref, object.type])).toEqual([
      ['refs/tags/light', 'commit'],
      ['refs/tags/v1', 'tag'],
    ]);
    expect(await statusOf(rest.git.getRef({ ...digits, ref: 'heads/feat' }))).toBe(404);
    const names = (await rest.repos.listBranches(digits)).data.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['main', 'more', 'feature/deep/name']));
    expect((await rest.repos.listBranches({ ...digits, protected: true })).data).toEqual([]);
    const branch = (await rest.repos.getBranch({ ...digits, branch: 'more' })).data;
    expect(branch).toMatchObject({ name: 'more', protected: false, commit: { sha: more } });
  });

  it.each([
    { basehead: 'main...more', status: 'ahead', ahead_by: 1, behind_by: 0 },
    { basehead: 'more...main', status: 'behind', ahead_by: 0, behind_by: 1 },
    { basehead: 'main...main', status: 'identical', ahead_by: 0, behind_by: 0 },
    { basehead: 'tune-learning-rate...more', status: 'diverged', ahead_by: 1, behind_by: 1 },
  ])('compare $basehead is $status', async ({ basehead, ...wanted }) => {
    const { data } = await rest.repos.compareCommitsWithBasehead({ ...digits, basehead });
    expect(data).toMatchObject({ ...wanted, merge_base_commit: { sha: main } });
    expect(data.commits).toHaveLength(wanted.ahead_by);
  });

  it.each(['main', 'main..more', '...', 'main...nothing'])(
    'compare %s is refused',
    async (basehead) => {
      const status = await statusOf(rest.repos.compareCommitsWithBasehead({ ...digits, basehead }));
      expect([404, 422]).toContain(status);
    },
  );
});

describe('archives', () => {
  it.each(['', 'more', 'feature/deep/name', 'v1'])(
    'of "%s" come from where it redirects to',
    async (ref) => {
      const url = `${world.github.api}/repos/acme/digits/tarball/${ref}`;
      const redirect = await fetch(url, { redirect: 'manual' });
      expect(redirect.status).toBe(302);
      expect(redirect.headers.get('location')).toContain('/legacy.tar.gz/');
      const { data } = await rest.repos.downloadTarballArchive({ ...digits, ref });
      const directory = await mkdtemp(join(tmpdir(), 'trainyard-tar-'));
      try {
        await writeFile(join(directory, 'x.tar.gz'), Buffer.from(data as ArrayBuffer));
        await run('tar', ['-xzf', 'x.tar.gz'], { cwd: directory });
        const isMore = ref === 'more' || ref === 'feature/deep/name';
        const top = `acme-digits-${(isMore ? more : main).slice(0, 7)}`;
        expect(await readdir(directory)).toEqual(expect.arrayContaining([top]));
        expect(await readFile(join(directory, top, 'train.py'), 'utf8')).toBe(
          isMore ? 'print(1)\n' : files['train.py'],
        );
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
  );

  it.each(['nothing', 'main~1', '--remote=x'])('of %s do not exist', async (ref) => {
    expect(await statusOf(rest.repos.downloadTarballArchive({ ...digits, ref }))).toBe(404);
  });
});
