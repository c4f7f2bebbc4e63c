import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ownerOfHead, refuseUntrustedHead } from '../../action/untrusted-head.ts';
import { makeWorkspace } from './run-bundle.ts';

const other = 'b'.repeat(40);
let workspace: ReturnType<typeof makeWorkspace>;
let head: string;

beforeAll(() => {
  workspace = makeWorkspace({ 'a.txt': 'a', '.gitignore': 'data/\n' });
  head = commitAll(workspace.path);
});
afterAll(() => {
  workspace.dispose();
  rmSync(`${workspace.path}-event.json`, { force: true });
});

function commitAll(directory: string): string {
  const git = (...args: string[]): string => {
    const who = ['-c', 'user.name=a', '-c', 'user.email=a@b'];
    return execFileSync('git', ['-C', directory, ...who, ...args], { encoding: 'utf8' }).trim();
  };
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'one');
  return git('rev-parse', 'HEAD');
}

/** Beside the workspace: nothing but the commit may lie in it. */
function envOf(event: string, payload: unknown, sha = head): Record<string, string> {
  const path = `${workspace.path}-event.json`;
  writeFileSync(path, JSON.stringify(payload));
  return {
    GITHUB_ACTIONS: 'true',
    GITHUB_EVENT_NAME: event,
    GITHUB_EVENT_PATH: path,
    GITHUB_SHA: sha,
  };
}

const pull = (headId: number | null, sha?: string) => ({
  repository: { id: 1 },
  pull_request: { head: { sha, repo: headId === null ? null : { id: headId } } },
});
const afterRun = (headId: number, sha?: string) => ({
  repository: { id: 1 },
  workflow_run: { head_sha: sha, head_repository: { id: headId } },
});
const repository = { repository: { id: 1 } };

describe('ownerOfHead', () => {
  it.each<[string, unknown, 'own' | 'other', string]>([
    ...[
      'push',
      'schedule',
      'workflow_dispatch',
      'repository_dispatch',
      'release',
      'merge_group',
      'issue_comment',
      'issues',
      'discussion_comment',
      'check_suite',
      'an_event_of_next_year',
      '',
    ].flatMap((event): [string, unknown, 'own' | 'other', string][] => [
      [event, repository, 'own', 'ours'],
      [event, repository, 'other', 'unproven'],
    ]),
    ['pull_request', pull(1), 'other', 'ours'],
    ['pull_request', pull(2), 'other', 'fork'],
    ['pull_request', pull(null), 'other', 'fork'],
    ['pull_request_target', pull(1), 'own', 'ours'],
    ['pull_request_target', pull(1), 'other', 'unproven'],
    ['pull_request_target', pull(2), 'own', 'ours'],
    ['pull_request_target', pull(2), 'other', 'unproven'],
    ['pull_request_target', pull(null), 'other', 'unproven'],
    ['workflow_run', afterRun(1), 'other', 'unproven'],
    ['workflow_run', afterRun(9), 'other', 'unproven'],
  ])('%s %j with the %s commit in the workspace: %s', (event, payload, commit, owner) => {
    const env = envOf(event, payload, commit === 'own' ? head : other);
    expect(ownerOfHead(env, workspace.path)).toBe(owner);
  });

  it.each<[string, (id: number, sha: string) => unknown, number, string]>([
    ['pull_request_target', pull, 1, 'ours'],
    ['pull_request_target', pull, 2, 'unproven'],
    ['workflow_run', afterRun, 1, 'ours'],
    ['workflow_run', afterRun, 9, 'unproven'],
  ])("%s about a head of repository %s's: %s", (event, payload, id, owner) => {
    expect(ownerOfHead(envOf(event, payload(id, head), other), workspace.path)).toBe(owner);
  });

  it('is nobody else by hand, and unproven where git says nothing', () => {
    expect(ownerOfHead({}, '/nonexistent')).toBe('ours');
    expect(ownerOfHead(envOf('push', repository), '/nonexistent')).toBe('unproven');
    const noPayload = { GITHUB_EVENT_NAME: 'workflow_run', GITHUB_SHA: other };
    expect(ownerOfHead(noPayload, workspace.path)).toBe('unproven');
  });

  it.each<[string, unknown, string, string]>([
    ['push', repository, 'results.csv', 'ours'],
    ['pull_request_target', pull(2), 'results.csv', 'unproven'],
    ['issue_comment', repository, 'results.csv', 'unproven'],
    ['issue_comment', repository, 'data/x.csv', 'ours'],
  ])('%s %j with the file %j beside the commit: %s', (event, payload, file, owner) => {
    const path = join(workspace.path, file);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, '');
    expect(ownerOfHead(envOf(event, payload), workspace.path)).toBe(owner);
    rmSync(path);
  });

  it.each(['push', 'workflow_dispatch', 'pull_request_target', 'issue_comment'])(
    'takes no checkout of something else for the commit of a %s',
    (event) => {
      const fork = join(workspace.path, 'deep/pr');
      mkdirSync(fork, { recursive: true });
      writeFileSync(join(fork, 'evil.py'), '');
      commitAll(fork);
      const env = envOf(event, event === 'pull_request_target' ? pull(2) : repository);
      expect(ownerOfHead(env, fork)).toBe('unproven');
      expect(ownerOfHead(env, workspace.path)).toBe('unproven');
      rmSync(join(workspace.path, 'deep'), { recursive: true });
      expect(ownerOfHead(env, workspace.path)).toBe('ours');
    },
  );

  it('runs nothing that a file in the workspace names', () => {
    const bare = join(workspace.path, 'bare');
    execFileSync('git', ['init', '-q', '--bare', bare]);
    const trace = `${workspace.path}-ran`;
    execFileSync('git', ['-C', bare, 'config', 'core.fsmonitor', `touch ${trace} #`]);
    execFileSync('git', ['-C', bare, 'config', 'core.bare', 'false']);
    execFileSync('git', ['-C', bare, 'config', 'core.worktree', bare]);
    ownerOfHead(envOf('issue_comment', repository), bare);
    expect(() => rmSync(trace)).toThrow('ENOENT');
    rmSync(bare, { recursive: true });
  });
});

describe('refuseUntrustedHead', () => {
  it('refuses what is unproven unless the step says that it may be, and never a fork without credentials', () => {
    const dispatch = envOf('workflow_dispatch', repository, other);
    const refusal = refuseUntrustedHead(dispatch, workspace.path, false);
    expect(refusal?.reason).toBe('fork_not_approved');
    expect(refusal?.message).toContain('(workflow_dispatch)');
    expect(refusal?.fix).toContain('allow_untrusted_head: true');
    expect(refuseUntrustedHead(dispatch, workspace.path, true)).toBeUndefined();
    expect(refuseUntrustedHead(dispatch, '/nonexistent', false)).toBeUndefined();
    const fork = envOf('pull_request', pull(2), other);
    expect(refuseUntrustedHead(fork, workspace.path, false)).toBeUndefined();
  });
});
