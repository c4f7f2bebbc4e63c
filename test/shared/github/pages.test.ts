import { expect, it } from '@jest/globals';
import { commentPage, commitPage, pullPage, webUrlOf } from '../../../shared/github/pages.ts';

it.each([
  ['https://api.github.com', 'https://github.com'],
  ['https://api.github.com/', 'https://github.com'],
  ['https://api.acme.ghe.com', 'https://acme.ghe.com'],
  ['https://github.acme.example/api/v3', 'https://github.acme.example'],
  ['https://api.acme.example/api/v3', 'https://api.acme.example'],
  ['http://127.0.0.1:4000/api/v3', 'http://127.0.0.1:4000'],
])('the pages of the API at %s are at %s', (api, web) => {
  expect(webUrlOf(api)).toBe(web);
});

it('has a page for a commit, a pull request and a comment', () => {
  const place = { githubUrl: 'https://github.com', owner: 'acme', repo: 'a b' };
  const page = 'https://github.com/acme/a%20b';
  expect(commitPage(place, 'aaaa')).toBe(`${page}/commit/aaaa`);
  expect(pullPage(place, 7)).toBe(`${page}/pull/7`);
  expect(commentPage(place, 7, 8)).toBe(`${page}/pull/7#issuecomment-8`);
});
