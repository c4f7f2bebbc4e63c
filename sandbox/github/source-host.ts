/** The repositories here, as Cloud Build reads them. */
import type { SourceHost, SourcePull, SourceRepository } from '../google/builds/source-host.ts';
import { hasRole } from './api/authorize.ts';
import { checkout } from './git/checkout.ts';
import { isSha } from './git/names.ts';
import { gitOf, type Hub } from './hub.ts';
import type { Repository } from './state/model.ts';

export function sourceHost(hub: Hub): SourceHost {
  return {
    find: (owner, name) => {
      const found = hub.store.repositoryNamed(owner, name);
      return found === undefined ? undefined : sourceRepository(hub, found);
    },
  };
}

function sourceRepository(hub: Hub, repository: Repository): SourceRepository {
  const git = gitOf(hub, repository);
  const changedBetween = async (
    before: string | undefined,
    after: string,
  ): Promise<readonly string[]> => (await git.changedFiles(before, after)).map(({ path }) => path);
  return {
    ...nameOf(hub, repository),
    resolve: (revision) => git.resolve(revision),
    message: async (sha) => (await git.commit(sha))?.message,
    changedBetween,
    changedSince: async (base, head) => changedBetween(await git.mergeBase(base, head), head),
    readFile: async (sha, path) => {
      const entry = isSha(sha) ? await git.entry(sha, path) : undefined;
      return entry?.type === 'blob' ? git.blob(entry.sha) : undefined;
    },
    rootNames: async (sha) => {
      const tree = await git.resolveTree(sha);
      const entries = tree === undefined ? undefined : await git.tree(tree, false);
      return (entries ?? []).filter(({ type }) => type === 'blob').map(({ path }) => path);
    },
    checkout: (sha) => checkout(git, sha),
    canWrite: (login) => {
      const account = hub.store.accountNamed(login);
      return account !== undefined && hasRole(repository, account, 'write');
    },
    pull: (number) => sourcePull(hub, repository, number),
  };
}

function sourcePull(hub: Hub, repository: Repository, number: number): SourcePull | undefined {
  const pull = hub.store.pull(repository, number);
  if (pull === undefined) return undefined;
  return {
    number,
    isOpen: pull.state === 'open',
    author: hub.store.account(pull.authorId).login,
    description: pull.body ?? '',
    headSha: pull.headSha,
    headBranch: pull.headRef,
    headRepository: nameOf(hub, hub.store.repository(pull.headRepositoryId)),
    baseBranch: pull.baseRef,
  };
}

function nameOf(
  hub: Hub,
  repository: Repository,
): { readonly owner: string; readonly name: string } {
  return { owner: hub.store.account(repository.ownerId).login, name: repository.name };
}
