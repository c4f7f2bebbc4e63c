/**
 * GitHub's events, as Cloud Build's own GitHub App hears them: an event in; what is to be built and why out.
 * @see https://docs.github.com/en/webhooks/webhook-events-and-payloads
 */
import { z } from 'zod';
import type { SourceHost, SourcePull, SourceRepository } from './source-host.ts';
import type { Revision } from './trigger-build.ts';
import { runComment, type Change } from './trigger-match.ts';

export interface RepositoryEvent {
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface RepositoryChange {
  readonly revision: Revision;
  readonly change: Change;
}

const repositorySchema = z.object({
  name: z.string(),
  owner: z.object({ login: z.string() }),
});
const commitSchema = z.object({
  added: z.array(z.string()),
  removed: z.array(z.string()),
  modified: z.array(z.string()),
});
const pushSchema = z.object({
  repository: repositorySchema,
  ref: z.string(),
  before: z.string(),
  after: z.string(),
  deleted: z.boolean(),
  commits: z.array(commitSchema),
  head_commit: commitSchema.nullable(),
});
const pullRequestSchema = z.object({
  repository: repositorySchema,
  action: z.string(),
  number: z.number(),
  pull_request: z.object({ head: z.object({ sha: z.string() }) }),
});
const commentSchema = z.object({
  repository: repositorySchema,
  action: z.string(),
  issue: z.object({ number: z.number() }),
  comment: z.object({ body: z.string(), user: z.object({ login: z.string() }) }),
});

const building = ['opened', 'reopened', 'synchronize'];

/** Undefined for what starts no build, whatever the triggers are. */
export async function readEvent(
  sources: SourceHost,
  { event, payload }: RepositoryEvent,
): Promise<RepositoryChange | undefined> {
  switch (event) {
    case 'push':
      return readPush(sources, pushSchema.parse(payload));
    case 'pull_request': {
      const { repository, action, number, pull_request } = pullRequestSchema.parse(payload);
      if (!building.includes(action)) return undefined;
      return readPull(find(sources, repository), number, pull_request.head.sha, false);
    }
    case 'issue_comment': {
      const { repository, action, issue, comment } = commentSchema.parse(payload);
      const found = find(sources, repository);
      const isAskedFor =
        action === 'created' &&
        comment.body.includes(runComment) &&
        found?.canWrite(comment.user.login) === true;
      const pull = found?.pull(issue.number);
      if (!isAskedFor || pull?.isOpen !== true) return undefined;
      return readPull(found, issue.number, pull.headSha, true);
    }
    default:
      return undefined;
  }
}

function find(
  sources: SourceHost,
  { name, owner }: z.infer<typeof repositorySchema>,
): SourceRepository | undefined {
  return sources.find(owner.login, name);
}

async function readPush(
  sources: SourceHost,
  push: z.infer<typeof pushSchema>,
): Promise<RepositoryChange | undefined> {
  const [, place, name] = /^refs\/(heads|tags)\/(.+)$/s.exec(push.ref) ?? [];
  const repository = find(sources, push.repository);
  if (name === undefined || repository === undefined || push.deleted) return undefined;
  // A tag may be an object of its own: what is built is the commit.
  const sha = await repository.resolve(push.after);
  if (sha === undefined) return undefined;
  const to = place === 'heads' ? 'branch' : 'tag';
  const message = (await repository.message(sha)) ?? '';
  return {
    revision: { repository, sha, [to]: name },
    change: { kind: 'push', to, name, message, files: await pushedFiles(repository, push, sha) },
  };
}

/** What a moved branch changes; of a new branch or tag, what its new commits change, or else its head. */
async function pushedFiles(
  repository: SourceRepository,
  { before, commits, head_commit: head }: z.infer<typeof pushSchema>,
  sha: string,
): Promise<readonly string[]> {
  const from = /^0+$/.test(before) ? undefined : await repository.resolve(before);
  if (from !== undefined) return repository.changedBetween(from, sha);
  const told = commits.length > 0 || head === null ? commits : [head];
  return [
    ...new Set(told.flatMap(({ added, removed, modified }) => [added, removed, modified].flat())),
  ];
}

async function readPull(
  repository: SourceRepository | undefined,
  number: number,
  sha: string,
  isAskedFor: boolean,
): Promise<RepositoryChange | undefined> {
  const pull = repository?.pull(number);
  if (repository === undefined || pull === undefined) return undefined;
  const base = await repository.resolve(`refs/heads/${pull.baseBranch}`);
  return {
    revision: { repository, sha, branch: pull.headBranch, pullRequest: viewPull(pull) },
    change: {
      kind: 'pull request',
      baseBranch: pull.baseBranch,
      description: pull.description,
      authorCanWrite: repository.canWrite(pull.author),
      isAskedFor,
      message: (await repository.message(sha)) ?? '',
      files: base === undefined ? [] : await repository.changedSince(base, sha),
    },
  };
}

function viewPull(pull: SourcePull): NonNullable<Revision['pullRequest']> {
  const { number, headBranch, headRepository, baseBranch } = pull;
  const headRepositoryUrl = `https://github.com/${headRepository.owner}/${headRepository.name}`;
  return { number, headBranch, baseBranch, headRepositoryUrl };
}
