/** Commits and changed files as GitHub's API shows them. */
import type { Hub } from '../hub.ts';
import type { ChangedFile, Commit } from '../git/repository.ts';
import type { Repository } from '../state/model.ts';
import { nodeId, viewAccount } from './account.ts';
import { repositoryPage, repositoryUrl } from './repository.ts';

const unverified = {
  verified: false,
  reason: 'unsigned',
  signature: null,
  payload: null,
  verified_at: null,
};

/** A commit as `git/commits` gives it. */
export function viewGitCommit(hub: Hub, repository: Repository, commit: Commit) {
  const url = repositoryUrl(hub, repository);
  const page = repositoryPage(hub, repository);
  return {
    sha: commit.sha,
    node_id: nodeId('Commit', repository.id),
    url: `${url}/git/commits/${commit.sha}`,
    html_url: `${page}/commit/${commit.sha}`,
    author: commit.author,
    committer: commit.committer,
    message: commit.message,
    tree: { sha: commit.treeSha, url: `${url}/git/trees/${commit.treeSha}` },
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${url}/git/commits/${sha}`,
      html_url: `${page}/commit/${sha}`,
    })),
    verification: unverified,
  };
}

/**
 * Accounts here have no addresses but the one that GitHub gives to each.
 * @see https://docs.github.com/en/account-and-profile/reference/email-addresses-reference#your-noreply-email-address
 */
function accountOf(hub: Hub, email: string) {
  const login = /^(?:\d+\+)?([^@+]+)@users\.noreply\.github\.com$/.exec(email)?.[1];
  const account = login === undefined ? undefined : hub.store.accountNamed(login);
  return account === undefined ? null : viewAccount(hub, account);
}

/** A commit as `commits` gives it. */
export function viewCommit(hub: Hub, repository: Repository, commit: Commit) {
  const url = repositoryUrl(hub, repository);
  const page = repositoryPage(hub, repository);
  return {
    sha: commit.sha,
    node_id: nodeId('Commit', repository.id),
    commit: {
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      tree: { sha: commit.treeSha, url: `${url}/git/trees/${commit.treeSha}` },
      url: `${url}/git/commits/${commit.sha}`,
      comment_count: 0,
      verification: unverified,
    },
    url: `${url}/commits/${commit.sha}`,
    html_url: `${page}/commit/${commit.sha}`,
    comments_url: `${url}/commits/${commit.sha}/comments`,
    author: accountOf(hub, commit.author.email),
    committer: accountOf(hub, commit.committer.email),
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${url}/commits/${sha}`,
      html_url: `${page}/commit/${sha}`,
    })),
  };
}

export function viewChangedFile(
  hub: Hub,
  repository: Repository,
  at: string,
  file: ChangedFile & { readonly patch?: string },
) {
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  const page = repositoryPage(hub, repository);
  return {
    sha: file.sha,
    filename: file.path,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${page}/blob/${at}/${path}`,
    raw_url: `${page}/raw/${at}/${path}`,
    contents_url: `${repositoryUrl(hub, repository)}/contents/${path}?ref=${at}`,
    ...(file.patch === undefined ? {} : { patch: file.patch }),
  };
}
