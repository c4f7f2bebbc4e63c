/** Repositories: what they are, who may do what in them, branches, commits, forks. */
import { isPlainName } from '../../git/names.ts';
import type { ChangedFile, Commit, Signature } from '../../git/repository.ts';
import { gitOf } from '../../hub.ts';
import type { Repository } from '../../state/model.ts';
import { viewAccount } from '../../views/account.ts';
import { viewChangedFile, viewCommit } from '../../views/commit.ts';
import { repositoryPage, repositoryUrl, viewRepository } from '../../views/repository.ts';
import { hasRole, roleOf } from '../authorize.ts';
import type { Call, Handler } from '../call.ts';
import { page, pageOf } from '../paging.ts';
import { ApiError, notFound, ok, unprocessable, type Reply } from '../reply.ts';

/** Commits of a list, which is more than a repository for trying things has. */
const maxHistory = 10_000;
/** GitHub gives no more files of one difference. */
const maxFiles = 300;

export async function commitAt(call: Call, name: string): Promise<Commit> {
  const git = gitOf(call.hub, call.repository);
  const sha = await git.resolve(name);
  const commit = sha === undefined ? undefined : await git.commit(sha);
  if (commit !== undefined) return commit;
  throw new ApiError(422, `No commit found for SHA: ${name}`);
}

export async function viewFiles(
  call: Call,
  from: string | undefined,
  to: string,
  files: readonly ChangedFile[],
) {
  const git = gitOf(call.hub, call.repository);
  const views = [];
  for (const file of files.slice(0, maxFiles)) {
    const patch = await git.patch(from, to, file.path);
    const full = patch === undefined ? file : { ...file, patch };
    views.push(viewChangedFile(call.hub, call.repository, to, full));
  }
  return views;
}

/** The four old words. @see https://docs.github.com/en/rest/collaborators/collaborators */
const legacyWords = {
  none: 'none',
  read: 'read',
  triage: 'read',
  write: 'write',
  maintain: 'write',
  admin: 'admin',
} as const;

function permission(call: Call): Reply {
  const { caller, hub, repository } = call;
  if (caller.kind === 'anonymous') throw new ApiError(401, 'Requires authentication');
  // GitHub tells people without push access nothing about others.
  const isAllowed = caller.kind === 'person' && hasRole(repository, caller.account, 'write');
  if (!isAllowed && caller.kind !== 'installation') {
    throw new ApiError(403, 'Must have push access to view collaborator permission.');
  }
  const account = hub.store.accountNamed(call.text('username'));
  if (account === undefined) {
    throw new ApiError(404, `${call.text('username')} is not a user`);
  }
  const role = roleOf(repository, account);
  return ok({
    // `role_name` has the exact one.
    permission: legacyWords[role ?? 'none'],
    role_name: role ?? 'none',
    user: {
      ...viewAccount(hub, account),
      permissions: {
        admin: role === 'admin',
        maintain: hasRole(repository, account, 'maintain'),
        push: hasRole(repository, account, 'write'),
        triage: hasRole(repository, account, 'triage'),
        pull: role !== undefined,
      },
      role_name: role ?? 'none',
    },
  });
}

async function branches(call: Call): Promise<Reply> {
  // No branch is protected here.
  const refs =
    call.input['protected'] === true
      ? []
      : await gitOf(call.hub, call.repository).refs('refs/heads/');
  const { items, headers } = page(call, refs);
  return ok(
    items.map(({ name, sha }) => ({
      name: name.replace('refs/heads/', ''),
      commit: { sha, url: `${repositoryUrl(call.hub, call.repository)}/commits/${sha}` },
      protected: false,
    })),
    headers,
  );
}

async function branch(call: Call): Promise<Reply> {
  const name = call.text('branch');
  const git = gitOf(call.hub, call.repository);
  const sha = await git.resolve(`refs/heads/${name}`);
  const commit = sha === undefined ? undefined : await git.commit(sha);
  if (commit === undefined) throw new ApiError(404, 'Branch not found');
  const url = `${repositoryUrl(call.hub, call.repository)}/branches/${encodeURIComponent(name)}`;
  return ok({
    name,
    commit: viewCommit(call.hub, call.repository, commit),
    _links: {
      self: url,
      html: `${viewRepository(call.hub, call.repository).html_url}/tree/${name}`,
    },
    protected: false,
    protection: {
      enabled: false,
      required_status_checks: { enforcement_level: 'off', contexts: [], checks: [] },
    },
    protection_url: `${url}/protection`,
  });
}

async function commits(call: Call): Promise<Reply> {
  const start = await commitAt(call, call.optionalText('sha') ?? call.repository.defaultBranch);
  const path = call.optionalText('path');
  const since = call.optionalText('since');
  const until = call.optionalText('until');
  const all = await gitOf(call.hub, call.repository).log([start.sha], {
    limit: maxHistory,
    ...(path === undefined ? {} : { path }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  });
  const isBy = (who: Signature, wanted: string | undefined): boolean =>
    wanted === undefined || [who.name, who.email].includes(wanted);
  const { items, headers } = page(
    call,
    all
      .filter(({ author }) => isBy(author, call.optionalText('author')))
      .filter(({ committer }) => isBy(committer, call.optionalText('committer'))),
  );
  return ok(
    items.map((one) => viewCommit(call.hub, call.repository, one)),
    headers,
  );
}

async function commit(call: Call): Promise<Reply> {
  const found = await commitAt(call, call.text('ref'));
  if (call.accept.includes('sha')) return raw(found.sha, 'application/vnd.github.sha');
  const from = found.parents[0];
  const files = await gitOf(call.hub, call.repository).changedFiles(from, found.sha);
  const additions = files.reduce((sum, file) => sum + file.additions, 0);
  const deletions = files.reduce((sum, file) => sum + file.deletions, 0);
  return ok({
    ...viewCommit(call.hub, call.repository, found),
    stats: { additions, deletions, total: additions + deletions },
    files: await viewFiles(call, from, found.sha, files),
  });
}

function raw(text: string, type: string): Reply {
  return { status: 200, raw: { type: `${type}; charset=utf-8`, content: Buffer.from(text) } };
}

async function compare(call: Call): Promise<Reply> {
  const [left = '', right = ''] = call.text('basehead').split('...');
  if (left === '' || right === '') throw notFound();
  const base = await commitAt(call, left);
  const head = await commitAt(call, right);
  const git = gitOf(call.hub, call.repository);
  const mergeBase = await git.mergeBase(base.sha, head.sha);
  const common = mergeBase === undefined ? undefined : await git.commit(mergeBase);
  if (common === undefined) {
    throw new ApiError(404, `No common ancestor between ${left} and ${right}.`);
  }
  const ahead = await git.count(common.sha, head.sha);
  const behind = await git.count(common.sha, base.sha);
  const between = await git.log([head.sha, `^${common.sha}`], { limit: maxHistory });
  const { items, headers } = page(call, between.toReversed());
  const files = await git.changedFiles(common.sha, head.sha);
  const view = (one: Commit) => viewCommit(call.hub, call.repository, one);
  const home = repositoryPage(call.hub, call.repository);
  const html = `${home}/compare/${encodeURIComponent(left)}...${encodeURIComponent(right)}`;
  const owner = call.hub.store.account(call.repository.ownerId).login;
  return ok(
    {
      url: call.url.href,
      html_url: html,
      permalink_url: `${home}/compare/${owner}:${base.sha}...${owner}:${head.sha}`,
      diff_url: `${html}.diff`,
      patch_url: `${html}.patch`,
      base_commit: view(base),
      merge_base_commit: view(common),
      status: statusOf(ahead, behind),
      ahead_by: ahead,
      behind_by: behind,
      total_commits: ahead,
      commits: items.map(view),
      // "The list of changed files is only returned on the first page of results."
      ...(pageOf(call).number > 1
        ? {}
        : { files: await viewFiles(call, common.sha, head.sha, files) }),
    },
    headers,
  );
}

function statusOf(ahead: number, behind: number): string {
  if (ahead > 0 && behind > 0) return 'diverged';
  if (ahead > 0) return 'ahead';
  return behind > 0 ? 'behind' : 'identical';
}

async function fork(call: Call): Promise<Reply> {
  const { hub, repository: parent, actor } = call;
  if (call.optionalText('organization') !== undefined) {
    throw new ApiError(403, 'The sandbox makes forks for people only.');
  }
  const existing = hub.store.state.repositories.find(
    ({ ownerId, parentId }) => ownerId === actor.id && parentId === parent.id,
  );
  if (existing !== undefined) return { status: 202, json: viewFull(call, existing) };
  const name = call.optionalText('name') ?? parent.name;
  const isTaken = hub.store.repositoryNamed(actor.login, name) !== undefined;
  if (!isPlainName(name) || isTaken || parent.ownerId === actor.id) {
    throw unprocessable({ resource: 'Repository', code: 'invalid', field: 'name' });
  }
  const now = hub.now();
  const created: Repository = {
    id: hub.store.newId(),
    ownerId: actor.id,
    name,
    defaultBranch: parent.defaultBranch,
    parentId: parent.id,
    roles: {},
    ...(parent.private === true ? { private: true } : {}),
    createdAt: now,
    updatedAt: now,
    pushedAt: parent.pushedAt,
    nextNumber: 1,
  };
  const git = gitOf(hub, created);
  await git.create(parent.defaultBranch);
  const onlyDefault = call.input['default_branch_only'] === true;
  const refs = onlyDefault ? `refs/heads/${parent.defaultBranch}` : 'refs/heads/*';
  await git.fetch(gitOf(hub, parent), `${refs}:${refs}`);
  hub.store.state.repositories.push(created);
  return { status: 202, json: viewFull(call, created) };
}

/** A repository by itself: also where it was forked from, and what the caller may do. */
export function viewFull(call: Call, repository: Repository) {
  const { hub, caller } = call;
  const view = viewRepository(hub, repository);
  const parent =
    repository.parentId === undefined
      ? undefined
      : viewRepository(hub, hub.store.repository(repository.parentId));
  return {
    ...view,
    network_count: view.forks_count,
    subscribers_count: 0,
    ...(parent === undefined ? {} : { parent, source: parent }),
    ...(caller.kind === 'person'
      ? {
          permissions: {
            admin: hasRole(repository, caller.account, 'admin'),
            maintain: hasRole(repository, caller.account, 'maintain'),
            push: hasRole(repository, caller.account, 'write'),
            triage: hasRole(repository, caller.account, 'triage'),
            pull: true,
          },
        }
      : {}),
  };
}

export const repositories = {
  'repos/get': (call) => ok(viewFull(call, call.repository)),
  'repos/get-collaborator-permission-level': permission,
  'repos/list-branches': branches,
  'repos/get-branch': branch,
  'repos/list-commits': commits,
  'repos/get-commit': commit,
  'repos/compare-commits-with-basehead': compare,
  'repos/create-fork': fork,
} satisfies Record<string, Handler>;
