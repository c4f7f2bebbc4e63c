/** Check runs of a commit, which are our App's and are known by an external id. */
import { z } from 'zod';
import { githubId } from '../config/policy-rules.ts';
import {
  ask,
  findInPages,
  inRepository,
  send,
  type Octokit,
  type RepositoryName,
} from './client.ts';
import type { Place } from './publish-one.ts';

/** A button on a check run; GitHub shows up to three, to people who may write. */
interface CheckAction {
  /** At most 20 characters. */
  readonly label: string;
  /** At most 40 characters. */
  readonly description: string;
  /** What comes back when it is clicked; at most 20 characters. */
  readonly identifier: string;
}

/** What is wrong at a place of a file. */
interface CheckAnnotation {
  /** In the repository. */
  readonly path: string;
  /** Counted from 1, as the column. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** A check run's content; `conclusion` must be there when it is completed, and only then. */
interface CheckContent {
  readonly status: 'queued' | 'in_progress' | 'completed';
  readonly conclusion?: string;
  readonly startedAt: string;
  readonly completedAt?: string;
  readonly title: string;
  readonly summary: string;
  readonly text?: string;
  /** What "View more details" leads to; without one GitHub shows the App's own page. */
  readonly detailsUrl: string;
  /** None if undefined. */
  readonly actions?: readonly CheckAction[];
  /** Given when it is made, and at most 50: GitHub adds each time's to those that are there. */
  readonly annotations?: readonly CheckAnnotation[];
}

/** Which check run it is; others, and other Apps', may carry the same name. */
export interface OwnCheck extends RepositoryName {
  readonly name: string;
  readonly headSha: string;
  readonly externalId: string;
  readonly appId: number;
}

/** Where that content is shown: in the one check run that it is, once that was made. */
export function ownCheck(octokit: Octokit, own: OwnCheck, content: CheckContent): Place {
  return {
    text: JSON.stringify(content),
    find: () => findOwnCheck(octokit, own),
    create: () => createCheck(octokit, own, content),
    update: (id) => updateCheck(octokit, own, id, content),
  };
}

const checkSchema = z.object({
  id: githubId,
  external_id: z.string().nullish(),
  app: z.object({ id: githubId }).nullish(),
});

/** The id of the new check run. */
async function createCheck(
  octokit: Octokit,
  where: Omit<OwnCheck, 'appId'>,
  content: CheckContent,
): Promise<number> {
  const { id } = await ask(
    octokit,
    {
      operation: 'checks.create',
      route: 'POST /repos/{owner}/{repo}/check-runs',
      parameters: {
        owner: where.owner,
        repo: where.repo,
        name: where.name,
        head_sha: where.headSha,
        external_id: where.externalId,
        ...toWire(content),
      },
    },
    z.object({ id: githubId }),
  );
  return id;
}

async function updateCheck(
  octokit: Octokit,
  repository: RepositoryName,
  checkRunId: number,
  { annotations: _, ...content }: CheckContent,
): Promise<void> {
  // The commit is the same and so are its annotations, which GitHub would add once more.
  await send(octokit, {
    operation: 'checks.update',
    route: 'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}',
    parameters: { ...inRepository(repository), check_run_id: checkRunId, ...toWire(content) },
  });
}

async function findOwnCheck(octokit: Octokit, where: OwnCheck): Promise<number | undefined> {
  const found = await findInPages(
    octokit,
    {
      operation: 'checks.listForRef',
      route: 'GET /repos/{owner}/{repo}/commits/{ref}/check-runs',
      parameters: {
        owner: where.owner,
        repo: where.repo,
        ref: where.headSha,
        check_name: where.name,
        // `latest` would hide all but the newest run of the same name.
        filter: 'all',
      },
    },
    z.object({ check_runs: z.array(checkSchema) }),
    (page) => page.check_runs,
    (check) => check.external_id === where.externalId && check.app?.id === where.appId,
  );
  return found?.id;
}

/** @see https://docs.github.com/en/rest/checks/runs#create-a-check-run */
function toWire(content: CheckContent): Readonly<Record<string, unknown>> {
  return {
    status: content.status,
    details_url: content.detailsUrl,
    started_at: content.startedAt,
    ...(content.conclusion === undefined ? {} : { conclusion: content.conclusion }),
    ...(content.completedAt === undefined ? {} : { completed_at: content.completedAt }),
    // Given each time: what is left out stays.
    actions: (content.actions ?? []).map(({ label, description, identifier }) => ({
      label,
      description,
      identifier,
    })),
    output: {
      title: content.title,
      summary: content.summary,
      ...(content.text === undefined ? {} : { text: content.text }),
      ...(content.annotations === undefined
        ? {}
        : { annotations: content.annotations.slice(0, maxAnnotations).map(toAnnotation) }),
    },
  };
}

const maxAnnotations = 50;

function toAnnotation({ path, line, column, message }: CheckAnnotation): object {
  return {
    path,
    start_line: line,
    end_line: line,
    start_column: column,
    end_column: column,
    annotation_level: 'failure',
    message,
  };
}
