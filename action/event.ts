/**
 * What the runner says about the workflow run: GITHUB_* variables and the event's payload in, the Subject
 * of the run and a verdict on untrusted code out.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { GitRef } from '../shared/plan/plan-own-build.ts';
import type { Subject } from '../shared/plan/plan.ts';
import type { Refusal, TrustTier } from '../shared/policy/decision.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Events whose workflows hold the base repository's credentials, whoever caused them.
 * @see https://docs.github.com/en/actions/reference/security/secure-use#mitigating-the-risks-of-untrusted-code-checkout
 */
const privilegedEvents: ReadonlySet<string> = new Set([
  'pull_request_target',
  'workflow_run',
  'issue_comment',
]);

/** @param workspace the checked-out directory; asked for its commit when the runner does not say one */
export function subjectOf(env: Environment, workspace: string): Subject {
  const sha = [env['GITHUB_SHA'], headOf(workspace)].find((text) =>
    /^[0-9a-f]{40}$/.test(text ?? ''),
  );
  const pull = /^refs\/pull\/(\d+)\//.exec(env['GITHUB_REF'] ?? '')?.[1];
  return {
    repository: {
      id: idOf(env['GITHUB_REPOSITORY_ID']),
      fullName: env['GITHUB_REPOSITORY'] ?? `local/${basename(workspace)}`,
    },
    ...(pull === undefined ? {} : { pullNumber: Number(pull) }),
    headSha: sha ?? '0'.repeat(40),
    requestedBy: { id: idOf(env['GITHUB_ACTOR_ID']), login: env['GITHUB_ACTOR'] ?? 'somebody' },
  };
}

/** The branch or tag that the run is about; of a pull request the head's branch, as triggers of Cloud Build have it. */
export function gitRefOf(env: Environment): GitRef | undefined {
  const name = env['GITHUB_HEAD_REF'] || env['GITHUB_REF_NAME'];
  if (!name) return undefined;
  return { kind: env['GITHUB_REF_TYPE'] === 'tag' ? 'tag' : 'branch', name };
}

export function tierOf(env: Environment): TrustTier {
  return env['GITHUB_EVENT_NAME'] === 'pull_request' ? 'pull' : 'base';
}

/**
 * Refuses to build a fork's code with the base repository's credentials: in a privileged event, what is built
 * must be the event's own commit, and nothing that somebody put beside it or checked out below it.
 * @param context the directory that is sent to the build
 */
export function refuseForkCode(env: Environment, context: string): Refusal | undefined {
  const event = env['GITHUB_EVENT_NAME'] ?? '';
  if (!privilegedEvents.has(event) || isOwnHead(payloadOf(env))) return undefined;
  const head = headOf(context);
  if (head !== undefined && head === env['GITHUB_SHA'] && isUnchanged(context)) return undefined;
  return {
    kind: 'rejected',
    reason: 'fork_not_approved',
    message: `a workflow on ${event} must not build code that may come from a fork with this repository's credentials.`,
    fix: 'Use the pull_request event, or check out the default branch, and nothing else, in this workflow.',
  };
}

/** True when the payload says that head and base are the same repository. */
function isOwnHead(payload: unknown): boolean {
  const base = at(payload, 'repository', 'id');
  const head =
    at(payload, 'pull_request', 'head', 'repo', 'id') ??
    at(payload, 'workflow_run', 'head_repository', 'id');
  return typeof base === 'number' && head === base;
}

function payloadOf(env: Environment): unknown {
  try {
    return JSON.parse(readFileSync(env['GITHUB_EVENT_PATH'] ?? '', 'utf8'));
  } catch {
    // No payload proves nothing, so it counts as a stranger's.
    return undefined;
  }
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null
        ? (inner as Readonly<Record<string, unknown>>)[key]
        : undefined,
    value,
  );
}

function headOf(directory: string): string | undefined {
  return git(directory, 'rev-parse', '--verify', 'HEAD');
}

/** True when the commit's files are all that there is; what is ignored is ignored by the commit itself. */
function isUnchanged(directory: string): boolean {
  return git(directory, 'status', '--porcelain', '--', '.') === '';
}

function git(directory: string, ...words: readonly string[]): string | undefined {
  try {
    const args = ['-C', directory, ...words];
    return execFileSync('git', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    // Not a repository, or no git: then nothing is known about it.
    return undefined;
  }
}

function idOf(text: string | undefined): number {
  return /^\d{1,15}$/.test(text ?? '') ? Number(text) : 0;
}
