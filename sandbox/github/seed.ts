/**
 * What the sandbox's GitHub starts with: people, the App's installation, a repository made of a directory
 * of files, and a pull request that changes the learning rate. Times and names are fixed, so that the same
 * files give the same commits everywhere.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appPermissions } from './app-manifest.ts';
import { GitRepository } from './git/repository.ts';
import { git, gitText } from './git/run-git.ts';
import type { AppIdentity } from './hub.ts';
import type { Account, Repository } from './state/model.ts';
import { newToken, type Store } from './state/store.ts';

export interface Seed {
  readonly owner: string;
  readonly repo: string;
  /** What the first commit holds; what its .gitignore names is left out. */
  readonly directory: string;
  /** Only its people see it; otherwise everybody does. */
  readonly private?: boolean;
}

/** Who can be somebody here, by what they are to the seeded repository. */
export const people = {
  owner: { id: 2001, login: 'olivia', type: 'User', role: 'admin' },
  writer: { id: 2002, login: 'wes', type: 'User', role: 'write' },
  reader: { id: 2003, login: 'rae', type: 'User', role: 'read' },
  stranger: { id: 2004, login: 'sam', type: 'User', role: undefined },
  bot: { id: 2005, login: 'ci-bot[bot]', type: 'Bot', role: 'write' },
} as const;
export type Person = keyof typeof people;

const organizationId = 3001;
const appBotId = 3002;
export const repositoryId = 1001;
const pullId = 5001;
const installationId = 7001;

const startedAt = '2026-01-05T09:00:00Z';
const branchedAt = '2026-01-06T10:30:00Z';
const headRef = 'tune-learning-rate';

export async function seedState(store: Store, seed: Seed, app: AppIdentity): Promise<void> {
  const { state } = store;
  state.accounts.push(
    { id: organizationId, login: seed.owner, type: 'Organization' },
    { id: appBotId, login: `${app.slug}[bot]`, type: 'Bot' },
    ...Object.values(people).map(({ id, login, type }): Account => ({ id, login, type })),
  );
  for (const { id } of Object.values(people)) state.personalTokens[newToken('ghp')] = id;
  const roles = Object.values(people).flatMap(({ id, role }) =>
    role === undefined ? [] : [[String(id), role] as const],
  );
  const repository: Repository = {
    id: repositoryId,
    ownerId: organizationId,
    name: seed.repo,
    defaultBranch: 'main',
    roles: Object.fromEntries(roles),
    ...(seed.private === true ? { private: true } : {}),
    createdAt: startedAt,
    updatedAt: branchedAt,
    pushedAt: branchedAt,
    nextNumber: 2,
  };
  state.repositories.push(repository);
  state.installations.push({
    id: installationId,
    accountId: organizationId,
    createdAt: startedAt,
    permissions: appPermissions,
  });
  const { baseSha, headSha } = await seedCommits(
    new GitRepository(join(store.directory, 'git', `${repositoryId}.git`)),
    seed.directory,
  );
  state.pulls.push({
    id: pullId,
    repositoryId,
    number: 1,
    authorId: people.owner.id,
    headRepositoryId: repositoryId,
    headRef,
    headSha,
    baseRef: 'main',
    baseSha,
    title: 'Try a higher learning rate',
    body: 'The loss still falls at the last epoch, so we may be learning too slowly.\n\nDoes the accuracy hold?',
    state: 'open',
    draft: false,
    maintainerCanModify: false,
    createdAt: branchedAt,
    updatedAt: branchedAt,
    closedAt: null,
  });
}

export function tokensOf(store: Store): Record<Person, string> {
  const byAccount = new Map(
    Object.entries(store.state.personalTokens).map(([token, id]) => [id, token]),
  );
  const token = (person: Person): string => byAccount.get(people[person].id) ?? '';
  return {
    owner: token('owner'),
    writer: token('writer'),
    reader: token('reader'),
    stranger: token('stranger'),
    bot: token('bot'),
  };
}

async function seedCommits(
  repository: GitRepository,
  directory: string,
): Promise<{ baseSha: string; headSha: string }> {
  await repository.create('main');
  const temporary = await mkdtemp(join(tmpdir(), 'trainyard-seed-'));
  const index = { GIT_INDEX_FILE: join(temporary, 'index') };
  try {
    const files = { environment: { ...index, GIT_WORK_TREE: directory } };
    await git(repository.directory, ['-C', directory, 'add', '--all', '.'], files);
    const baseSha = await commit(repository, index, startedAt, 'Train a classifier of digits', []);
    const change = await changedFile(repository, baseSha);
    const blob = await gitText(repository.directory, ['hash-object', '-w', '--stdin'], {
      input: change.text,
    });
    const entry = `${change.mode},${blob},${change.path}`;
    await git(repository.directory, ['update-index', '--add', '--cacheinfo', entry], {
      environment: index,
    });
    const headSha = await commit(repository, index, branchedAt, change.message, [baseSha]);
    await repository.setRef('refs/heads/main', baseSha);
    await repository.setRef(`refs/heads/${headRef}`, headSha);
    await repository.setRef('refs/pull/1/head', headSha);
    return { baseSha, headSha };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function commit(
  repository: GitRepository,
  index: Readonly<Record<string, string>>,
  date: string,
  message: string,
  parents: readonly string[],
): Promise<string> {
  const tree = await gitText(repository.directory, ['write-tree'], { environment: index });
  const who = { NAME: 'Olivia', EMAIL: 'olivia@users.noreply.github.com', DATE: date };
  const identity = ['AUTHOR', 'COMMITTER'].flatMap((role) =>
    Object.entries(who).map(([field, value]) => [`GIT_${role}_${field}`, value]),
  );
  return gitText(
    repository.directory,
    ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-m', message],
    { environment: Object.fromEntries(identity) as Record<string, string> },
  );
}

interface Change {
  readonly path: string;
  readonly mode: string;
  readonly text: string;
  readonly message: string;
}

/** A higher default learning rate in train.py; a line in the README where there is none to raise. */
async function changedFile(repository: GitRepository, commitSha: string): Promise<Change> {
  const script = await textOf(repository, commitSha, 'train.py');
  const raised = script?.text.replace(
    /("--lr".*?\bdefault=)(\d*\.?\d+)/,
    (_, before: string, rate: string) => `${before}${Number((Number(rate) * 4).toPrecision(3))}`,
  );
  if (script !== undefined && raised !== undefined && raised !== script.text) {
    const { path, mode } = script;
    return { path, mode, text: raised, message: 'Learn faster' };
  }
  const readme = await textOf(repository, commitSha, 'README.md');
  return {
    path: 'README.md',
    mode: readme?.mode ?? '100644',
    text: `${readme?.text ?? ''}\nWe are trying other learning rates.\n`,
    message: 'Say what we are trying',
  };
}

async function textOf(
  repository: GitRepository,
  commitSha: string,
  path: string,
): Promise<{ path: string; mode: string; text: string } | undefined> {
  const entry = await repository.entry(commitSha, path);
  const content = entry === undefined ? undefined : await repository.blob(entry.sha);
  if (entry === undefined || content === undefined) return undefined;
  return { path, mode: entry.mode, text: content.toString('utf8') };
}
