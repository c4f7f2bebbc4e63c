import { describe, expect, it } from '@jest/globals';
import { copy } from '../../../sandbox/executor/copy.ts';
import { ImageTree } from '../../../sandbox/executor/image-tree.ts';
import type { LayerEntry } from '../../../sandbox/executor/pack-layer.ts';

function tree(...paths: string[]): ImageTree {
  const made = new ImageTree();
  made.add(
    paths.map((path): LayerEntry =>
      path.endsWith('/')
        ? { type: 'directory', path: path.slice(0, -1), mode: 0o755 }
        : { type: 'file', path, mode: 0o644, size: 1, from: `/context/${path}` },
    ),
  );
  return made;
}

const context = tree('train.py', 'data/a.csv', 'data/b.csv', 'data/deep/c.csv', 'a.txt', 'b.txt');

function placed(sources: string[], destination: string, image = tree('app/')): string[] {
  return copy(context, image, { sources, destination, workingDir: '/app' }).map(({ path }) => path);
}

describe('copy', () => {
  it.each<[string[], string, string[]]>([
    [['train.py'], './', ['app/train.py']],
    [['train.py'], '.', ['app/train.py']],
    [['train.py'], '/opt/run.py', ['opt/run.py']],
    [['train.py'], '/opt/', ['opt/train.py']],
    [['train.py'], '/app', ['app/train.py']],
    [['train.py'], '../../../x', ['x']],
    [['data'], 'd', ['app/d', 'app/d/a.csv', 'app/d/b.csv', 'app/d/deep', 'app/d/deep/c.csv']],
    [['data/*.csv'], 'd/', ['app/d/a.csv', 'app/d/b.csv']],
    [['?.txt'], './', ['app/a.txt', 'app/b.txt']],
    [['[!a].txt'], './', ['app/a.txt']],
    [['[a-b].txt'], './', ['app/a.txt', 'app/b.txt']],
    [['[^a].txt'], './', ['app/b.txt']],
    [['./data/../a.txt'], './', ['app/a.txt']],
  ])('COPY %j %s', (sources, destination, expected) => {
    expect(placed(sources, destination).sort()).toEqual([...expected].sort());
  });

  it('copies the whole context for a dot', () => {
    expect(placed(['.'], '/all')).toContain('all/data/deep/c.csv');
  });

  it.each<[string[], string, string]>([
    [['none'], '.', 'file not found in build context or excluded by .dockerignore: stat none'],
    [['*.none'], '.', 'no source files were specified'],
    [['../..'], '.', 'forbidden path outside the build context: ../..'],
    [['data/../../x'], '.', 'forbidden path outside the build context'],
    [['[a'], '.', 'syntax error in pattern: [a'],
    [['a.txt', 'b.txt'], '/one', 'must be a directory and end with a /'],
  ])('COPY %j %s fails', (sources, destination, message) => {
    expect(() => placed(sources, destination)).toThrow(message);
  });

  it('is not slow for a hostile pattern', () => {
    const long = tree('a'.repeat(250));
    const request = { sources: [`${'a*'.repeat(120)}b`], destination: '.', workingDir: '/' };
    expect(() => copy(long, tree(), request)).toThrow('no source files');
  });
});
