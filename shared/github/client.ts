/**
 * GitHub's REST API as the adapters beside this file use it: an Octokit in, checked answers and
 * `CloudError`s out. What comes back is parsed, never believed, so the types hold at run time.
 *
 * Nothing here is repeated: a write whose answer is unclear may have happened, and its caller looks first.
 */
import type { z } from 'zod';
import { CloudError } from '../errors.ts';

interface Answer {
  readonly status: number;
  readonly data: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** The part of an Octokit that is used; see `withoutRetries`. */
export interface Octokit {
  readonly request: (route: string, parameters?: Record<string, unknown>) => Promise<Answer>;
}

export interface RepositoryName {
  readonly owner: string;
  readonly repo: string;
}

/**
 * The path's parameters alone. Callers hand in records that know more of a repository, and GitHub refuses
 * a body with a key that it does not know.
 */
export function inRepository({ owner, repo }: RepositoryName): RepositoryName {
  return { owner, repo };
}

/** A question or a deed. `operation` is for logs and errors, such as `issues.createComment`. */
interface GitHubRequest {
  readonly operation: string;
  /** Such as `GET /repos/{owner}/{repo}`. */
  readonly route: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

const timeoutMs = 20_000;

/** The port of any Octokit (Probot's or @actions/github's), with its own repeating of requests switched off. */
export function withoutRetries(octokit: Octokit): Octokit {
  return {
    request: (route, parameters = {}) =>
      octokit.request(route, {
        ...parameters,
        request: {
          signal: AbortSignal.timeout(timeoutMs),
          ...(parameters['request'] as object | undefined),
          // plugin-retry would send a POST again after a 502 whose effect took place.
          retries: 0,
        },
      }),
  };
}

const pageSize = 100;
/** 10,000 comments or check runs; beyond that nobody is helped by reading on. */
const maxPages = 100;

/** @throws {CloudError} also when the answer does not have the expected shape */
export async function ask<T>(
  octokit: Octokit,
  request: GitHubRequest,
  schema: z.ZodType<T>,
): Promise<T> {
  const { data } = await send(octokit, request);
  return parseAnswer(request, schema, data);
}

/** As `ask`, but undefined for 404. */
export async function askOptional<T>(
  octokit: Octokit,
  request: GitHubRequest,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  try {
    return await ask(octokit, request, schema);
  } catch (error) {
    if (error instanceof CloudError && error.status === 404) return undefined;
    throw error;
  }
}

/** The first entry over all pages that satisfies `wanted`. `items` takes a page's entries out of an answer. */
export async function findInPages<Page, T>(
  octokit: Octokit,
  request: GitHubRequest,
  schema: z.ZodType<Page>,
  items: (page: Page) => readonly T[],
  wanted: (item: T) => boolean,
): Promise<T | undefined> {
  for (let page = 1; page <= maxPages; page++) {
    const parameters = { ...request.parameters, per_page: pageSize, page };
    const entries = items(await ask(octokit, { ...request, parameters }, schema));
    const found = entries.find(wanted);
    if (found !== undefined || entries.length < pageSize) return found;
  }
  return undefined;
}

/** @throws {CloudError} */
export async function send(octokit: Octokit, request: GitHubRequest): Promise<Answer> {
  try {
    return await octokit.request(request.route, { ...request.parameters });
  } catch (error) {
    throw toCloudError(request, error);
  }
}

function parseAnswer<T>(request: GitHubRequest, schema: z.ZodType<T>, data: unknown): T {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map(({ path }) => path.join('.')).join(', ');
  throw new CloudError(request.operation, `GitHub's answer lacks ${where}`, {
    status: 200,
    retryable: false,
    // The deed is done; only its receipt is unreadable.
    ambiguous: !isRead(request),
    cause: parsed.error,
  });
}

/** The shape of @octokit/request-error, without depending on which copy of it threw. */
interface RequestError {
  readonly status?: unknown;
  readonly message: string;
  readonly response?: { readonly headers?: Readonly<Record<string, unknown>> };
}

function toCloudError(request: GitHubRequest, error: unknown): CloudError {
  // Refused by our own budget, before anything was sent.
  if (error instanceof CloudError) return error;
  if (!(error instanceof Error)) throw error;
  const { status: given, message, response } = error as RequestError;
  // Octokit reports a connection that broke as status 500 without a response.
  const status = typeof given === 'number' && response !== undefined ? given : 0;
  const isUnclear = status === 0 || status >= 500;
  const mayBeLimit = status === 403 || status === 429;
  const retryAfterSeconds = mayBeLimit ? limitOf(error, Date.now()) : undefined;
  return new CloudError(request.operation, message, {
    status,
    retryable: retryAfterSeconds !== undefined || isUnclear,
    ambiguous: isUnclear && !isRead(request),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    cause: error.cause,
  });
}

function isRead(request: GitHubRequest): boolean {
  return request.route.startsWith('GET ');
}

/** What answers and errors of Octokit have in common, as far as limits go. */
interface Outcome {
  readonly status?: unknown;
  readonly message?: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly response?: { readonly headers?: Readonly<Record<string, unknown>> };
}

/**
 * In how many seconds GitHub may be asked again, when an answer or an error says that a limit is reached: between
 * one second and an hour, whatever it says. Undefined when it does not.
 * @see https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
 */
export function limitOf(outcome: unknown, nowMs: number): number | undefined {
  if (typeof outcome !== 'object' || outcome === null) return undefined;
  const { status, message, headers: own, response } = outcome as Outcome;
  const headers = response?.headers ?? own ?? {};
  const isUsedUp = headers['x-ratelimit-remaining'] === '0';
  const isRefusal = status === 429 || status === 403;
  // A secondary limit may say so in words alone.
  const isSecondary = /secondary rate limit|abuse detection/i.test(String(message));
  const isAsked = headers['retry-after'] !== undefined;
  const isLimited = status === 429 || (isRefusal && (isAsked || isSecondary)) || isUsedUp;
  if (!isLimited) return undefined;
  const after = Number(headers['retry-after'] ?? Number.NaN);
  const reset = Number((isUsedUp ? headers['x-ratelimit-reset'] : undefined) ?? Number.NaN);
  const known = [after, reset - nowMs / 1_000].find((value) => Number.isFinite(value));
  return Math.min(3_600, Math.max(1, Math.ceil(known ?? 60)));
}
