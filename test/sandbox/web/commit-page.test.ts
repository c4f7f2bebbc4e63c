/** A commit's page: whole where it is small, bounded where it is not, and never markup of the commit's own. */
import { describe, expect, it } from '@jest/globals';
import type { CommitWithFiles } from '../../../sandbox/web/api.ts';
import { commitPage } from '../../../sandbox/web/commit-page.ts';

const repository = { owner: 'acme', repo: 'digits' };

function commit(changes: Partial<CommitWithFiles> = {}): CommitWithFiles {
  return {
    sha: '3f2c1ab'.padEnd(40, '0'),
    commit: {
      message: 'Tune it\n\nIt was too small.',
      author: { name: 'Wes', date: '2026-11-20T09:59:00Z' },
    },
    author: { login: 'wes' },
    parents: [{ sha: '9d0e4f1'.padEnd(40, '0') }],
    stats: { additions: 1, deletions: 1 },
    files: [
      {
        ...{ filename: 'train.py', status: 'modified', additions: 1, deletions: 1 },
        patch: '@@ -1 +1 @@\n-lr = 1\n+lr = 2',
      },
    ],
    ...changes,
  };
}
const textOf = (changes?: Partial<CommitWithFiles>): string =>
  commitPage(commit(changes), repository).text;

describe('a commit’s page', () => {
  it('has the message, the files and what changed in them', () => {
    const text = textOf();
    expect(text).toContain('It was too small.');
    expect(text).toContain('1 changed file, 1 added and 1 removed lines');
    expect(text).toContain('<span class="diff-removed">-lr = 1\n</span>');
    expect(text).toContain('<span class="diff-added">+lr = 2\n</span>');
    expect(text).toContain(`href="/acme/digits/commit/${'9d0e4f1'.padEnd(40, '0')}"`);
  });

  it('shows markup of the commit as text', () => {
    const evil = '<img src=x onerror=alert(1)>';
    const text = textOf({
      commit: { message: `${evil}\n${evil}`, author: { name: evil, date: evil } },
      author: null,
      files: [{ filename: evil, status: evil, additions: 1, deletions: 0, patch: `+${evil}` }],
    });
    expect(text).not.toContain('<img');
    expect(text.match(/&lt;img src=x/g)?.length).toBeGreaterThanOrEqual(5);
  });

  it('is bounded, and names what it leaves out', () => {
    const file = { filename: 'f', status: 'added', additions: 1, deletions: 0 };
    const large = { ...file, patch: `+${'x'.repeat(150_000)}` };
    const text = textOf({ files: [large, large, file, ...Array<typeof file>(150).fill(file)] });
    expect(text.length).toBeLessThan(300_000);
    expect(text.match(/data-testid="changed-file"/g)).toHaveLength(100);
    expect(text).toContain('Binary, or too large to be shown here.');
    expect(text).toContain('53 more files not shown.');
  });
});
