/**
 * The sandbox's GitHub as its page sees it: REST requests with one user's token in, checked answers out.
 * The page has no other way to its data, so what it shows is what any client of the API would see.
 * @see https://docs.github.com/en/rest
 */
import { z } from 'zod';

const account = z.object({ login: z.string(), type: z.string().optional() });

const branch = z.object({
  ref: z.string(),
  sha: z.string(),
  /** Of whom the repository is; nobody when a fork is gone. */
  user: account.nullish(),
});

const pullSchema = z.object({
  number: z.number(),
  title: z.string(),
  body: z.string().nullish(),
  state: z.enum(['open', 'closed']),
  draft: z.boolean().nullish(),
  merged: z.boolean().nullish(),
  /** Lists tell of a merge by this alone. */
  merged_at: z.string().nullish(),
  user: account.nullish(),
  author_association: z.string().nullish(),
  created_at: z.string(),
  closed_at: z.string().nullish(),
  head: branch,
  base: branch,
});
export type Pull = z.infer<typeof pullSchema>;

const commitSchema = z.object({
  sha: z.string(),
  commit: z.object({
    message: z.string(),
    author: z.object({ name: z.string().nullish(), date: z.string().nullish() }).nullish(),
  }),
  author: z.object({ login: z.string().optional() }).nullish(),
});
export type Commit = z.infer<typeof commitSchema>;

const commitWithFilesSchema = commitSchema.extend({
  parents: z.array(z.object({ sha: z.string() })),
  stats: z.object({ additions: z.number(), deletions: z.number() }).nullish(),
  files: z
    .array(
      z.object({
        filename: z.string(),
        status: z.string(),
        additions: z.number(),
        deletions: z.number(),
        /** Not there for binary files, and for very large ones. */
        patch: z.string().nullish(),
      }),
    )
    .nullish(),
});
export type CommitWithFiles = z.infer<typeof commitWithFilesSchema>;

const commentSchema = z.object({
  id: z.number(),
  body: z.string().nullish(),
  user: account.nullish(),
  author_association: z.string().nullish(),
  created_at: z.string(),
  updated_at: z.string(),
  reactions: z.record(z.string(), z.unknown()).nullish(),
});
export type Comment = z.infer<typeof commentSchema>;

const checkRunSchema = z.object({
  id: z.number(),
  name: z.string(),
  head_sha: z.string(),
  status: z.string(),
  conclusion: z.string().nullish(),
  started_at: z.string().nullish(),
  completed_at: z.string().nullish(),
  details_url: z.string().nullish(),
  output: z
    .object({
      title: z.string().nullish(),
      summary: z.string().nullish(),
      text: z.string().nullish(),
    })
    .nullish(),
  app: z.object({ slug: z.string().nullish(), name: z.string().nullish() }).nullish(),
  pull_requests: z.array(z.object({ number: z.number() })).nullish(),
  // GitHub's API keeps the buttons to itself; the sandbox's shows them to its own page.
  actions: z
    .array(z.object({ label: z.string(), description: z.string(), identifier: z.string() }))
    .nullish(),
});
export type CheckRun = z.infer<typeof checkRunSchema>;

const userSchema = z.object({ login: z.string(), name: z.string().nullish() });
type User = z.infer<typeof userSchema>;

/** `owner` and `repo` as they stand in a path; the routes let nothing through that needs encoding. */
export interface Repository {
  readonly owner: string;
  readonly repo: string;
}

/** A pull request with all that its page shows. */
export interface PullView {
  readonly repository: Repository;
  readonly pull: Pull;
  readonly commits: readonly Commit[];
  readonly comments: readonly Comment[];
  readonly checks: readonly CheckRun[];
}

/** An answer other than success; `status` is 0 when there was none. */
export class ApiError extends Error {
  readonly status: number;

  constructor(message: string, status: number, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ApiError';
    this.status = status;
  }
}

/** Where the API is (`…/api/v3`) and whose token is shown to it. */
export interface Access {
  readonly base: string;
  readonly token: string;
}

const timeoutMs = 10_000;
const pageSize = 100;
/** 2,000 entries: more than a person reads on a page that is drawn whole. */
const maxPages = 20;

/** @throws {ApiError} */
export async function loadPull(
  access: Access,
  repository: Repository,
  number: number,
): Promise<PullView> {
  const root = pathOf(repository);
  const [pull, commits, comments] = await Promise.all([
    ask(access, `${root}/pulls/${number}`, pullSchema),
    askPages(access, `${root}/pulls/${number}/commits`, z.array(commitSchema), (page) => page),
    askPages(access, `${root}/issues/${number}/comments`, z.array(commentSchema), (page) => page),
  ]);
  const checks = await askPages(
    access,
    `${root}/commits/${encodeURIComponent(pull.head.sha)}/check-runs`,
    z.object({ check_runs: z.array(checkRunSchema) }),
    (page) => page.check_runs,
  );
  return { repository, pull, commits, comments, checks };
}

/** All pull requests, open and closed, newest first. @throws {ApiError} */
export async function listPulls(access: Access, repository: Repository): Promise<readonly Pull[]> {
  const path = `${pathOf(repository)}/pulls?state=all`;
  return askPages(access, path, z.array(pullSchema), (page) => page);
}

/** @throws {ApiError} */
export async function loadCheckRun(
  access: Access,
  repository: Repository,
  id: number,
): Promise<CheckRun> {
  return ask(access, `${pathOf(repository)}/check-runs/${id}`, checkRunSchema);
}

/** With what it changed. @throws {ApiError} */
export async function loadCommit(
  access: Access,
  repository: Repository,
  sha: string,
): Promise<CommitWithFiles> {
  try {
    return await ask(access, `${pathOf(repository)}/commits/${sha}`, commitWithFilesSchema);
  } catch (error) {
    // The API says 422 of a commit that is not there, and means what a page says by 404.
    const isMissing = error instanceof ApiError && error.status === 422;
    throw isMissing ? new ApiError(error.message, 404, { cause: error }) : error;
  }
}

/** Whose token it is. @throws {ApiError} */
export async function loadUser(access: Access): Promise<User> {
  return ask(access, '/user', userSchema);
}

/** The id of the new comment. @throws {ApiError} with GitHub's own message, for the person who wrote it */
export async function createComment(
  access: Access,
  repository: Repository,
  number: number,
  body: string,
): Promise<number> {
  const path = `${pathOf(repository)}/issues/${number}/comments`;
  return (await ask(access, path, z.object({ id: z.number() }), { body })).id;
}

/** Has a check run done again. @throws {ApiError} with GitHub's own message */
export async function rerequestCheck(
  access: Access,
  repository: Repository,
  id: number,
): Promise<void> {
  await ask(access, `${pathOf(repository)}/check-runs/${id}/rerequest`, z.unknown(), {});
}

function pathOf({ owner, repo }: Repository): string {
  return `/repos/${owner}/${repo}`;
}

async function askPages<Page, T>(
  access: Access,
  path: string,
  schema: z.ZodType<Page>,
  items: (page: Page) => readonly T[],
): Promise<readonly T[]> {
  const all: T[] = [];
  for (let page = 1; page <= maxPages; page++) {
    const query = `${path.includes('?') ? '&' : '?'}per_page=${pageSize}&page=${page}`;
    const entries = items(await ask(access, path + query, schema));
    all.push(...entries);
    if (entries.length < pageSize) break;
  }
  return all;
}

/** A GET, or a POST of JSON when there is something to send. */
async function ask<T>(
  { base, token }: Access,
  path: string,
  schema: z.ZodType<T>,
  body?: unknown,
): Promise<T> {
  const method = body === undefined ? 'GET' : 'POST';
  const what = `${method} ${path}`;
  let status = 0;
  let text: string;
  try {
    const response = await fetch(base + path, {
      method,
      headers: {
        accept: 'application/vnd.github+json',
        authorization: `Bearer ${token}`,
        'user-agent': 'sandbox-web',
        'x-github-api-version': '2022-11-28',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // A redirect could carry the token elsewhere.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    status = response.status;
    text = await response.text();
  } catch (error) {
    throw new ApiError(`${what} was not answered`, status, { cause: error });
  }
  if (status >= 300) throw new ApiError(messageOf(text) ?? `${what} answered ${status}`, status);
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new ApiError(`${what} answered without ${where}`, 0, { cause: parsed.error });
}

function messageOf(text: string): string | undefined {
  return z.object({ message: z.string() }).safeParse(parseJson(text)).data?.message;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
