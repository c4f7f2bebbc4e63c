import { lstat, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ArchiveError } from '../../../sandbox/executor/archive-entry.ts';
import { unpack, type UnpackOptions } from '../../../sandbox/executor/unpack.ts';
import { archive, filesOf, streamOf, type TestEntry } from './archives.ts';

let directory: string;
let root: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'unpack-test-'));
  root = join(directory, 'root');
  await mkdir(root);
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const unpackAll = async (entries: TestEntry[], options: UnpackOptions): Promise<void> =>
  unpack(streamOf(await archive(entries)), root, options);

const escapes: [string, TestEntry[]][] = [
  ['a path that climbs', filesOf({ '../evil': 'x' })],
  ['a path that climbs in its middle', filesOf({ 'a/../../evil': 'x' })],
  ['an absolute path', filesOf({ '/evil': 'x' })],
  ['a hard link to outside', [{ name: 'l', type: 'link', linkname: '../secret', content: '' }]],
  ['a hard link to nothing', [{ name: 'l', type: 'link', linkname: 'none', content: '' }]],
];

describe.each(['source', 'layer'] as const)('unpack of a %s', (kind) => {
  it('writes files with their modes', async () => {
    await unpackAll(
      [
        { name: 'bin/' },
        { name: 'bin/run', content: '#!', mode: 0o4755 },
        ...filesOf({ 'a/b': 'c' }),
      ],
      { kind },
    );
    expect(await readFile(join(root, 'a/b'), 'utf8')).toBe('c');
    // Set-id bits are nobody's business here.
    expect((await lstat(join(root, 'bin/run'))).mode & 0o7777).toBe(0o755);
  });

  it.each(escapes)('refuses %s', async (_what, entries) => {
    await writeFile(join(directory, 'secret'), 'secret');
    await expect(unpackAll(entries, { kind })).rejects.toThrow(ArchiveError);
    expect(await readdir(directory)).toEqual(['root', 'secret']);
  });

  it.each([
    ['entries', { maxEntries: 2 }],
    ['bytes', { maxBytes: 20 }],
  ])('stops at too many %s', async (_what, limits) => {
    const entries = filesOf({ a: 'x'.repeat(10), b: 'x'.repeat(10), c: 'x'.repeat(10) });
    await expect(unpackAll(entries, { kind, ...limits })).rejects.toThrow(ArchiveError);
  });

  it('says that an archive is damaged', async () => {
    const cut = (await archive(filesOf({ a: 'x'.repeat(5_000) }))).subarray(0, 40);
    await expect(unpack(streamOf(cut), root, { kind })).rejects.toThrow(ArchiveError);
    const text = Buffer.from('this is no archive');
    await expect(unpack(streamOf(text), root, { kind })).rejects.toThrow(ArchiveError);
  });
});

describe('unpack of a source', () => {
  it.each([
    ['an absolute link', { name: 'l', type: 'symlink', linkname: '/etc', content: '' }],
    ['a link that climbs', { name: 'a/l', type: 'symlink', linkname: '../../x', content: '' }],
    ['a device', { name: 'd', type: 'character-device', content: '' }],
    ['a pipe', { name: 'd', type: 'fifo', content: '' }],
  ] satisfies [string, TestEntry][])('refuses %s', async (_what, entry) => {
    await expect(unpackAll([entry], { kind: 'source' })).rejects.toThrow(ArchiveError);
  });

  it('keeps links that stay inside', async () => {
    const link: TestEntry = { name: 'a/l', type: 'symlink', linkname: '../b', content: '' };
    await unpackAll([link, ...filesOf({ b: 'content' })], { kind: 'source' });
    expect(await readFile(join(root, 'a/l'), 'utf8')).toBe('content');
  });
});

describe('unpack of a layer', () => {
  it('follows links as the image would see them, never to the host', async () => {
    const outside = join(directory, 'outside');
    await mkdir(outside);
    await unpackAll(
      [
        { name: 'absolute', type: 'symlink', linkname: outside, content: '' },
        { name: 'climbing', type: 'symlink', linkname: '../outside', content: '' },
        ...filesOf({ 'absolute/a': '1', 'climbing/b': '2' }),
      ],
      { kind: 'layer' },
    );
    expect(await readdir(outside)).toEqual([]);
    expect(await readFile(join(root, outside, 'a'), 'utf8')).toBe('1');
    expect(await readFile(join(root, 'outside/b'), 'utf8')).toBe('2');
  });

  it('replaces a link by a file instead of writing through it', async () => {
    const victim = join(directory, 'victim');
    await writeFile(victim, 'untouched');
    await symlink(victim, join(root, 'f'));
    await unpackAll(filesOf({ f: 'new' }), { kind: 'layer' });
    expect(await readFile(victim, 'utf8')).toBe('untouched');
    expect(await readFile(join(root, 'f'), 'utf8')).toBe('new');
  });

  it('removes what whiteouts name, inside only', async () => {
    await unpackAll(filesOf({ 'd/a': '1', 'd/b': '2', 'e/x': '3', 'e/y': '4' }), { kind: 'layer' });
    await unpackAll(filesOf({ 'd/.wh.a': '', 'e/new': '5', 'e/.wh..wh..opq': '' }), {
      kind: 'layer',
    });
    expect(await readdir(join(root, 'd'))).toEqual(['b']);
    expect(await readdir(join(root, 'e'))).toEqual(['new']);
    await expect(unpackAll(filesOf({ '.wh...': '' }), { kind: 'layer' })).rejects.toThrow(
      ArchiveError,
    );
    expect(await readdir(directory)).toEqual(['root']);
  });

  it('ends a cycle of links', async () => {
    const cycle: TestEntry[] = [
      { name: 'a', type: 'symlink', linkname: 'b', content: '' },
      { name: 'b', type: 'symlink', linkname: 'a', content: '' },
    ];
    await expect(
      unpackAll([...cycle, ...filesOf({ 'a/x': '1' })], { kind: 'layer' }),
    ).rejects.toThrow(/too many links/);
  });
});
