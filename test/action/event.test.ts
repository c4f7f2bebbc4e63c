import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { gitRefOf, refuseForkCode, subjectOf, tierOf } from '../../action/event.ts';
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

describe('tierOf', () => {
  it.each([
    ['push', 'base'],
    ['pull_request', 'pull'],
    [undefined, 'base'],
  ])('%s is of the tier %s', (event, tier) => {
    expect(tierOf({ GITHUB_EVENT_NAME: event })).toBe(tier);
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

describe('refuseForkCode', () => {
  const pull = (headId: number | null) => ({
    repository: { id: 1 },
    pull_request: { head: { repo: headId === null ? null : { id: headId } } },
  });

  it.each([
    ['push', {}, 'other', undefined],
    ['pull_request', pull(2), 'other', undefined],
    ['pull_request_target', pull(1), 'other', undefined],
    ['pull_request_target', pull(2), 'own', undefined],
    ['pull_request_target', pull(2), 'other', 'fork_not_approved'],
    ['pull_request_target', pull(null), 'other', 'fork_not_approved'],
    [
      'workflow_run',
      { repository: { id: 1 }, workflow_run: { head_repository: { id: 1 } } },
      'other',
      undefined,
    ],
    [
      'workflow_run',
      { repository: { id: 1 }, workflow_run: { head_repository: { id: 9 } } },
      'other',
      'fork_not_approved',
    ],
    ['issue_comment', { repository: { id: 1 } }, 'other', 'fork_not_approved'],
    ['issue_comment', { repository: { id: 1 } }, 'own', undefined],
  ])('%s %j with the %s commit in the workspace: %s', (event, payload, commit, reason) => {
    const env = {
      GITHUB_EVENT_NAME: event,
      GITHUB_EVENT_PATH: eventFile(payload),
      GITHUB_SHA: commit === 'own' ? head : 'b'.repeat(40),
    };
    expect(refuseForkCode(env, workspace.path)?.reason).toBe(reason);
  });

  it('takes no other checkout and no file beside the commit for the commit', () => {
    const env = {
      GITHUB_EVENT_NAME: 'pull_request_target',
      GITHUB_EVENT_PATH: eventFile(pull(2)),
      GITHUB_SHA: head,
    };
    expect(refuseForkCode(env, workspace.path)).toBeUndefined();
    const fork = join(workspace.path, 'pr');
    execFileSync('git', ['init', '-q', fork]);
    writeFileSync(join(fork, 'evil.py'), '');
    const identity = ['-c', 'user.name=a', '-c', 'user.email=a@b'];
    execFileSync('git', ['-C', fork, 'add', '.']);
    execFileSync('git', ['-C', fork, ...identity, 'commit', '-qm', 'evil']);
    expect(refuseForkCode(env, fork)?.reason).toBe('fork_not_approved');
    expect(refuseForkCode(env, workspace.path)?.reason).toBe('fork_not_approved');
    rmSync(fork, { recursive: true });
  });

  it('trusts nothing when there is no payload', () => {
    const env = { GITHUB_EVENT_NAME: 'workflow_run', GITHUB_SHA: 'b'.repeat(40) };
    expect(refuseForkCode(env, workspace.path)).toBeDefined();
    expect(refuseForkCode({ GITHUB_EVENT_NAME: 'workflow_run' }, '/nonexistent')).toBeDefined();
  });
});
