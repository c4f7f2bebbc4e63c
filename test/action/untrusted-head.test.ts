import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ownerOfHead, refuseUntrustedHead, tierOfHead } from '../../action/untrusted-head.ts';
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

  it.each<[string, number, string, (id: number, sha: string) => unknown]>([
    ['pull_request_target', 1, 'ours', pull],
    ['pull_request_target', 2, 'unproven', pull],
    ['workflow_run', 1, 'ours', afterRun],
    ['workflow_run', 9, 'unproven', afterRun],
  ])('%s about a head of repository %i: %s', (event, id, owner, payload) => {
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
    // Ignored by git, and perhaps not by the ignore file that says what is packed.
    ['issue_comment', repository, 'data/x.csv', 'unproven'],
    ['workflow_run', afterRun(9), 'data/evil.py', 'unproven'],
    ['push', repository, 'data/x.csv', 'ours'],
  ])('%s %j with the file %j beside the commit: %s', (event, payload, file, owner) => {
    const path = join(workspace.path, file);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, '');
    expect(ownerOfHead(envOf(event, payload), workspace.path)).toBe(owner);
    rmSync(path);
  });

  it.each<[string, string]>([
    ['gha-creds-0123456789abcdef.json', 'ours'],
    ['sub/gha-creds-0123456789abcdef.json', 'ours'],
    ['gha-creds-0123456789abcdef.py', 'unproven'],
  ])('google-github-actions/auth before a step of issue_comment leaves %s: %s', (file, owner) => {
    const path = join(workspace.path, file);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, '{}');
    expect(ownerOfHead(envOf('issue_comment', repository), workspace.path)).toBe(owner);
    rmSync(path);
    rmSync(join(workspace.path, 'sub'), { recursive: true, force: true });
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

  it('asks about the directory that it is asked about, whatever the environment names', () => {
    const fork = makeWorkspace({ 'evil.py': '' });
    commitAll(fork.path);
    process.env['GIT_DIR'] = join(workspace.path, '.git');
    process.env['GIT_WORK_TREE'] = workspace.path;
    try {
      expect(ownerOfHead(envOf('workflow_run', afterRun(9)), fork.path)).toBe('unproven');
      expect(ownerOfHead(envOf('push', repository), fork.path)).toBe('unproven');
    } finally {
      delete process.env['GIT_DIR'];
      delete process.env['GIT_WORK_TREE'];
      fork.dispose();
    }
  });

  it("tells git neither the inputs nor the runner's tokens", () => {
    const bin = makeWorkspace({ git: '#!/bin/sh\nenv > "$(dirname "$0")/seen"\n' });
    chmodSync(join(bin.path, 'git'), 0o755);
    const before = process.env;
    const secrets = ['INPUT_GITHUB_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'GITHUB_TOKEN'];
    process.env = {
      ...before,
      ...Object.fromEntries(secrets.map((name) => [name, 'known-secret'])),
      PATH: `${bin.path}:${before['PATH'] ?? ''}`,
    };
    try {
      ownerOfHead(envOf('issue_comment', repository), workspace.path);
      const seen = readFileSync(join(bin.path, 'seen'), 'utf8');
      expect(seen).toContain(`PATH=${bin.path}`);
      expect(seen).not.toContain('known-secret');
    } finally {
      process.env = before;
      bin.dispose();
    }
  });

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

/** What actions/checkout leaves, where nobody but the repository had a part in it. */
describe('an ordinary checkout', () => {
  const run = (directory: string, ...words: string[]): string => {
    const settings = [
      '-c',
      'user.name=a',
      '-c',
      'user.email=a@b',
      '-c',
      'protocol.file.allow=always',
    ];
    return execFileSync('git', [...settings, '-C', directory, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  };
  let origin: ReturnType<typeof makeWorkspace>;
  let library: ReturnType<typeof makeWorkspace>;
  let first: string;
  let merge: string;
  let branch: string;
  let withCode: string;

  beforeAll(() => {
    library = makeWorkspace({ 'lib.py': 'lib' });
    commitAll(library.path);
    origin = makeWorkspace({ 'a.txt': 'a' });
    first = commitAll(origin.path);
    run(origin.path, 'checkout', '-qb', 'topic');
    run(origin.path, 'submodule', 'add', '-q', library.path, 'train/lib');
    run(origin.path, 'commit', '-qam', 'two');
    branch = run(origin.path, 'rev-parse', 'HEAD');
    run(origin.path, 'checkout', '-q', '--detach', first);
    run(origin.path, 'merge', '-q', '--no-ff', '-m', 'merge', 'topic');
    merge = run(origin.path, 'rev-parse', 'HEAD');
    run(origin.path, 'update-ref', 'refs/pull/1/merge', merge);
    run(origin.path, 'tag', '-am', 'v1', 'v1', branch);
    run(origin.path, 'checkout', '-qb', 'main-with-code');
    mkdirSync(join(origin.path, 'code'));
    writeFileSync(join(origin.path, 'code/train.py'), 'train');
    run(origin.path, 'add', 'code');
    run(origin.path, 'commit', '-qm', 'code');
    withCode = run(origin.path, 'rev-parse', 'HEAD');
    run(origin.path, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  });
  afterAll(() => {
    origin.dispose();
    library.dispose();
  });

  /** With `fetch-depth: 1`, and submodules. */
  function checkOut(ref: string): string {
    const path = `${workspace.path}/checkout`;
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path);
    run(path, 'init', '-q');
    run(path, 'remote', 'add', 'origin', origin.path);
    run(path, 'fetch', '-q', '--depth=1', 'origin', ref);
    run(path, 'checkout', '-q', '--detach', 'FETCH_HEAD');
    run(path, 'submodule', 'update', '-q', '--init');
    return path;
  }
  afterEach(() => rmSync(`${workspace.path}/checkout`, { recursive: true, force: true }));

  const ownPull = () => ({
    repository: { id: 1 },
    pull_request: { merge_commit_sha: merge, head: { sha: branch, repo: { id: 1 } } },
  });
  it.each<[string, string, () => unknown, () => string]>([
    ['push', 'refs/heads/topic', () => repository, () => branch],
    ['push', 'refs/tags/v1', () => repository, () => branch],
    ['release', 'refs/tags/v1', () => repository, () => branch],
    ['schedule', 'refs/heads/topic', () => repository, () => branch],
    ['workflow_dispatch', 'refs/heads/topic', () => repository, () => branch],
    ['merge_group', 'refs/pull/1/merge', () => repository, () => merge],
    ['deployment', 'refs/heads/topic', () => repository, () => branch],
    ['issue_comment', 'refs/heads/topic', () => repository, () => branch],
    ['pull_request', 'refs/pull/1/merge', ownPull, () => merge],
    ['pull_request', 'refs/heads/topic', ownPull, () => merge],
    ['pull_request_target', 'refs/heads/topic', ownPull, () => first],
    ['pull_request_target', 'refs/pull/1/merge', ownPull, () => first],
  ])('%s of %s is ours, from a directory of it too', (event, ref, payload, sha) => {
    const path = checkOut(ref);
    const env = envOf(event, payload(), sha());
    expect(ownerOfHead(env, path)).toBe('ours');
    expect(ownerOfHead(env, join(path, 'train'))).toBe('ours');
  });

  it.each(['push', 'issue_comment'])('%s with another commit in its submodule is not', (event) => {
    const path = checkOut('refs/heads/topic');
    writeFileSync(join(path, 'train/lib/evil.py'), 'evil');
    run(join(path, 'train/lib'), 'add', '.');
    run(join(path, 'train/lib'), 'commit', '-qm', 'evil');
    expect(ownerOfHead(envOf(event, repository, branch), path)).toBe('unproven');
  });

  it.each(['push', 'issue_comment'])('%s with a repository among its files is not', (event) => {
    const path = checkOut('refs/heads/main-with-code');
    writeFileSync(join(path, 'code/evil.py'), 'evil');
    commitAll(join(path, 'code'));
    expect(ownerOfHead(envOf(event, repository, withCode), path)).toBe('unproven');
  });
});

describe('tierOfHead', () => {
  const ofMain = { repository: { id: 1, default_branch: 'main' } };

  it.each<[string, string, 'own' | 'other', string]>([
    ['push', 'refs/heads/main', 'own', 'base'],
    ['workflow_dispatch', 'refs/heads/main', 'own', 'base'],
    // Told to, such a step builds a pull request's head.
    ['workflow_dispatch', 'refs/heads/main', 'other', 'pull'],
    ['repository_dispatch', 'refs/heads/main', 'other', 'pull'],
    ['schedule', 'refs/heads/main', 'other', 'pull'],
    ['push', 'refs/heads/feature', 'own', 'pull'],
    ['issue_comment', 'refs/heads/main', 'own', 'pull'],
  ])('of %s on %s with the %s commit in the workspace is %s', (event, ref, commit, tier) => {
    const env = { ...envOf(event, ofMain, commit === 'own' ? head : other), GITHUB_REF: ref };
    expect(tierOfHead(env, workspace.path)).toBe(tier);
  });
});

describe('refuseUntrustedHead', () => {
  it('refuses what is unproven unless the step says that it may be, and never a fork without credentials', () => {
    const places = { context: workspace.path, files: [join(workspace.path, 'config.yaml')] };
    const nowhere = { context: '/nonexistent', files: ['/nonexistent/config.yaml'] };
    const dispatch = envOf('workflow_dispatch', repository, other);
    const refusal = refuseUntrustedHead(dispatch, places, false);
    expect(refusal?.reason).toBe('fork_not_approved');
    expect(refusal?.message).toContain('(workflow_dispatch)');
    expect(refusal?.fix).toContain('allow_untrusted_head: true');
    expect(refuseUntrustedHead(dispatch, places, true)).toBeUndefined();
    expect(refuseUntrustedHead(dispatch, nowhere, false)).toBeUndefined();
    const fork = envOf('pull_request', pull(2), other);
    expect(refuseUntrustedHead(fork, places, false)).toBeUndefined();
  });

  it('takes a config from the commit or from the steps, and from no other checkout', () => {
    const beside = makeWorkspace({ 'made-by-a-step.yaml': '' });
    const others = makeWorkspace({ 'config.yaml': '' });
    commitAll(others.path);
    const env = envOf('workflow_dispatch', repository);
    const reasonFor = (file: string): string | undefined =>
      refuseUntrustedHead(env, { context: workspace.path, files: [file] }, false)?.reason;
    expect(reasonFor(join(workspace.path, 'a.txt'))).toBeUndefined();
    expect(reasonFor(join(beside.path, 'made-by-a-step.yaml'))).toBeUndefined();
    expect(reasonFor(join(others.path, 'config.yaml'))).toBe('fork_not_approved');
    beside.dispose();
    others.dispose();
  });
});
