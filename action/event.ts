/**
 * What the runner says about the workflow run: GITHUB_* variables and the event's payload in, the Subject
 * of the run and how far its branch is trusted out.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { GitRef } from '../shared/plan/plan-own-build.ts';
import type { Subject } from '../shared/plan/plan.ts';
import type { TrustTier } from '../shared/policy/decision.ts';
import { headOf } from './git.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** @param workspace the checked-out directory; asked for its commit when the runner does not say one */
export function subjectOf(env: Environment, workspace: string): Subject {
  const said = env['GITHUB_SHA'] ?? '';
  const sha = /^[0-9a-f]{40}$/.test(said) ? said : headOf(workspace);
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

/** Events that run a workflow for a commit that is in the repository already, and name its branch. */
const branchEvents: ReadonlySet<string> = new Set([
  'push',
  'schedule',
  'workflow_dispatch',
  'repository_dispatch',
]);

/**
 * `base` for the default branch alone: what another branch brings must not reach what that one's images are
 * made from.
 */
export function tierOf(env: Environment): TrustTier {
  // Run by hand there is no event, and nothing says whose commit it is.
  if (!branchEvents.has(env['GITHUB_EVENT_NAME'] ?? '')) return 'pull';
  const branch = defaultBranchOf(env);
  return branch !== undefined && env['GITHUB_REF'] === `refs/heads/${branch}` ? 'base' : 'pull';
}

/** What the default branch is called; undefined where the event does not say. */
export function defaultBranchOf(env: Environment): string | undefined {
  const branch = at(payloadOf(env), 'repository', 'default_branch');
  return typeof branch === 'string' ? branch : undefined;
}

/** The event as GitHub sent it; undefined when there is none. */
export function payloadOf(env: Environment): unknown {
  try {
    return JSON.parse(readFileSync(env['GITHUB_EVENT_PATH'] ?? '', 'utf8'));
  } catch {
    // It proves nothing then, and counts as a stranger's.
    return undefined;
  }
}

/** What a payload has at that path. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null
        ? (inner as Readonly<Record<string, unknown>>)[key]
        : undefined,
    value,
  );
}

function idOf(text: string | undefined): number {
  return /^\d{1,15}$/.test(text ?? '') ? Number(text) : 0;
}
