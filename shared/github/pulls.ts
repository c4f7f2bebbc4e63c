/** Pull requests and what people may do in a repository, asked for at the time they are needed. */
import { z } from 'zod';
import { githubId } from '../config/policy-rules.ts';
import { permissions, type Permission } from '../policy/decision.ts';
import { CloudError } from '../errors.ts';
import {
  ask,
  askOptional,
  findInPages,
  inRepository,
  type Octokit,
  type RepositoryName,
} from './client.ts';

export interface PullRequest {
  readonly number: number;
  readonly state: 'open' | 'closed';
  readonly headSha: string;
  /** Null when the head repository was deleted. */
  readonly headRepositoryId: number | null;
  /** When anything was last pushed to the head repository; undefined when it was deleted. */
  readonly headPushedAt: string | undefined;
  /** Who owns the head repository; undefined when it was deleted. */
  readonly headOwnerId: number | undefined;
  /** Of the repository that answers to the name now. */
  readonly baseRepositoryId: number;
  readonly baseOwnerId: number | undefined;
  readonly isBaseArchived: boolean;
  /** Undefined for an account that was deleted. */
  readonly authorId: number | undefined;
  readonly isAuthorBot: boolean;
}

const sha = z.string().regex(/^[0-9a-f]{40}$/);

const account = z.object({ id: githubId, type: z.string().optional() });

const pullSchema = z.object({
  number: z.int().positive(),
  state: z.enum(['open', 'closed']),
  user: account.nullish(),
  head: z.object({
    sha,
    repo: z
      .object({ id: githubId, pushed_at: z.string().nullish(), owner: account.nullish() })
      .nullish(),
  }),
  base: z.object({
    repo: z.object({
      id: githubId,
      archived: z.boolean().optional(),
      owner: account.nullish(),
    }),
  }),
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
    headOwnerId: pull.head.repo?.owner?.id,
    baseRepositoryId: pull.base.repo.id,
    baseOwnerId: pull.base.repo.owner?.id,
    isBaseArchived: pull.base.repo.archived ?? false,
    authorId: pull.user?.id,
    isAuthorBot: pull.user?.type === 'Bot',
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
      user: z.object({ id: githubId }).nullish(),
    }),
  );
  if (answer === undefined || answer.user?.id !== person.id) return 'none';
  // A custom role has a name of its own; `permission` is then the standard role that it is made from.
  const byName = permissions.find((name) => name === answer.role_name);
  return byName ?? permissions.find((name) => name === answer.permission) ?? 'none';
}

/**
 * Whether a person is a member of a team of the organisation; a pending invitation is none, and a team that is
 * not there, or that the App may not see, has no members.
 * @see https://docs.github.com/en/rest/teams/members#get-team-membership-for-a-user
 */
export async function isTeamMember(
  octokit: Octokit,
  organization: string,
  team: string,
  login: string,
): Promise<boolean> {
  try {
    const answer = await askOptional(
      octokit,
      {
        operation: 'teams.getMembershipForUserInOrg',
        route: 'GET /orgs/{org}/teams/{team_slug}/memberships/{username}',
        parameters: { org: organization, team_slug: team, username: login },
      },
      z.object({ state: z.string() }),
    );
    return answer?.state === 'active';
  } catch (error) {
    if (error instanceof CloudError && error.status === 403 && !error.retryable) return false;
    throw error;
  }
}

/** Whether a pull request adds, changes, renames or removes that file. */
export async function touchesFile(
  octokit: Octokit,
  repository: RepositoryName,
  pullNumber: number,
  path: string,
): Promise<boolean> {
  const found = await findInPages(
    octokit,
    {
      operation: 'pulls.listFiles',
      route: 'GET /repos/{owner}/{repo}/pulls/{pull_number}/files',
      parameters: { ...inRepository(repository), pull_number: pullNumber },
    },
    z.array(z.object({ filename: z.string(), previous_filename: z.string().optional() })),
    (page) => page,
    (file) => file.filename === path || file.previous_filename === path,
  );
  return found !== undefined;
}
