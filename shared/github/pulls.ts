/** Pull requests and what people may do in a repository, asked for at the time they are needed. */
import { z } from 'zod';
import { permissions, type Permission } from '../policy/decision.ts';
import { ask, askOptional, inRepository, type Octokit, type RepositoryName } from './client.ts';

export interface PullRequest {
  readonly number: number;
  readonly state: 'open' | 'closed';
  readonly headSha: string;
  /** Null when the head repository was deleted. */
  readonly headRepositoryId: number | null;
  /** When anything was last pushed to the head repository; undefined when it was deleted. */
  readonly headPushedAt: string | undefined;
  readonly baseRepositoryId: number;
}

const sha = z.string().regex(/^[0-9a-f]{40}$/);

const pullSchema = z.object({
  number: z.number(),
  state: z.enum(['open', 'closed']),
  head: z.object({
    sha,
    repo: z.object({ id: z.number(), pushed_at: z.string().nullish() }).nullish(),
  }),
  base: z.object({ repo: z.object({ id: z.number() }) }),
});

export async function getPull(
  octokit: Octokit,
  repository: RepositoryName,
  pullNumber: number,
): Promise<PullRequest> {
  const pull = await ask(
    octokit,
    {
      operation: 'pulls.get',
      route: 'GET /repos/{owner}/{repo}/pulls/{pull_number}',
      parameters: { ...inRepository(repository), pull_number: pullNumber },
    },
    pullSchema,
  );
  return {
    number: pull.number,
    state: pull.state,
    headSha: pull.head.sha,
    headRepositoryId: pull.head.repo?.id ?? null,
    headPushedAt: pull.head.repo?.pushed_at ?? undefined,
    baseRepositoryId: pull.base.repo.id,
  };
}

/**
 * A person's permission right now. Somebody else who has meanwhile taken the login has none.
 * @see https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
 */
export async function getPermission(
  octokit: Octokit,
  repository: RepositoryName,
  person: { readonly id: number; readonly login: string },
): Promise<Permission> {
  const answer = await askOptional(
    octokit,
    {
      operation: 'repos.getCollaboratorPermissionLevel',
      route: 'GET /repos/{owner}/{repo}/collaborators/{username}/permission',
      parameters: { ...inRepository(repository), username: person.login },
    },
    z.object({
      permission: z.string(),
      role_name: z.string().optional(),
      user: z.object({ id: z.number() }).nullish(),
    }),
  );
  if (answer === undefined || answer.user?.id !== person.id) return 'none';
  // A custom role has a name of its own; `permission` is then the standard role that it is made from.
  const byName = permissions.find((name) => name === answer.role_name);
  return byName ?? permissions.find((name) => name === answer.permission) ?? 'none';
}
