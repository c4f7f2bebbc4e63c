/**
 * After a push: the repository's references before it in; pull requests moved, merged or closed, `pushed_at`
 * recorded and the events sent.
 */
import { gitOf, type Hub } from '../hub.ts';
import type { Account, Pull, PushUnderWay, Repository } from '../state/model.ts';
import {
  noSha,
  pullEvent,
  pushEvent,
  type PullChange,
  type RefChange,
} from '../webhooks/events.ts';
import type { Ref } from './repository.ts';

/** Says on disk that a push begins, so that what it changes is known even if nobody is there to see it. */
export async function announcePush(
  hub: Hub,
  repository: Repository,
  account: Account,
): Promise<PushUnderWay> {
  const push = {
    repositoryId: repository.id,
    accountId: account.id,
    before: await gitOf(hub, repository).refs(),
  };
  hub.store.state.pushes.push(push);
  await hub.store.save();
  return push;
}

export async function receive(hub: Hub, push: PushUnderWay): Promise<void> {
  const repository = hub.store.repository(push.repositoryId);
  const sender = hub.store.account(push.accountId);
  const changes = changed(push.before, await gitOf(hub, repository).refs());
  if (changes.length > 0) {
    repository.pushedAt = hub.now();
    repository.updatedAt = repository.pushedAt;
  }
  for (const change of changes) {
    const moved = await movePulls(hub, repository, change, sender);
    if (/^refs\/(heads|tags)\//.test(change.ref)) {
      await pushEvent(hub, repository, change, sender);
    }
    for (const { pull, became } of moved) await pullEvent(hub, became, pull, sender);
  }
  const { pushes } = hub.store.state;
  pushes.splice(pushes.indexOf(push), 1);
  await hub.store.save();
}

/** Pushes that git has carried out, in whole or in part, before an earlier process was ended. */
export async function receiveUnfinished(hub: Hub): Promise<void> {
  for (const push of [...hub.store.state.pushes]) await receive(hub, push);
}

function changed(before: readonly Ref[], after: readonly Ref[]): RefChange[] {
  const old = new Map(before.map(({ name, sha }) => [name, sha]));
  const now = new Map(after.map(({ name, sha }) => [name, sha]));
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((ref) => !ref.startsWith('refs/pull/') && old.get(ref) !== now.get(ref))
    .map((ref) => ({ ref, before: old.get(ref) ?? noSha, after: now.get(ref) ?? noSha }));
}

interface Moved {
  readonly pull: Pull;
  readonly became: PullChange;
}

/** The open pull requests that come from this branch or go into it, brought to where they are now. */
async function movePulls(
  hub: Hub,
  repository: Repository,
  change: RefChange,
  sender: Account,
): Promise<Moved[]> {
  if (!change.ref.startsWith('refs/heads/')) return [];
  const branch = change.ref.slice('refs/heads/'.length);
  const moved: Moved[] = [];
  for (const pull of hub.store.state.pulls.filter(({ state }) => state === 'open')) {
    const isHead = pull.headRepositoryId === repository.id && pull.headRef === branch;
    const isBase = pull.repositoryId === repository.id && pull.baseRef === branch;
    const became =
      (isHead ? await moveHead(hub, repository, pull, change) : undefined) ??
      (isBase ? await moveBase(hub, repository, pull, change, sender) : undefined);
    if (became !== undefined) moved.push({ pull, became });
  }
  return moved;
}

async function moveHead(
  hub: Hub,
  repository: Repository,
  pull: Pull,
  { ref, before, after }: RefChange,
): Promise<PullChange> {
  if (after === noSha) return close(hub, pull);
  const base = gitOf(hub, hub.store.repository(pull.repositoryId));
  await base.fetch(gitOf(hub, repository), `${ref}:refs/pull/${pull.number}/head`);
  pull.headSha = after;
  pull.updatedAt = hub.now();
  return { action: 'synchronize', before, after };
}

/** A base that has gone closes the pull request; one that has all its commits now has merged it. */
async function moveBase(
  hub: Hub,
  repository: Repository,
  pull: Pull,
  { after }: RefChange,
  sender: Account,
): Promise<PullChange | undefined> {
  if (after === noSha) return close(hub, pull);
  const git = gitOf(hub, repository);
  if ((await git.mergeBase(pull.headSha, after)) !== pull.headSha) {
    pull.baseSha = after;
    return undefined;
  }
  // baseSha stays where it was: it is what the pull request's changes are counted from.
  const commitSha = (await git.mergeOf(pull.headSha, after)) ?? pull.headSha;
  pull.merged = { at: hub.now(), byId: sender.id, commitSha };
  return close(hub, pull);
}

function close(hub: Hub, pull: Pull): PullChange {
  pull.state = 'closed';
  pull.closedAt = hub.now();
  pull.updatedAt = pull.closedAt;
  return { action: 'closed' };
}
