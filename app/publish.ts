/**
 * Shows a run on GitHub: one comment and one check run per run, created once and edited in place. What is
 * to be shown and what is known to be shown go in; what is shown now comes out.
 *
 * A failure here never reaches the run; it is remembered with the publication and tried again later.
 */
import { ownCheck } from '../shared/github/checks.ts';
import type { Octokit, RepositoryName } from '../shared/github/client.ts';
import { createComment, findOwnComment, react, updateComment } from '../shared/github/comments.ts';
import {
  publishOne as publishInPlace,
  type Place,
  type Published,
} from '../shared/github/publish-one.ts';
import { isImageOnly } from '../shared/plan/plan-image.ts';
import { parseMarker } from '../shared/report/marker.ts';
import { renderCard, type CardContext } from '../shared/report/render-card.ts';
import { renderCheck } from '../shared/report/render-check.ts';
import { waitingOf } from '../shared/watch/postponed.ts';
import { phaseOf, type Run } from '../shared/watch/run.ts';
import type { Logger } from './log.ts';
import type { Publication } from './store/tables.ts';

export interface PublishOptions {
  readonly octokit: Octokit;
  readonly appId: number;
  /** The comment that asked for the run; undefined when none did. */
  readonly commentId: number | undefined;
  readonly cardIntervalMs: number;
  readonly context: CardContext;
  readonly log: Logger;
}

/** What the run is for: `trainyard/train` or `trainyard/build`. */
function checkName({ plan }: Run): string {
  return isImageOnly(plan) ? 'trainyard/build' : 'trainyard/train';
}

/** One for each commit, whatever runs it has. */
export const summaryCheck = { name: 'trainyard', externalId: 'summary' } as const;

/** Brings comment and check up to date as far as their limits allow. Does not throw. */
export async function publish(
  run: Run,
  known: Publication,
  options: PublishOptions,
): Promise<Publication> {
  const own = { name: checkName(run), externalId: run.plan.runId };
  const [comment, check, summary, launched] = await Promise.all([
    publishOne(run, known.comment, commentOf(run, options), options, 'comment'),
    publishOne(run, known.check, checkOf(run, own, options), options, 'check'),
    run.plan.summary &&
      publishOne(run, known.summary ?? {}, checkOf(run, summaryCheck, options), options, 'check'),
    known.launched ?? greetLaunch(run, options),
  ]);
  return { comment, check, ...(summary && { summary }), ...(launched && { launched }) };
}

/** A rocket on the comment, once its job is there. A courtesy: it is not tried again for long. */
async function greetLaunch(
  run: Run,
  { octokit, commentId, log }: PublishOptions,
): Promise<true | undefined> {
  if (run.job?.name === undefined || commentId === undefined) return undefined;
  try {
    await react(octokit, repositoryOf(run), commentId, 'rocket');
    return true;
  } catch (error) {
    log.warn({ err: error, run: run.plan.runId }, 'could not react to a comment');
    return run.end === undefined ? undefined : true;
  }
}

/** When to try again what GitHub did not take; undefined when nothing is open. */
export function publishAgainAt(publication: Publication): Date | undefined {
  const { comment, check, summary = {} } = publication;
  const instants = [comment, check, summary].flatMap(({ closed, retryAt }) =>
    closed === true || retryAt === undefined ? [] : [Date.parse(retryAt)],
  );
  return instants.length === 0 ? undefined : new Date(Math.min(...instants));
}

async function publishOne(
  run: Run,
  known: Published,
  place: Place,
  { context, cardIntervalMs, log }: PublishOptions,
  what: 'comment' | 'check',
): Promise<Published> {
  return publishInPlace(known, place, {
    now: context.now,
    phase: shownPhase(run, what),
    ended: run.end !== undefined,
    intervalMs: cardIntervalMs,
    onFailure: (error) => {
      log.warn({ err: error, run: run.plan.runId, what }, 'GitHub did not take an update');
    },
  });
}

/** Whatever is to be shown at once when it changes. */
function shownPhase(run: Run, what: 'comment' | 'check'): string {
  const phase = waitingOf(run) === undefined ? phaseOf(run) : 'postponed';
  // A card that is complete is edited once more when a newer commit comes.
  return what === 'comment' && run.superseded ? `${phase} superseded` : phase;
}

export function repositoryOf(run: Run): RepositoryName {
  const [owner = '', repo = ''] = run.plan.subject.repository.fullName.split('/');
  return { owner, repo };
}

function commentOf(run: Run, { octokit, appId, context }: PublishOptions): Place {
  const repository = repositoryOf(run);
  const { pullNumber } = run.plan.subject;
  const text = pullNumber === undefined ? undefined : renderCard(run, context);
  const issueNumber = pullNumber ?? 0;
  return {
    text,
    find: () =>
      findOwnComment(
        octokit,
        { ...repository, issueNumber, author: { appId }, since: run.createdAt },
        (body) => parseMarker(body)?.runId === run.plan.runId,
      ),
    create: () => createComment(octokit, repository, issueNumber, text ?? ''),
    update: (id) => updateComment(octokit, repository, id, text ?? ''),
  };
}

function checkOf(
  run: Run,
  identity: { readonly name: string; readonly externalId: string },
  { octokit, appId, context }: PublishOptions,
): Place {
  // The run's own check has its buttons.
  const isOwn = identity.name === checkName(run);
  const rendered = renderCheck(run, isOwn ? context : { ...context, takesCommands: false });
  const content = {
    ...rendered,
    startedAt: run.createdAt,
    ...(run.end === undefined ? {} : { completedAt: run.end.at }),
  };
  const { headSha } = run.plan.subject;
  return ownCheck(octokit, { ...repositoryOf(run), ...identity, headSha, appId }, content);
}
