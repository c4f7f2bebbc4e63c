/** Build contexts: the same files give the same archive, ignore files are obeyed, links do not lead out. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { packContext, readContext } from '../../../shared/source/build-context.ts';
import type { SourceFile } from '../../../shared/ports.ts';
import { workingTree } from '../../../shared/source/working-tree.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'trainyard-test-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

async function paths(): Promise<string[]> {
  const found: string[] = [];
  for await (const { path } of workingTree(root).files()) found.push(path);
  return found.sort();
}

describe('workingTree', () => {
  it('leaves out what .gitignore names, and .git', async () => {
    await write({
      'a.py': '',
      'b.log': '',
      '.git/config': '',
      'data/x.csv': '',
      '.gitignore': '*.log\ndata/\n',
    });
    expect(await paths()).toEqual(['a.py']);
  });

  it('prefers .gcloudignore, with includes', async () => {
    await write({
      'a.py': '',
      'b.log': '',
      'c.tmp': '',
      '.gitignore': '*.log\n',
      '.gcloudignore': '#!include:.gitignore\n*.tmp\n.gitignore\n.gcloudignore\n',
    });
    expect(await paths()).toEqual(['a.py']);
  });

  it('never packs what other steps leave there with tokens in it', async () => {
    await write({
      'a.py': '',
      'gha-creds-12ab.json': '{}',
      'sub/gha-creds-12ab.json': '{}',
      'sub/.git/config': '',
      '.gcloudignore': '.gcloudignore\n!.git\n!gha-creds-*.json\n',
    });
    expect(await paths()).toEqual(['a.py']);
  });

  it.each(['.git/config', 'gha-creds-12ab.json'])('refuses a link to %s', async (target) => {
    await write({ [target]: 'token' });
    await symlink(target, join(root, 'notes.txt'));
    await expect(paths()).rejects.toMatchObject({ name: 'UserError', reason: 'bad_config' });
  });

  it('packs a link inside the context as the file it names', async () => {
    await write({ 'a/real.txt': 'hello' });
    await symlink('a/real.txt', join(root, 'link.txt'));
    expect(await paths()).toEqual(['a/real.txt', 'link.txt']);
  });

  it.each(['/etc/passwd', '../outside', 'missing'])('refuses a link to %s', async (target) => {
    await symlink(target, join(root, 'link'));
    await expect(paths()).rejects.toMatchObject({ name: 'UserError', reason: 'bad_config' });
  });

  it('refuses a name that is no UTF-8, and says which', async () => {
    await writeFile(Buffer.from(`${root}/bad\xff`, 'latin1'), '');
    await expect(paths()).rejects.toMatchObject({
      name: 'UserError',
      message: '`bad\ufffd` in the build context cannot be read.',
    });
  });

  it.each(['.gcloudignore', '.gitignore'])('refuses a directory for a %s', async (name) => {
    await write({ [`${name}/x`]: '' });
    await expect(paths()).rejects.toMatchObject({ name: 'UserError', reason: 'bad_config' });
  });

  it('packs names that are long, odd or alike, and no pipes', async () => {
    const names = [
      'a\nb',
      'x'.repeat(255),
      'A',
      'a',
      '-rf',
      ' x ',
      'a\\b',
      'e\u0301',
      '\u00e9',
      '...',
    ];
    await write(Object.fromEntries(names.map((name) => [name, name])));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    expect(await paths()).toEqual([...names].sort());
  });

  it('says so when the directory does not exist', async () => {
    root = join(root, 'nowhere');
    await expect(paths()).rejects.toMatchObject({ name: 'UserError', reason: 'bad_config' });
  });
});

function hashOf(archive: Buffer): string {
  return createHash('sha256').update(gunzipSync(archive)).digest('hex');
}

describe('a build context', () => {
  async function pack(): Promise<{ hash: string; archive: Buffer }> {
    const context = await readContext(workingTree(root));
    return { hash: context.contentHash, archive: await buffer(packContext(context)) };
  }

  it('does not depend on times or order of creation', async () => {
    await write({ 'b.txt': 'b', 'a/c.txt': 'c' });
    const first = await pack();
    await utimes(join(root, 'b.txt'), 1, 1);
    const second = await pack();
    expect(second.hash).toBe(first.hash);
    expect(second.archive.equals(first.archive)).toBe(true);
  });

  it('depends on content, names and the executable bit', async () => {
    await write({ 'a.sh': 'x' });
    const hashes = [(await pack()).hash];
    await chmod(join(root, 'a.sh'), 0o755);
    hashes.push((await pack()).hash);
    await write({ 'a.sh': 'y' });
    hashes.push((await pack()).hash);
    await write({ 'b.sh': '' });
    hashes.push((await pack()).hash);
    expect(new Set(hashes).size).toBe(4);
  });

  it('is hashed as it is packed', async () => {
    await write({ 'a.txt': 'a', 'b/c.txt': 'c'.repeat(100_000) });
    const { hash, archive } = await pack();
    expect(hashOf(archive)).toBe(hash);
  });

  const large = 'c'.repeat(100_000);

  it.each([
    ['changes', `d${large.slice(1)}`],
    ['shrinks', ''],
  ])('is not packed when a file %s after it was read', async (_what, text) => {
    await write({ 'a.txt': large, 'b.txt': 'b' });
    const context = await readContext(workingTree(root));
    await write({ 'a.txt': text });
    await expect(buffer(packContext(context))).rejects.toMatchObject({
      ...{ name: 'UserError', reason: 'bad_config' },
      message: expect.stringContaining('changed while it was packed') as unknown,
    });
  });

  it('holds what was there when a file grows', async () => {
    await write({ 'a.log': large });
    const context = await readContext(workingTree(root));
    await write({ 'a.log': `${large}one line more` });
    expect(hashOf(await buffer(packContext(context)))).toBe(context.contentHash);
  });

  it('says so when a file is gone', async () => {
    await write({ 'a.txt': large });
    const context = await readContext(workingTree(root));
    await rm(join(root, 'a.txt'));
    await expect(buffer(packContext(context))).rejects.toThrow(/ENOENT/);
  });

  it.each([0, 1, 5])('leaves no file open when it is given up after %i pieces', async (pieces) => {
    const opened: Readable[] = [];
    const content = Buffer.alloc(3 * 1024 ** 2, 'x');
    const files = Array.from({ length: 4 }, (_, at): SourceFile => ({
      ...{ path: `${at}.bin`, executable: false, size: content.length },
      open: () => {
        opened.push(Readable.from([Buffer.from(content)]));
        return opened.at(-1)!;
      },
      read: () => Promise.resolve(content),
    }));
    const context = await readContext({ files: () => Readable.from(files) });
    const archive = packContext(context);
    let read = 0;
    for await (const _ of archive) if (read++ >= pieces) break;
    archive.destroy();
    for (const file of opened) if (!file.closed) await once(file, 'close');
    expect(opened.length).toBeLessThanOrEqual(2 * files.length);
    expect(opened.every(({ destroyed }) => destroyed)).toBe(true);
  });

  it('reads small files once: they are packed as they were then', async () => {
    await write({ 'a.txt': 'content', 'b.txt': 'b' });
    const context = await readContext(workingTree(root));
    await write({ 'a.txt': 'changed' });
    await rm(join(root, 'b.txt'));
    expect(hashOf(await buffer(packContext(context)))).toBe(context.contentHash);
  });

  it('keeps no more than some of them in memory', async () => {
    const count = 400;
    const reads = new Map<string, number>();
    const content = Buffer.alloc(60_000, 'x');
    const files = Array.from({ length: count }, (_, at): SourceFile => {
      const path = `${at}.txt`;
      return {
        ...{ path, executable: false, size: content.length },
        open: () => Readable.from([content]),
        read: () => {
          reads.set(path, (reads.get(path) ?? 0) + 1);
          return Promise.resolve(content);
        },
      };
    });
    const context = await readContext({ files: () => Readable.from(files) });
    await buffer(packContext(context));
    const once = [...reads.values()].filter((times) => times === 1).length;
    expect(once * content.length).toBeGreaterThan(10e6);
    expect(once * content.length).toBeLessThan(17e6);
    expect(reads.size).toBe(count);
  });

  it('is refused when it is empty', async () => {
    await expect(readContext(workingTree(root))).rejects.toMatchObject({ reason: 'bad_config' });
  });
});
