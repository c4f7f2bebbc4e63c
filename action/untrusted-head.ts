/**
 * Whose code is packed: the runner's variables, the event's payload and the checked-out directory in, a verdict
 * out. Somebody's commit must not be built with the repository's credentials because an event or an input of
 * the workflow named it.
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Refusal, TrustTier } from '../shared/policy/decision.ts';
import { at, payloadOf, tierOf } from './event.ts';
import { hasOthersBelow, headOf, isUnchanged } from './git.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Events that only people who may write cause, and for a commit of the repository; strangers cause every other
 * one, known or not, and its workflow holds the repository's credentials all the same.
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
 * @see https://docs.github.com/en/actions/reference/security/secure-use#mitigating-the-risks-of-untrusted-code-checkout
 */
const writersEvents: ReadonlySet<string> = new Set([
  'push',
  'schedule',
  'workflow_dispatch',
  'repository_dispatch',
  'release',
  'create',
  'merge_group',
  'deployment',
]);

/** `fork`: a pull request's from elsewhere, whose workflow has no credentials; `unproven`: nobody can say. */
type HeadOwner = 'ours' | 'fork' | 'unproven';

/** @param context the directory that is sent to the build */
export function ownerOfHead(env: Environment, context: string): HeadOwner {
  const event = env['GITHUB_EVENT_NAME'] ?? '';
  const payload = payloadOf(env);
  const known = ownerByEvent(event, env, payload);
  if (known !== undefined) return known;
  const head = headOf(context);
  if (head === undefined || !commitsOf(env, payload).includes(head)) return 'unproven';
  const isWriters = writersEvents.has(event) || isOwnHead(payload);
  const isPlain = isWriters ? !hasOthersBelow(context) : isUnchanged(context);
  return isPlain ? 'ours' : 'unproven';
}

/** Whoever's it is, whatever is checked out; undefined: that has to be looked at. */
function ownerByEvent(event: string, env: Environment, payload: unknown): HeadOwner | undefined {
  // By hand there is no workflow whose credentials could be borrowed.
  if (event === '' && env['GITHUB_ACTIONS'] !== 'true') return 'ours';
  if (event === 'pull_request') return isOwnHead(payload) ? 'ours' : 'fork';
  return undefined;
}

/**
 * How far what is checked out is trusted: a step on the default branch may be told to build anybody's commit, which
 * must neither reach what that branch's images are made from nor be what others are held against.
 * @param context the directory that is sent to the build
 */
export function tierOfHead(env: Environment, context: string): TrustTier {
  const tier = tierOf(env);
  return tier === 'base' && ownerOfHead(env, context) !== 'ours' ? 'pull' : tier;
}

/** True when the file lies in a checkout of something else; what lies in none was made by the workflow's own steps. */
function isOfAnotherCheckout(env: Environment, file: string): boolean {
  const payload = payloadOf(env);
  if (ownerByEvent(env['GITHUB_EVENT_NAME'] ?? '', env, payload) !== undefined) return false;
  const head = headOf(dirname(file));
  return head !== undefined && !commitsOf(env, payload).includes(head);
}

/**
 * Refuses to build what is not the event's own commit with the repository's credentials: another checkout, one
 * below the commit's files and, where a stranger can cause the event, any file beside them. Nor may another
 * checkout's configs say what is built and run, as whom.
 * @param files the configs, wherever they are
 */
export function refuseUntrustedHead(
  env: Environment,
  { context, files }: { readonly context: string; readonly files: readonly string[] },
  allowed: boolean,
): Refusal | undefined {
  // What is not there is somebody's slip, of which the plan tells.
  const isUnproven = existsSync(context) && ownerOfHead(env, context) === 'unproven';
  const isAnothers = isUnproven || files.some((file) => isOfAnotherCheckout(env, file));
  if (allowed || !isAnothers) return undefined;
  const event = env['GITHUB_EVENT_NAME'] ?? '';
  return {
    kind: 'rejected',
    reason: 'fork_not_approved',
    message: `what would be built or run is not plainly the commit that this workflow run (${/^\w{1,40}$/.test(event) ? event : 'of an unknown event'}) is about, and may be a fork's.`,
    fix: "Check out the event's own commit with git, and no other repository in the context; or set `allow_untrusted_head: true` if whatever is checked out may use this workflow's credentials.",
  };
}

/** The commits that the event is about: the run's, and of a pull request within the repository its head and merge. */
function commitsOf(env: Environment, payload: unknown): readonly unknown[] {
  const heads = [
    at(payload, 'pull_request', 'head', 'sha'),
    at(payload, 'pull_request', 'merge_commit_sha'),
    at(payload, 'workflow_run', 'head_sha'),
  ];
  return [env['GITHUB_SHA'], ...(isOwnHead(payload) ? heads : [])];
}

/** True when the payload says that head and base are the same repository. */
function isOwnHead(payload: unknown): boolean {
  const base = at(payload, 'repository', 'id');
  const head =
    at(payload, 'pull_request', 'head', 'repo', 'id') ??
    at(payload, 'workflow_run', 'head_repository', 'id');
  return typeof base === 'number' && head === base;
}
