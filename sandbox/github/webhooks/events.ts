/**
 * What happened, as the payloads that the App receives: one function for each event. Repositories where
 * the App is not installed (forks, usually) are silent.
 */
import type { Commit } from '../git/repository.ts';
import { gitOf, installationOf, type Hub } from '../hub.ts';
import type { Account, CheckRun, Comment, Installation, Pull, Repository } from '../state/model.ts';
import { nodeId, viewAccount, viewInstallation, viewOrganization } from '../views/account.ts';
import { viewCheckRunOfEvent } from '../views/check.ts';
import { viewComment } from '../views/comment.ts';
import { viewIssue, viewPull } from '../views/pull.ts';
import { repositoryPage, viewRepository } from '../views/repository.ts';

function emit(
  hub: Hub,
  repository: Repository,
  sender: Account,
  event: string,
  payload: Readonly<Record<string, unknown>>,
  ofRepository: Readonly<Record<string, unknown>> = {},
): void {
  const owner = hub.store.account(repository.ownerId);
  const told = {
    ...payload,
    repository: { ...viewRepository(hub, repository), ...ofRepository },
    ...(owner.type === 'Organization' ? { organization: viewOrganization(hub, owner) } : {}),
    sender: viewAccount(hub, sender),
  };
  hub.onEvent?.({ event, payload: told });
  const installation = installationOf(hub, repository);
  if (installation === undefined) return;
  hub.sender.send({
    event,
    installationId: installation.id,
    repositoryId: repository.id,
    payload: {
      ...told,
      installation: {
        id: installation.id,
        node_id: nodeId('IntegrationInstallation', installation.id),
      },
    },
  });
}

export function commentEvent(
  hub: Hub,
  action: 'created' | 'edited' | 'deleted',
  comment: Comment,
  sender: Account,
  bodyBefore?: string,
): void {
  const repository = hub.store.repository(comment.repositoryId);
  const pull = hub.store.pull(repository, comment.issueNumber);
  if (pull === undefined) return;
  emit(hub, repository, sender, 'issue_comment', {
    action,
    ...(action === 'edited' ? { changes: { body: { from: bodyBefore ?? '' } } } : {}),
    issue: viewIssue(hub, pull),
    comment: viewComment(hub, comment),
  });
}

export type PullChange =
  | { readonly action: 'opened' | 'closed' | 'reopened' | 'locked' | 'unlocked' }
  | { readonly action: 'synchronize'; readonly before: string; readonly after: string }
  | { readonly action: 'edited'; readonly changes: Readonly<Record<string, unknown>> };

export async function pullEvent(
  hub: Hub,
  change: PullChange,
  pull: Pull,
  sender: Account,
): Promise<void> {
  const repository = hub.store.repository(pull.repositoryId);
  emit(hub, repository, sender, 'pull_request', {
    ...change,
    number: pull.number,
    pull_request: await viewPull(hub, pull),
  });
}

type RepositoryChange =
  | { readonly action: 'archived' | 'unarchived' }
  | {
      readonly action: 'renamed';
      readonly changes: { readonly repository: { readonly name: { readonly from: string } } };
    };

export function repositoryEvent(
  hub: Hub,
  change: RepositoryChange,
  repository: Repository,
  sender: Account,
): void {
  emit(hub, repository, sender, 'repository', change);
}

export function checkRunEvent(
  hub: Hub,
  action: 'created' | 'completed' | 'rerequested' | 'requested_action',
  run: CheckRun,
  sender: Account,
  requestedAction?: string,
): void {
  const repository = hub.store.repository(run.repositoryId);
  emit(hub, repository, sender, 'check_run', {
    action,
    check_run: viewCheckRunOfEvent(hub, run),
    ...(requestedAction === undefined ? {} : { requested_action: { identifier: requestedAction } }),
  });
}

export interface RefChange {
  /** In full, such as `refs/heads/main`. */
  readonly ref: string;
  /** 40 zeros when it is new. */
  readonly before: string;
  /** 40 zeros when it is gone. */
  readonly after: string;
}
export const noSha = '0'.repeat(40);

/** GitHub lists at most 2,048 commits of a push; one page of them is enough to see what it was. */
const maxCommits = 100;

export async function pushEvent(
  hub: Hub,
  repository: Repository,
  change: RefChange,
  sender: Account,
): Promise<void> {
  const { ref, before, after } = change;
  const git = gitOf(hub, repository);
  const isNew = before === noSha;
  const isGone = after === noSha;
  const exclude = isNew ? await git.resolve(`refs/heads/${repository.defaultBranch}`) : before;
  const isBranchOff = exclude !== undefined && exclude !== after;
  const commits = isGone
    ? []
    : await git.log([after, ...(isBranchOff ? [`^${exclude}`] : [])], { limit: maxCommits });
  const views = await Promise.all(
    commits.toReversed().map((commit) => viewPushedCommit(hub, repository, commit)),
  );
  const head = isGone ? undefined : await git.commit(after);
  const isForced = !isNew && !isGone && (await git.mergeBase(before, after)) !== before;
  const payload = {
    ref,
    before,
    after,
    created: isNew,
    deleted: isGone,
    forced: isForced,
    base_ref: null,
    compare: `${repositoryPage(hub, repository)}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`,
    commits: views,
    head_commit: head === undefined ? null : await viewPushedCommit(hub, repository, head),
    pusher: { name: sender.login, email: null },
  };
  emit(hub, repository, sender, 'push', payload, viewPushedRepository(hub, repository));
}

/** Some events give instants as seconds. */
function seconds(instant: string): number {
  return new Date(instant).getTime() / 1_000;
}

/** How the repository of this event, which is the oldest one, differs from that of all others. */
function viewPushedRepository(hub: Hub, repository: Repository): Record<string, unknown> {
  const owner = hub.store.account(repository.ownerId);
  return {
    created_at: seconds(repository.createdAt),
    pushed_at: seconds(repository.pushedAt),
    owner: { ...viewAccount(hub, owner), name: owner.login, email: null },
    ...(owner.type === 'Organization' ? { organization: owner.login } : {}),
    stargazers: 0,
    master_branch: repository.defaultBranch,
  };
}

async function viewPushedCommit(hub: Hub, repository: Repository, commit: Commit) {
  const files = await gitOf(hub, repository).changedFiles(commit.parents[0], commit.sha);
  const paths = (...statuses: string[]): string[] =>
    files.filter(({ status }) => statuses.includes(status)).map(({ path }) => path);
  return {
    id: commit.sha,
    tree_id: commit.treeSha,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer.date,
    url: `${repositoryPage(hub, repository)}/commit/${commit.sha}`,
    author: { name: commit.author.name, email: commit.author.email },
    committer: { name: commit.committer.name, email: commit.committer.email },
    added: paths('added'),
    removed: paths('removed'),
    modified: paths('modified', 'changed'),
  };
}

/** The App was installed on an account, by somebody. */
export function installationEvent(hub: Hub, installation: Installation, sender: Account): void {
  const repositories = hub.store.state.repositories
    .filter(({ ownerId }) => ownerId === installation.accountId)
    .map((repository) => ({
      id: repository.id,
      node_id: nodeId('Repository', repository.id),
      name: repository.name,
      full_name: hub.store.fullName(repository),
      private: repository.private === true,
    }));
  hub.sender.send({
    event: 'installation',
    installationId: installation.id,
    repositoryId: null,
    payload: {
      action: 'created',
      installation: {
        ...viewInstallation(hub, installation),
        created_at: seconds(installation.createdAt),
        updated_at: seconds(installation.createdAt),
      },
      repositories,
      sender: viewAccount(hub, sender),
    },
  });
}
