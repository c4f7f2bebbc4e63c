import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import type { Octokit } from '../../../shared/github/client.ts';
import { commitSource } from '../../../shared/github/source.ts';

const repository = { owner: 'acme', repo: 'digits' };
const sha = 'a'.repeat(40);

interface Entry {
  readonly path: string;
  readonly content?: string;
  readonly mode?: string;
  readonly link?: string;
  /** What the archive holds, where it differs from the commit; null leaves it out. */
  readonly archived?: string | null;
}

function blob(content: string): string {
  return createHash('sha1')
    .update(`blob ${Buffer.byteLength(content)}\0${content}`)
    .digest('hex');
}

function githubWith(entries: readonly Entry[], extra: readonly Partial<Header>[] = []): Octokit {
  return {
    request: async (route) => {
      if (route.includes('/git/trees/')) {
        const tree = entries.map(({ path, content, link, mode }) => ({
          path,
          type: 'blob',
          mode: mode ?? (link === undefined ? '100644' : '120000'),
          sha: blob(link ?? content ?? ''),
        }));
        return { status: 200, data: { truncated: false, tree } };
      }
      const tar = pack();
      for (const { path, content = '', link, archived } of entries) {
        const name = `acme-digits-aaaaaaa/${path}`;
        if (archived === null) continue;
        if (link === undefined) tar.entry({ name }, archived ?? content);
        else tar.entry({ name, type: 'symlink', linkname: link });
      }
      for (const header of extra) tar.entry({ name: 'acme-digits-aaaaaaa/x', ...header }, '');
      tar.finalize();
      const chunks: Buffer[] = [];
      for await (const chunk of tar) chunks.push(chunk as Buffer);
      const data = new Blob([new Uint8Array(gzipSync(Buffer.concat(chunks)))]).stream();
      return { status: 200, data };
    },
  };
}

async function read(octokit: Octokit, limits?: { files: number; bytes: number }) {
  const { source, dispose } = await commitSource(octokit, repository, sha, limits);
  const files: Record<string, string> = {};
  for await (const file of source.files()) {
    files[file.path + (file.executable ? '*' : '')] = await text(file.open());
  }
  await dispose();
  return files;
}

describe('commitSource', () => {
  it('gives the files of the commit', async () => {
    const files = await read(
      githubWith([
        { path: 'train.py', content: 'print(1)\n' },
        { path: 'run.sh', content: '#!/bin/sh\n', mode: '100755' },
        { path: 'src/empty', content: '' },
        { path: 'src/link.py', link: '../train.py' },
      ]),
    );
    expect(files).toEqual({
      'train.py': 'print(1)\n',
      'run.sh*': '#!/bin/sh\n',
      'src/empty': '',
      'src/link.py': 'print(1)\n',
    });
  });

  it('ignores what the archive holds beyond the commit', async () => {
    const octokit = githubWith(
      [{ path: 'a', content: 'a' }],
      [
        { name: '../../evil', type: 'file' },
        { type: 'character-device' },
        { name: 'x/d', type: 'directory' },
      ],
    );
    expect(await read(octokit)).toEqual({ a: 'a' });
  });

  it.each<{ name: string; entries: Entry[]; message: RegExp }>([
    {
      name: 'export-subst',
      entries: [{ path: 'a', content: '$Format:%H$', archived: 'changed' }],
      message: /differs from the commit at `a`/,
    },
    {
      name: 'export-ignore',
      entries: [{ path: 'a', content: 'a', archived: null }],
      message: /differs from the commit at `a`/,
    },
    {
      name: 'a link out',
      entries: [{ path: 'a', link: '../../etc/passwd' }],
      message: /is a link/,
    },
    {
      name: 'an absolute link',
      entries: [{ path: 'a', link: '/etc/passwd' }],
      message: /is a link/,
    },
    { name: 'a link to itself', entries: [{ path: 'a', link: 'a' }], message: /is a link/ },
    { name: 'a path with ..', entries: [{ path: '../a', content: 'a' }], message: /is a link/ },
  ])('refuses $name', async ({ entries, message }) => {
    await expect(read(githubWith(entries))).rejects.toThrow(message);
  });

  it.each([
    { name: 'files', limits: { files: 1, bytes: 1_000 } },
    { name: 'bytes', limits: { files: 10, bytes: 3 } },
  ])('has a limit of $name', async ({ limits }) => {
    const octokit = githubWith([
      { path: 'a', content: 'aa' },
      { path: 'b', content: 'bb' },
    ]);
    await expect(read(octokit, limits)).rejects.toThrow(/more than/);
  });
});
