import { expect, it } from '@jest/globals';
import { readTextFile } from '../../../shared/github/contents.ts';

it.each(['', '.', '../secrets', 'a//b', 'a/./b', '/a', 'a/', '\ud800.yaml', 'a'.repeat(1_025)])(
  'asks GitHub for no file at %j, since none can be there',
  async (path) => {
    const request = (): Promise<never> => Promise.reject(new Error('GitHub was asked'));
    const repository = { owner: 'acme', repo: 'digits' };
    expect(await readTextFile({ request }, repository, path)).toBeUndefined();
  },
);
