/** Source that comes as a zip archive: unpacked as a tar.gz is, and held to the same rules. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { unpackSource } from '../../../sandbox/executor/unpack.ts';
import { zip, type ZipEntry } from './archives.ts';

let directory: string;
let root: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zip-test-'));
  root = join(directory, 'root');
  await mkdir(root);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function unpack(bytes: Buffer): Promise<void> {
  const path = join(directory, 'source');
  await writeFile(path, bytes);
  await unpackSource(path, root, new AbortController().signal);
}
const file = (name: string, content = 'x', more: Partial<ZipEntry> = {}): ZipEntry => {
  return { name, content, ...more };
};

describe('a zip archive', () => {
  it('gives its files, packed or not, with modes and links', async () => {
    await unpack(
      zip(
        [
          file('empty/', '', { isStored: true }),
          file('a/b.txt', 'packed '.repeat(50_000)),
          file('a/stored', 'é', { isStored: true }),
          file('run', '#!/bin/sh', { mode: 0o100755 }),
          file('link', 'a/stored', { mode: 0o120777 }),
          file('nothing', ''),
        ],
        'a comment PK\x05\x06 with a mark in it',
      ),
    );
    expect((await readdir(root)).sort()).toEqual(['a', 'empty', 'link', 'nothing', 'run']);
    expect(await readFile(join(root, 'a/b.txt'), 'utf8')).toBe('packed '.repeat(50_000));
    expect(await readlink(join(root, 'link'))).toBe('a/stored');
    expect(await readFile(join(root, 'link'), 'utf8')).toBe('é');
    expect(await readFile(join(root, 'nothing'), 'utf8')).toBe('');
    expect((await stat(join(root, 'run'))).mode & 0o777).toBe(0o755);
    expect((await stat(join(root, 'a/b.txt'))).mode & 0o777).toBe(0o644);
  });

  it('is read as Python writes it', async () => {
    const script =
      'import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:\n  for n in range(300): z.writestr(f"d{n % 7}/{n}.txt", str(n) * n)';
    const path = join(directory, 'python.zip');
    const { status, error } = spawnSync('python3', ['-c', script, path]);
    if (error !== undefined) return console.warn('skipped: no python3 on this machine');
    expect(status).toBe(0);
    await unpackSource(path, root, new AbortController().signal);
    expect(await readFile(join(root, 'd4/200.txt'), 'utf8')).toBe('200'.repeat(200));
  });

  const whole = zip([file('a', 'content '.repeat(100))]);
  const zip64 = zip([file('a')]);
  zip64.writeUInt16LE(0xffff, zip64.length - 12);
  it.each([
    ['a path that climbs', zip([file('../evil')]), 'leaves the archive'],
    ['an absolute path', zip([file('/evil')]), 'leaves the archive'],
    ['a link to outside', zip([file('l', '/etc', { mode: 0o120777 })]), 'leaves the archive'],
    ['a file below a link', zip([file('l', 'd', { mode: 0o120777 }), file('l/../../x')]), 'leaves'],
    ['a link without end', zip([file('l', 'x'.repeat(5_000), { mode: 0o120777 })]), '5000 bytes'],
    [
      'more than it says',
      zip([file('bomb', 'x'.repeat(10 ** 7), { claims: { size: 10 } })]),
      'bomb',
    ],
    ['less than it says', zip([file('short', 'x', { claims: { size: 10 } })]), 'short'],
    [
      'more than may be',
      zip([
        file('a', 'x', { claims: { size: 2 ** 32 - 2 } }),
        file('b', 'x', { claims: { size: 99 } }),
      ]),
      'damaged',
    ],
    ['another checksum', zip([file('sum', 'x', { claims: { crc: 1 } })]), 'sum'],
    ['a password', zip([file('a', 'x', { claims: { flags: 1 } })]), 'encrypted'],
    ['no end', whole.subarray(0, -5), 'its end'],
    ['no beginning', Buffer.concat([Buffer.from('PK'), whole.subarray(100)]), 'damaged'],
    ['only a mark', Buffer.from('PK'), 'its end'],
    ['too many entries', zip64, 'zip64'],
  ])('with %s is refused', async (_name, bytes, message) => {
    await expect(unpack(bytes)).rejects.toThrow(message);
    await expect(unpack(bytes)).rejects.toMatchObject({ name: 'ArchiveError' });
    expect(await readdir(directory)).not.toContain('evil');
  });
});
