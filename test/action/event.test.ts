import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defaultBranchOf, gitRefOf, subjectOf, tierOf } from '../../action/event.ts';
import { makeWorkspace } from './run-bundle.ts';

let workspace: ReturnType<typeof makeWorkspace>;
let head: string;

beforeAll(() => {
  workspace = makeWorkspace({ 'a.txt': 'a' });
  const git = (...args: string[]): string =>
    execFileSync(
      'git',
      ['-C', workspace.path, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args],
      {
        encoding: 'utf8',
      },
    ).trim();
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'one');
  head = git('rev-parse', 'HEAD');
});
afterAll(() => {
  workspace.dispose();
  rmSync(`${workspace.path}-event.json`, { force: true });
});

/** Beside the workspace: nothing but the commit may lie in it. */
function eventFile(payload: unknown): string {
  const path = `${workspace.path}-event.json`;
  writeFileSync(path, JSON.stringify(payload));
  return path;
}

describe('subjectOf', () => {
  it('takes what the runner says', () => {
    const sha = 'a'.repeat(40);
    const subject = subjectOf(
      {
        GITHUB_SHA: sha,
        GITHUB_REF: 'refs/pull/7/merge',
        GITHUB_REPOSITORY: 'acme/digits',
        GITHUB_REPOSITORY_ID: '1001',
        GITHUB_ACTOR: 'wes',
        GITHUB_ACTOR_ID: '2',
      },
      workspace.path,
    );
    expect(subject).toEqual({
      repository: { id: 1001, fullName: 'acme/digits' },
      pullNumber: 7,
      headSha: sha,
      requestedBy: { id: 2, login: 'wes' },
    });
  });

  it('asks git when run by hand, and does without it too', () => {
    expect(subjectOf({}, workspace.path).headSha).toBe(head);
    expect(subjectOf({ GITHUB_SHA: 'main' }, '/nonexistent').headSha).toBe('0'.repeat(40));
  });
});

describe('defaultBranchOf', () => {
  it.each([
    [{ default_branch: 'main' }, 'main'],
    [{ default_branch: 1 }, undefined],
    [{}, undefined],
  ])('of %j is %j', (repository, branch) => {
    expect(defaultBranchOf({ GITHUB_EVENT_PATH: eventFile({ repository }) })).toBe(branch);
  });

  it('is not known without an event', () => {
    expect(defaultBranchOf({})).toBeUndefined();
  });
});

describe('tierOf', () => {
  const main = 'refs/heads/main';

  it.each<[string | undefined, string | undefined, unknown, string]>([
    ['push', main, 'main', 'base'],
    ['schedule', main, 'main', 'base'],
    ['workflow_dispatch', main, 'main', 'base'],
    ['repository_dispatch', main, 'main', 'base'],
    ['push', 'refs/heads/trunk', 'trunk', 'base'],
    ['push', 'refs/heads/feature', 'main', 'pull'],
    ['push', 'refs/tags/main', 'main', 'pull'],
    ['push', 'main', 'main', 'pull'],
    ['push', undefined, 'main', 'pull'],
    ['push', 'refs/heads/undefined', undefined, 'pull'],
    ['push', main, ['main'], 'pull'],
    ['workflow_dispatch', 'refs/heads/feature', 'main', 'pull'],
    ['schedule', 'refs/heads/feature', 'main', 'pull'],
    ['pull_request', 'refs/pull/7/merge', 'main', 'pull'],
    ['pull_request_target', main, 'main', 'pull'],
    ['workflow_run', main, 'main', 'pull'],
    ['issue_comment', main, 'main', 'pull'],
    ['release', 'refs/tags/v1', 'main', 'pull'],
    ['PUSH', main, 'main', 'pull'],
    [undefined, main, 'main', 'pull'],
  ])('%s to %s where %j is the default branch is of the tier %s', (event, ref, branch, tier) => {
    const payload = eventFile({ repository: { id: 1, default_branch: branch } });
    const env = { GITHUB_EVENT_NAME: event, GITHUB_REF: ref, GITHUB_EVENT_PATH: payload };
    expect(tierOf(env)).toBe(tier);
  });

  it('takes nobody at the word of an event without a payload', () => {
    const env = { GITHUB_EVENT_NAME: 'push', GITHUB_REF: main };
    expect(tierOf(env)).toBe('pull');
    expect(tierOf({ ...env, GITHUB_EVENT_PATH: '/nonexistent' })).toBe('pull');
  });
});

describe('gitRefOf', () => {
  it.each<[string, Record<string, string>, ReturnType<typeof gitRefOf>]>([
    ['a branch', ref('branch', 'f/x'), { kind: 'branch', name: 'f/x' }],
    ['a tag', ref('tag', 'v1'), { kind: 'tag', name: 'v1' }],
    [
      "a pull request's branch",
      { ...ref('branch', '12/merge'), GITHUB_HEAD_REF: 'f/x' },
      { kind: 'branch', name: 'f/x' },
    ],
    ['nothing by hand', {}, undefined],
  ])('is %s', (_what, env, expected) => {
    expect(gitRefOf(env)).toEqual(expected);
  });

  function ref(type: string, name: string): Record<string, string> {
    return { GITHUB_REF_TYPE: type, GITHUB_REF_NAME: name, GITHUB_HEAD_REF: '' };
  }
});
