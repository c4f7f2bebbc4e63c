/**
 * After a push: the repository's references before it in; pull requests moved, `pushed_at` recorded and
 * the events sent. A deleted branch closes the pull requests from it, as on GitHub.
 */
import type { Caller } from '../api/authenticate.ts';
import { gitOf, type Hub } from '../hub.ts';
import type { Account, Pull, Repository } from '../state/model.ts';
import { noSha, pullEvent, pushEvent, type RefChange } from '../webhooks/events.ts';
import type { Ref } from './repository.ts';

export async function receive(
  hub: Hub,
  repository: Repository,
  before: readonly Ref[],
  caller: Caller,
): Promise<void> {
  if (caller.kind !== 'person' && caller.kind !== 'installation') return;
  const changes = changed(before, await gitOf(hub, repository).refs());
  if (changes.length === 0) return;
  repository.pushedAt = hub.now();
  repository.updatedAt = repository.pushedAt;
  for (const change of changes) {
    const moved = await movePulls(hub, repository, change);
    await pushEvent(hub, repository, change, caller.account);
    for (const pull of moved) await tell(hub, pull, change, caller.account);
  }
  await hub.store.save();
}

function changed(before: readonly Ref[], after: readonly Ref[]): RefChange[] {
  const old = new Map(before.map(({ name, sha }) => [name, sha]));
  const now = new Map(after.map(({ name, sha }) => [name, sha]));
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((ref) => !ref.startsWith('refs/pull/') && old.get(ref) !== now.get(ref))
    .map((ref) => ({ ref, before: old.get(ref) ?? noSha, after: now.get(ref) ?? noSha }));
}

/** The open pull requests whose head this branch is, moved to where it is now. */
async function movePulls(hub: Hub, repository: Repository, change: RefChange): Promise<Pull[]> {
  if (!change.ref.startsWith('refs/heads/')) return [];
  const branch = change.ref.slice('refs/heads/'.length);
  const open = hub.store.state.pulls.filter(({ state }) => state === 'open');
  for (const pull of open) {
    const isBase = pull.repositoryId === repository.id && pull.baseRef === branch;
    if (isBase && change.after !== noSha) pull.baseSha = change.after;
  }
  const moved = open.filter(
    (pull) => pull.headRepositoryId === repository.id && pull.headRef === branch,
  );
  for (const pull of moved) {
    pull.updatedAt = hub.now();
    if (change.after === noSha) {
      pull.state = 'closed';
      pull.closedAt = pull.updatedAt;
      continue;
    }
    const base = gitOf(hub, hub.store.repository(pull.repositoryId));
    await base.fetch(gitOf(hub, repository), `${change.ref}:refs/pull/${pull.number}/head`);
    pull.headSha = change.after;
  }
  return moved;
}

async function tell(hub: Hub, pull: Pull, change: RefChange, sender: Account): Promise<void> {
  const { before, after } = change;
  await pullEvent(
    hub,
    after === noSha ? { action: 'closed' } : { action: 'synchronize', before, after },
    pull,
    sender,
  );
}
