/**
 * The run's one comment on the pull request of the event: the App's card, edited in place, found again by its
 * author and its marker. Whatever goes wrong here is said once and never reaches the run.
 */
import { readFileSync } from 'node:fs';
import { CloudError } from '../shared/errors.ts';
import { withoutRetries, type Octokit, type RepositoryName } from '../shared/github/client.ts';
import { createComment, findOwnComment, updateComment, whoAmI } from '../shared/github/comments.ts';
import { publishOne, type Place, type Published } from '../shared/github/publish-one.ts';
import type { Clock } from '../shared/ports.ts';
import { parseMarker } from '../shared/report/marker.ts';
import { renderCard } from '../shared/report/render-card.ts';
import { phaseOf, waitingOf, type Run } from '../shared/watch/run.ts';
import { consoleLinks } from './outputs.ts';
import type { Runner } from './runner.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface PullRequest extends RepositoryName {
  readonly number: number;
}

/** The least time between two edits while nothing but the time has changed. */
const intervalMs = 60_000;
/** What GitHub may take of a step that is done, and of one that is being killed. */
const lastWordMs = { ended: 20_000, cancelled: 2_000 };

/** Where the comment goes, or one sentence why it goes nowhere. */
export function pullRequestOf(
  env: Environment,
): { readonly pull: PullRequest } | { readonly why: string } {
  const payload = payloadOf(env);
  const number =
    payload.pull_request?.number ??
    (payload.issue?.pull_request === undefined ? undefined : payload.issue.number);
  const [owner = '', repo = ''] = (env['GITHUB_REPOSITORY'] ?? '').split('/');
  if (!Number.isSafeInteger(number) || number === undefined || owner === '' || repo === '') {
    return { why: '`pr_comment`: the event of this workflow run has no pull request.' };
  }
  // GitHub gives workflows on a fork's pull request a token that can only read.
  // @see https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#workflows-in-forked-repositories
  const head = payload.pull_request?.head?.repo?.id;
  const isForeign = head === undefined || head !== payload.repository?.id;
  if (env['GITHUB_EVENT_NAME'] === 'pull_request' && isForeign) {
    return {
      why: "`pr_comment`: the pull request comes from a fork, whose workflow's token may not comment.",
    };
  }
  return { pull: { owner, repo, number } };
}

interface Payload {
  readonly repository?: { readonly id?: number };
  readonly issue?: { readonly number?: number; readonly pull_request?: unknown };
  readonly pull_request?: {
    readonly number?: number;
    readonly head?: { readonly repo?: { readonly id?: number } | null };
  };
}

function payloadOf(env: Environment): Payload {
  try {
    // Written by the runner; every part is checked where it is used.
    return JSON.parse(readFileSync(env['GITHUB_EVENT_PATH'] ?? '', 'utf8')) as Payload;
  } catch {
    return {};
  }
}

/** Shows a run as it goes on; calls may come as often as they like. */
export interface Comment {
  show(run: Run): void;
  /** Shows how it stands when the step ends, and waits for it, but not for long. */
  finish(run: Run): Promise<void>;
  /** The step cannot go on: the last run that was shown, with this as its end. */
  abandon(message: string): Promise<void>;
}

export function commentOn(
  pull: PullRequest,
  octokit: Octokit,
  world: {
    readonly runner: Pick<Runner, 'warning'>;
    readonly clock: Clock;
    readonly sandbox: boolean;
  },
): Comment {
  const { runner, clock, sandbox } = world;
  let known: Published = {};
  let newest: Run | undefined;
  let latest: Run | undefined;
  let working: Promise<void> | undefined;
  const onFailure = warnOnce(runner);
  const publish = async (run: Run, isLast: boolean): Promise<void> => {
    const now = clock.now();
    const text = renderCard(run, { now, sandbox, links: sandbox ? {} : consoleLinks(run) });
    const place = commentWith(text, run.plan.runId, pull, octokit);
    // The last word is due at once, whatever came before it.
    const waits = waitingOf(run) !== undefined;
    const phase = isLast ? 'last' : waits ? 'postponed' : phaseOf(run);
    const last = isLast && known.closed !== true ? omitRetry(known) : known;
    known = await publishOne(last, place, { now, phase, ended: isLast, intervalMs, onFailure });
  };
  /** One at a time, and always the newest. */
  const work = async (): Promise<void> => {
    while (newest !== undefined) {
      const run = newest;
      newest = undefined;
      await publish(run, false).catch(onFailure);
    }
    working = undefined;
  };
  const finish = async (run: Run): Promise<void> => {
    newest = undefined;
    const done = (working ?? Promise.resolve()).then(() => publish(run, true)).catch(onFailure);
    const patienceMs = run.cancel === undefined ? lastWordMs.ended : lastWordMs.cancelled;
    const patience = new AbortController();
    await Promise.race([done, clock.sleep(patienceMs, patience.signal)]);
    patience.abort();
  };
  return {
    finish,
    show: (run) => {
      newest = run;
      latest = run;
      working ??= work();
    },
    abandon: async (message) => {
      if (latest === undefined) return;
      const at = clock.now().toISOString();
      await finish({ ...latest, end: { outcome: 'failed', at, reason: 'internal', message } });
    },
  };
}

function warnOnce(runner: Pick<Runner, 'warning'>): (error: unknown) => void {
  let warned = false;
  return (error) => {
    if (warned) return;
    warned = true;
    const why = error instanceof Error ? error.message : String(error);
    const refused = error instanceof CloudError && error.status === 403;
    const fix = refused ? ' Give the job `permissions: pull-requests: write`.' : '';
    runner.warning(`The comment on the pull request could not be written: ${why}.${fix}`);
  };
}

function commentWith(text: string, runId: string, pull: PullRequest, octokit: Octokit): Place {
  const { owner, repo, number: issueNumber } = pull;
  return {
    text,
    find: async () => {
      const author = await whoAmI(octokit);
      // Not only since the run is known to this step: another one may have shown it hours ago.
      const where = { owner, repo, issueNumber, author };
      return findOwnComment(octokit, where, (body) => parseMarker(body)?.runId === runId);
    },
    create: () => createComment(octokit, pull, issueNumber, text),
    update: (id) => updateComment(octokit, pull, id, text),
  };
}

function omitRetry({ retryAt: _, ...known }: Published): Published {
  return known;
}

/** @see https://docs.github.com/en/actions/reference/workflows-and-actions/variables (GITHUB_API_URL) */
export async function octokitFor(token: string, env: Environment): Promise<Octokit> {
  const { getOctokit } = await import('@actions/github');
  const baseUrl = env['GITHUB_API_URL'] || 'https://api.github.com';
  return withoutRetries(getOctokit(token, { baseUrl }));
}
