/** Repositories as they are now. */
import { z } from 'zod';
import { ask, inRepository, type Octokit, type RepositoryName } from './client.ts';

export interface RepositoryState {
  readonly id: number;
  /** As it is called now: GitHub follows renames. */
  readonly name: RepositoryName;
  readonly ownerId: number | undefined;
  readonly isArchived: boolean;
  /** Anybody can see it, and open a pull request. */
  readonly isPublic: boolean;
  readonly defaultBranch: string;
}

const repositorySchema = z.object({
  id: z.number(),
  name: z.string(),
  owner: z.object({ login: z.string(), id: z.number().optional() }),
  private: z.boolean(),
  archived: z.boolean().default(false),
  default_branch: z.string(),
});

export async function getRepository(
  octokit: Octokit,
  repository: RepositoryName,
): Promise<RepositoryState> {
  const answer = await ask(
    octokit,
    {
      operation: 'repos.get',
      route: 'GET /repos/{owner}/{repo}',
      parameters: { ...inRepository(repository) },
    },
    repositorySchema,
  );
  return toState(answer);
}

/** The commit at which a branch stands. */
export async function getBranchHead(
  octokit: Octokit,
  repository: RepositoryName,
  branch: string,
): Promise<string> {
  const answer = await ask(
    octokit,
    {
      operation: 'repos.getBranch',
      route: 'GET /repos/{owner}/{repo}/branches/{branch}',
      parameters: { ...inRepository(repository), branch },
    },
    z.object({ commit: z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) }) }),
  );
  return answer.commit.sha;
}

const perPage = 100;
const maxPages = 100;

/** Ids of the App's installations that are not suspended. `app` acts as the App itself. */
export async function listInstallations(app: Octokit): Promise<readonly number[]> {
  const found: number[] = [];
  for (let page = 1; page <= maxPages; page++) {
    const installations = await ask(
      app,
      {
        operation: 'apps.listInstallations',
        route: 'GET /app/installations',
        parameters: { per_page: perPage, page },
      },
      z.array(z.object({ id: z.number(), suspended_at: z.string().nullish() })),
    );
    found.push(...installations.flatMap((one) => (one.suspended_at ? [] : [one.id])));
    if (installations.length < perPage) break;
  }
  return found;
}

/** What an installation covers. */
export async function listInstalledRepositories(
  octokit: Octokit,
): Promise<readonly RepositoryState[]> {
  const found: RepositoryState[] = [];
  for (let page = 1; page <= maxPages; page++) {
    const { repositories } = await ask(
      octokit,
      {
        operation: 'apps.listReposAccessibleToInstallation',
        route: 'GET /installation/repositories',
        parameters: { per_page: perPage, page },
      },
      z.object({ repositories: z.array(repositorySchema) }),
    );
    found.push(...repositories.map(toState));
    if (repositories.length < perPage) break;
  }
  return found;
}

function toState(answer: z.infer<typeof repositorySchema>): RepositoryState {
  return {
    id: answer.id,
    name: { owner: answer.owner.login, repo: answer.name },
    ownerId: answer.owner.id,
    isArchived: answer.archived,
    isPublic: !answer.private,
    defaultBranch: answer.default_branch,
  };
}
