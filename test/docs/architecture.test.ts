/** What a newcomer reads first names the code as it is. */
import { expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readModule } from '../../scripts/read-module.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

it('tells the story in functions that are where it says', () => {
  const steps = [...read('shared/flow.ts').matchAll(/^ \* .*?(\w+) {2,}\S.* (\S+\/\S+\.ts)$/gm)];
  expect(steps.length).toBeGreaterThan(6);
  for (const [, name, file] of steps) {
    const exported = readModule(read(`shared/${String(file)}`)).exports;
    expect([file, exported.map((one) => one.name)]).toEqual([file, expect.arrayContaining([name])]);
  }
});

it('has every room of shared/ on the map, and none that is gone', () => {
  const [map = ''] = /^## Rooms$[^]*?^## /m.exec(read('ARCHITECTURE.md')) ?? [];
  const rooms = readdirSync(join(root, 'shared'), { withFileTypes: true });
  const cells = [...map.matchAll(/^\| (.*?) *\|/gm)].map(([, cell = '']) => cell).join();
  const named = [...cells.matchAll(/`(?:shared\/)?([a-z]+)`/g)].map(([, name]) => name);
  const there = rooms.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  expect(named.sort()).toEqual(there.sort());
});
