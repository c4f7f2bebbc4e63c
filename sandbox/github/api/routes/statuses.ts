/** Commit statuses, the older and simpler sisters of check runs. */
import { gitOf } from '../../hub.ts';
import type { CommitStatus } from '../../state/model.ts';
import { viewStatus } from '../../views/check.ts';
import { repositoryUrl, viewRepository } from '../../views/repository.ts';
import type { Call, Handler } from '../call.ts';
import { page } from '../paging.ts';
import { ApiError, ok, type Reply } from '../reply.ts';
import { commitAt } from './repositories.ts';

async function create(call: Call): Promise<Reply> {
  const { hub, repository, actor } = call;
  const sha = call.text('sha');
  const commit = await gitOf(hub, repository).commit(sha);
  if (commit?.sha !== sha) throw new ApiError(422, `No commit found for SHA: ${sha}`);
  const status: CommitStatus = {
    id: hub.store.newId(),
    repositoryId: repository.id,
    sha,
    authorId: actor.id,
    // One of the four: the description's enum was checked.
    state: call.text('state') as CommitStatus['state'],
    targetUrl: call.optionalText('target_url') ?? null,
    description: call.optionalText('description') ?? null,
    context: call.optionalText('context') ?? 'default',
    createdAt: hub.now(),
  };
  hub.store.state.statuses.push(status);
  return { status: 201, json: viewStatus(hub, status) };
}

/** Newest first. */
async function statusesAt(call: Call): Promise<{ sha: string; all: CommitStatus[] }> {
  const { sha } = await commitAt(call, call.text('ref'));
  const all = call.hub.store.state.statuses
    .filter((one) => one.repositoryId === call.repository.id && one.sha === sha)
    .toReversed();
  return { sha, all };
}

async function list(call: Call): Promise<Reply> {
  const { items, headers } = page(call, (await statusesAt(call)).all);
  return ok(
    items.map((one) => viewStatus(call.hub, one)),
    headers,
  );
}

/** The newest status of each context, and what they come to. */
async function combined(call: Call): Promise<Reply> {
  const { hub, repository } = call;
  const { sha, all } = await statusesAt(call);
  const newest = all.filter(
    (one, index) => all.findIndex(({ context }) => context === one.context) === index,
  );
  const { items, headers } = page(call, newest);
  const url = repositoryUrl(hub, repository);
  return ok(
    {
      state: stateOf(newest),
      statuses: items.map((one) => viewStatus(hub, one)),
      sha,
      total_count: newest.length,
      repository: viewRepository(hub, repository),
      commit_url: `${url}/commits/${sha}`,
      url: `${url}/commits/${sha}/status`,
    },
    headers,
  );
}

/** @see https://docs.github.com/en/rest/commits/statuses#get-the-combined-status-for-a-specific-reference */
function stateOf(statuses: readonly CommitStatus[]): 'failure' | 'pending' | 'success' {
  if (statuses.some(({ state }) => state === 'error' || state === 'failure')) return 'failure';
  const isPending = statuses.length === 0 || statuses.some(({ state }) => state === 'pending');
  return isPending ? 'pending' : 'success';
}

export const statuses = {
  'repos/create-commit-status': create,
  'repos/list-commit-statuses-for-ref': list,
  'repos/get-combined-status-for-ref': combined,
} satisfies Record<string, Handler>;
