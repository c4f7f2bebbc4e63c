/**
 * What our handlers read of a payload, checked before it is stored: GitHub's are typed by what it promises,
 * but a body that lacks a field, or holds a number that no table can, must not be tried again for hours.
 */
import { z } from 'zod';
import { githubId } from '../../shared/config/policy-rules.ts';

/** What PostgreSQL's integer holds. */
const number = z.int32().positive();
const sha = z.string().regex(/^[0-9a-f]{40}$/);
const account = z.object({ id: githubId, login: z.string(), type: z.string() });
const installation = z.object({ id: githubId }).optional();
const repository = z.object({
  id: githubId,
  name: z.string(),
  owner: z.object({ login: z.string() }),
});
const app = z.object({ id: githubId }).nullish();
const listed = z.array(z.object({ id: githubId.optional() }));

const schemas: Readonly<Record<string, z.ZodType>> = {
  issue_comment: z.object({
    repository,
    installation,
    sender: account,
    issue: z.object({ number }),
    comment: z.object({
      id: githubId,
      body: z.string(),
      created_at: z.iso.datetime({ offset: true }),
      user: account.nullable(),
    }),
  }),
  pull_request: z.object({
    repository,
    installation,
    number,
    pull_request: z.object({
      head: z.object({ sha, repo: z.object({ id: githubId }).nullish() }),
      base: z.object({ ref: z.string() }),
    }),
  }),
  check_run: z.object({
    repository,
    installation,
    sender: account,
    check_run: z.object({ id: githubId, external_id: z.string().nullish(), app }),
    requested_action: z.object({ identifier: z.string() }).optional(),
  }),
  check_suite: z.object({
    repository,
    installation,
    sender: account,
    check_suite: z.object({ head_sha: sha, app }),
  }),
  push: z.object({
    repository,
    installation,
    ref: z.string(),
  }),
  installation: z.object({
    installation: z.object({ id: githubId }),
    repositories: listed.optional(),
  }),
  installation_repositories: z.object({
    installation: z.object({ id: githubId }),
    repositories_added: listed,
    repositories_removed: listed,
  }),
  repository: z.object({ repository, installation }),
};

/** Where the payload is not what its event promises, such as `issue.number`; undefined when it is. */
export function flawOf(event: string, payload: unknown): string | undefined {
  const issue = schemas[event]?.safeParse(payload).error?.issues[0];
  return issue === undefined ? undefined : `${issue.path.join('.')}: ${issue.message}`;
}
