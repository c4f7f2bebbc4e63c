/** Ignore files against what `gcloud meta list-files-for-upload` (SDK 528) made of the same ones. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isIgnored, readPatterns } from '../../../shared/source/gcloud-ignore.ts';
import { workingTree } from '../../../shared/source/working-tree.ts';

const tree = [
  ...['Dockerfile', 'a.LOG', 'a.log', 'data/raw/x.csv', 'src/a.py', 'src/deep/b.py'],
  ...['sub/data/raw/y.csv', 'x y/c.txt', 'z/q'],
];
let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trainyard-test-'));
  for (const path of tree) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), '');
  }
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** The files that are left out by an ignore file of these lines. */
async function leftOut(lines: string, others: Readonly<Record<string, string>> = {}) {
  const ignoreFiles = { '.gcloudignore': `.gcloudignore\n${lines}`, ...others };
  for (const [name, text] of Object.entries(ignoreFiles)) await writeFile(join(root, name), text);
  try {
    const kept = new Set<string>();
    for await (const { path } of workingTree(root).files()) kept.add(path);
    return [...tree, ...Object.keys(ignoreFiles)].filter((path) => !kept.has(path));
  } finally {
    for (const name of Object.keys(ignoreFiles)) await rm(join(root, name));
  }
}

describe('a .gcloudignore', () => {
  it.each<[string, readonly string[]]>([
    ['*.log', ['a.log']],
    ['data/raw', ['data/raw/x.csv', 'sub/data/raw/y.csv']],
    ['/data/raw', ['data/raw/x.csv']],
    [
      '*\n!Dockerfile\n!src/**',
      ['a.LOG', 'a.log', 'data/raw/x.csv', 'sub/data/raw/y.csv', 'x y/c.txt', 'z/q'],
    ],
    [
      '*\n!Dockerfile\n!src/',
      ['a.LOG', 'a.log', 'data/raw/x.csv', 'sub/data/raw/y.csv', 'x y/c.txt', 'z/q'],
    ],
    [
      '*\n!src\n!*.py',
      ['Dockerfile', 'a.LOG', 'a.log', 'data/raw/x.csv', 'sub/data/raw/y.csv', 'x y/c.txt', 'z/q'],
    ],
    ['src/*\n!src/a.py', ['src/deep/b.py']],
    ['**/raw\n!data/raw/', []],
    ['src/', ['src/a.py', 'src/deep/b.py']],
    ['/src/**/b.py', ['src/deep/b.py']],
    ['*/raw', ['data/raw/x.csv']],
    [
      '*/*',
      [
        'Dockerfile',
        'a.LOG',
        'a.log',
        'data/raw/x.csv',
        'src/a.py',
        'src/deep/b.py',
        'sub/data/raw/y.csv',
        'x y/c.txt',
        'z/q',
      ],
    ],
    [
      '[!sz]*',
      [
        'Dockerfile',
        'a.LOG',
        'a.log',
        'data/raw/x.csv',
        'src/a.py',
        'src/deep/b.py',
        'sub/data/raw/y.csv',
        'x y/c.txt',
        'z/q',
      ],
    ],
    [
      '[a-d]*',
      [
        'a.LOG',
        'a.log',
        'data/raw/x.csv',
        'src/a.py',
        'src/deep/b.py',
        'sub/data/raw/y.csv',
        'x y/c.txt',
      ],
    ],
    ['x\\ y', ['x y/c.txt']],
    ['x y  ', ['x y/c.txt']],
    ['\\*.log', ['a.log']],
    ['# src\n\\#x\n', []],
    ['src\r', ['src/a.py', 'src/deep/b.py']],
    ['a.?og', ['a.log']],
    [
      '**/',
      ['data/raw/x.csv', 'src/a.py', 'src/deep/b.py', 'sub/data/raw/y.csv', 'x y/c.txt', 'z/q'],
    ],
    ['[z', []],
    ['z\\', []],
    ['src//a.py', []],
    ['*.py\n!src/deep/b.py', ['src/a.py']],
    ['**/**/**/x.csv', ['data/raw/x.csv']],
  ])('of %j leaves out what gcloud leaves out', async (lines, files) => {
    expect(await leftOut(lines)).toEqual([...files, '.gcloudignore']);
  });

  it.each(['#!include:.gitignore', '#  !include:.gitignore'])('includes by %j', async (line) => {
    const git = { '.gitignore': 'src\n#!include:.gcloudignore\n' };
    expect(await leftOut(line, git)).toEqual(['src/a.py', 'src/deep/b.py', '.gcloudignore']);
  });

  it.each(['missing', '../secrets', 'src/a.py', ''])('includes no `%s`', async (name) => {
    await expect(leftOut(`#!include:${name}`)).rejects.toMatchObject({
      name: 'UserError',
      reason: 'bad_config',
    });
  });

  it('is packed itself unless it names itself', async () => {
    expect(await leftOut('', { '.gcloudignore': '*.log' })).toEqual(['a.log']);
  });
});

describe('without one', () => {
  it('what .gitignore names is left out, and itself', async () => {
    await writeFile(join(root, '.gitignore'), 'src\n');
    const kept: string[] = [];
    for await (const { path } of workingTree(root).files()) kept.push(path);
    await rm(join(root, '.gitignore'));
    expect(kept.sort()).toEqual(tree.filter((path) => !path.startsWith('src/')));
  });
});

it.each([
  ['stars', '*a'.repeat(200), 'a'.repeat(4_000)],
  ['stars in a path', '**/a/'.repeat(60), 'a/'.repeat(120)],
  ['brackets', '['.repeat(120_000), 'a'],
  ['classes', '[a-z]*'.repeat(200), 'a'.repeat(4_000)],
  ['backslashes', '\\ '.repeat(20_000), 'a'],
  ['spaces', `${' '.repeat(30_000)}\\`, 'a'],
])('is soon done with many %s', async (_, line, path) => {
  const before = process.cpuUsage();
  const patterns = await readPatterns(line, () => Promise.resolve(''));
  isIgnored(patterns, path, false);
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(20_000);
});

it.each<[string, string, string]>([
  ['in the file', 'a\n'.repeat(5_001), ''],
  ['in an included one', '#!include:x', 'a\n'.repeat(300_000)],
  ['in one that is included often', '#!include:x\n'.repeat(100_000), 'a\n'.repeat(1_000)],
])('refuses more patterns than can be held against each file, %s', async (_, text, included) => {
  await expect(readPatterns(text, () => Promise.resolve(included))).rejects.toMatchObject({
    reason: 'bad_config',
    message: 'the ignore file of the build context has more than 5000 patterns.',
  });
});

it('takes as many as that', async () => {
  const text = '# why\n\na\n'.repeat(5_000);
  expect(await readPatterns(text, () => Promise.resolve(''))).toHaveLength(5_000);
});
