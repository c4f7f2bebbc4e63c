/** Pull requests, within a repository and from its forks. */
import { gitOf } from '../../hub.ts';
import type { Pull, Repository } from '../../state/model.ts';
import { viewCommit } from '../../views/commit.ts';
import { mergeBaseOf, viewIssue, viewPull, viewSimplePull } from '../../views/pull.ts';
import { pullEvent } from '../../webhooks/events.ts';
import { hasRole } from '../authorize.ts';
import type { Call, Handler } from '../call.ts';
import { page } from '../paging.ts';
import { notAccessible, notFound, ok, unprocessable, ApiError, type Reply } from '../reply.ts';
import { viewFiles } from './repositories.ts';

export function pullOf(call: Call, parameter: 'pull_number' | 'issue_number'): Pull {
  const pull = call.hub.store.pull(call.repository, call.integer(parameter));
  if (pull === undefined) throw notFound();
  return pull;
}

function list(call: Call): Reply {
  const { hub, repository } = call;
  const state = call.optionalText('state') ?? 'open';
  const head = call.optionalText('head');
  const base = call.optionalText('base');
  const all = hub.store.state.pulls
    .filter((pull) => pull.repositoryId === repository.id)
    .filter((pull) => state === 'all' || pull.state === state)
    .filter((pull) => base === undefined || pull.baseRef === base)
    .filter((pull) => head === undefined || labelOf(call, pull) === head)
    .sort((a, b) => compareBy(call, a, b));
  const { items, headers } = page(call, all);
  return ok(
    items.map((pull) => viewSimplePull(hub, pull)),
    headers,
  );
}

function labelOf({ hub }: Call, pull: Pull): string {
  const head = hub.store.repository(pull.headRepositoryId);
  return `${hub.store.account(head.ownerId).login}:${pull.headRef}`;
}

function compareBy(call: Call, a: Pull, b: Pull): number {
  const sort = call.optionalText('sort') ?? 'created';
  // Newest first by creation is GitHub's default; other orders begin with the oldest.
  const direction = call.optionalText('direction') ?? (sort === 'created' ? 'desc' : 'asc');
  const key = (pull: Pull): string => (sort === 'updated' ? pull.updatedAt : pull.createdAt);
  const order = key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.number - b.number;
  return direction === 'desc' ? -order : order;
}

/** `branch`, or `user:branch` for a branch of that user's fork. */
function headOf(call: Call): { readonly repository: Repository; readonly ref: string } | undefined {
  const { hub, repository } = call;
  const head = call.text('head');
  const colon = head.indexOf(':');
  if (colon < 0) return { repository, ref: head };
  const owner = hub.store.accountNamed(head.slice(0, colon));
  const name = call.optionalText('head_repo');
  const found = hub.store.state.repositories.find(
    (one) =>
      one.ownerId === owner?.id &&
      (one.id === repository.id || one.parentId === repository.id) &&
      (name === undefined || hub.store.fullName(one) === name),
  );
  return found === undefined ? undefined : { repository: found, ref: head.slice(colon + 1) };
}

async function create(call: Call): Promise<Reply> {
  const { hub, repository, actor } = call;
  // There are no issues here that a pull request could be made of.
  if (call.input['issue'] !== undefined) throw invalidField('issue');
  const head = headOf(call);
  const baseRef = call.text('base');
  const baseGit = gitOf(hub, repository);
  const baseSha = await baseGit.resolve(`refs/heads/${baseRef}`);
  if (baseSha === undefined) throw invalidField('base');
  const headSha = head && (await gitOf(hub, head.repository).resolve(`refs/heads/${head.ref}`));
  if (head === undefined || headSha === undefined) throw invalidField('head');
  if (!hasRole(head.repository, actor, 'write') && !call.isApp) throw notAccessible();
  // The head's commits come over before anything refers to them.
  await baseGit.fetch(gitOf(hub, head.repository), headSha);
  if ((await baseGit.mergeBase(baseSha, headSha)) === undefined) {
    const message = `The ${head.ref} branch has no history in common with ${baseRef}`;
    throw unprocessable({ resource: 'PullRequest', code: 'custom', message });
  }
  if ((await baseGit.count(baseSha, headSha)) === 0) {
    const message = `No commits between ${baseRef} and ${head.ref}`;
    throw unprocessable({ resource: 'PullRequest', code: 'custom', message });
  }
  // From here to the push() nothing waits, so two requests at once get two numbers, and never one twice.
  refuseDuplicate(call, head, baseRef);
  const number = repository.nextNumber++;
  const now = hub.now();
  const pull: Pull = {
    id: hub.store.newId(),
    repositoryId: repository.id,
    number,
    authorId: actor.id,
    headRepositoryId: head.repository.id,
    headRef: head.ref,
    headSha,
    baseRef,
    baseSha,
    title: call.optionalText('title') ?? head.ref,
    body: call.optionalText('body') ?? null,
    state: 'open',
    draft: call.input['draft'] === true,
    maintainerCanModify:
      head.repository.id !== repository.id && call.input['maintainer_can_modify'] !== false,
    createdAt: now,
    updatedAt: now,
    closedAt: null,
  };
  hub.store.state.pulls.push(pull);
  await baseGit.setRef(`refs/pull/${number}/head`, headSha);
  await pullEvent(hub, { action: 'opened' }, pull, actor);
  return { status: 201, json: await viewPull(hub, pull) };
}

function invalidField(field: string): ApiError {
  return unprocessable({ resource: 'PullRequest', code: 'invalid', field });
}

/** @param except a pull request that may be the same one, because it is */
function refuseDuplicate(
  call: Call,
  head: { readonly repository: Pick<Repository, 'id'>; readonly ref: string },
  baseRef: string,
  except?: Pull,
): void {
  const existing = call.hub.store.state.pulls.find(
    (pull) =>
      pull !== except &&
      pull.repositoryId === call.repository.id &&
      pull.state === 'open' &&
      pull.headRepositoryId === head.repository.id &&
      pull.headRef === head.ref &&
      pull.baseRef === baseRef,
  );
  if (existing === undefined) return;
  const message = `A pull request already exists for ${labelOf(call, existing)}.`;
  throw unprocessable({ resource: 'PullRequest', code: 'custom', message });
}

async function update(call: Call): Promise<Reply> {
  const { hub, repository, actor } = call;
  const pull = pullOf(call, 'pull_number');
  const isAuthor = pull.authorId === actor.id;
  if (!call.isApp && !isAuthor && !hasRole(repository, actor, 'write')) throw notAccessible();
  const state = call.optionalText('state');
  const hasMoved = state !== undefined && state !== pull.state;
  if (hasMoved && state === 'open') await reopen(call, pull);
  const changes = await edit(call, pull);
  if (hasMoved && state === 'closed') {
    pull.state = 'closed';
    pull.closedAt = hub.now();
  }
  pull.updatedAt = hub.now();
  if (Object.keys(changes).length > 0) {
    await pullEvent(hub, { action: 'edited', changes }, pull, actor);
  }
  if (hasMoved) {
    const action = pull.state === 'closed' ? 'closed' : 'reopened';
    await pullEvent(hub, { action }, pull, actor);
  }
  return ok(await viewPull(hub, pull));
}

/**
 * A pull request opens again only where it was left or further on.
 * @see https://github.com/isaacs/github/issues/361 ("state cannot be changed. The … branch was force-pushed or recreated.")
 */
async function reopen(call: Call, pull: Pull): Promise<void> {
  const { hub, repository } = call;
  const refuse = (reason: string): ApiError =>
    unprocessable({
      resource: 'PullRequest',
      code: 'invalid',
      field: 'state',
      message: `state cannot be changed. ${reason}`,
    });
  if (pull.merged !== undefined) throw refuse('The pull request has been merged.');
  const head = hub.store.repository(pull.headRepositoryId);
  const sha = await gitOf(hub, head).resolve(`refs/heads/${pull.headRef}`);
  if (sha === undefined) throw refuse(`The ${pull.headRef} branch has been deleted.`);
  const base = await gitOf(hub, repository).resolve(`refs/heads/${pull.baseRef}`);
  if (base === undefined) throw refuse(`The ${pull.baseRef} branch has been deleted.`);
  if ((await gitOf(hub, head).mergeBase(pull.headSha, sha)) !== pull.headSha) {
    throw refuse(`The ${pull.headRef} branch was force-pushed or recreated.`);
  }
  await gitOf(hub, repository).fetch(gitOf(hub, head), `${sha}:refs/pull/${pull.number}/head`);
  refuseDuplicate(call, { repository: head, ref: pull.headRef }, pull.baseRef, pull);
  Object.assign(pull, { state: 'open', closedAt: null, headSha: sha, baseSha: base });
}

/** What was before, by what was changed. */
async function edit(call: Call, pull: Pull): Promise<Record<string, unknown>> {
  const changes: Record<string, unknown> = {};
  const mayModify = call.input['maintainer_can_modify'];
  if (typeof mayModify === 'boolean') pull.maintainerCanModify = mayModify;
  const title = call.optionalText('title');
  const body = call.optionalText('body');
  const baseRef = call.optionalText('base');
  if (title !== undefined && title !== pull.title) {
    changes['title'] = { from: pull.title };
    pull.title = title;
  }
  if (body !== undefined && body !== pull.body) {
    changes['body'] = { from: pull.body ?? '' };
    pull.body = body;
  }
  if (baseRef !== undefined && baseRef !== pull.baseRef) {
    const sha = await gitOf(call.hub, call.repository).resolve(`refs/heads/${baseRef}`);
    if (sha === undefined) throw invalidField('base');
    changes['base'] = { ref: { from: pull.baseRef }, sha: { from: pull.baseSha } };
    Object.assign(pull, { baseRef, baseSha: sha });
  }
  return changes;
}

async function files(call: Call): Promise<Reply> {
  const pull = pullOf(call, 'pull_number');
  const from = await mergeBaseOf(call.hub, pull);
  const all = await gitOf(call.hub, call.repository).changedFiles(from, pull.headSha);
  const { items, headers } = page(call, all);
  return ok(await viewFiles(call, from, pull.headSha, items), headers);
}

async function commits(call: Call): Promise<Reply> {
  const pull = pullOf(call, 'pull_number');
  const from = await mergeBaseOf(call.hub, pull);
  // GitHub lists at most 250 commits of a pull request.
  const all = await gitOf(call.hub, call.repository).log([pull.headSha, `^${from}`], {
    limit: 250,
  });
  const { items, headers } = page(call, all.toReversed());
  return ok(
    items.map((commit) => viewCommit(call.hub, call.repository, commit)),
    headers,
  );
}

export const pulls = {
  'pulls/list': list,
  'pulls/get': async (call) => ok(await viewPull(call.hub, pullOf(call, 'pull_number'))),
  'pulls/create': create,
  'pulls/update': update,
  'pulls/list-files': files,
  'pulls/list-commits': commits,
  'issues/get': (call) => ok(viewIssue(call.hub, pullOf(call, 'issue_number'))),
} satisfies Record<string, Handler>;
