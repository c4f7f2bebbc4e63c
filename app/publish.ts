/**
 * Shows a run on GitHub: one comment and one check run per run, created once and edited in place. What is
 * to be shown and what is known to be shown go in; what is shown now comes out.
 *
 * A failure here never reaches the run; it is remembered with the publication and tried again later.
 */
import { ownCheck, type OwnCheck } from '../shared/github/checks.ts';
import type { Octokit, RepositoryName } from '../shared/github/client.ts';
import { createComment, findOwnComment, react, updateComment } from '../shared/github/comments.ts';
import { commentPage, commitPage, pullPage } from '../shared/github/pages.ts';
import {
  publishOne as publishInPlace,
  type Place,
  type Published,
} from '../shared/github/publish-one.ts';
import { isImageOnly } from '../shared/plan/plan-image.ts';
import { parseMarker } from '../shared/report/marker.ts';
import { renderCard, type CardContext } from '../shared/report/render-card.ts';
import { renderCheck } from '../shared/report/render-check.ts';
import { phaseOf, waitingOf, type Run } from '../shared/watch/run.ts';
import type { Logger } from './log.ts';
import type { Publication } from './store/tables.ts';

interface PublishOptions {
  readonly octokit: Octokit;
  readonly appId: number;
  /** `https://github.com` */
  readonly githubUrl: string;
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
  const card = publishOne(run, known.comment, commentOf(run, options), options, 'comment');
  // The checks lead to the card, so the first time they wait until it is there.
  const detailsUrl = detailsOf(
    run,
    known.comment.id === undefined ? await card : known.comment,
    options,
  );
  const check = (which: Pick<OwnCheck, 'name' | 'externalId'>, shown: Published) =>
    publishOne(run, shown, checkOf(run, which, { ...options, detailsUrl }), options, 'check');
  const [comment, shownCheck, summary, launched] = await Promise.all([
    card,
    check(own, known.check),
    run.plan.summary && check(summaryCheck, known.summary ?? {}),
    known.launched ?? greetLaunch(run, options),
  ]);
  return { comment, check: shownCheck, ...(summary && { summary }), ...(launched && { launched }) };
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

/** Where a check of the run leads: to its card, or where there is none to its job or build, or to what it is about. */
function detailsOf(run: Run, card: Published, { githubUrl, context }: PublishOptions): string {
  const place = { githubUrl, ...repositoryOf(run) };
  const { pullNumber, headSha } = run.plan.subject;
  const { job, build } = context.links;
  if (pullNumber === undefined) return job ?? build ?? commitPage(place, headSha);
  return card.id === undefined || card.gone === true
    ? pullPage(place, pullNumber)
    : commentPage(place, pullNumber, card.id);
}

function checkOf(
  run: Run,
  identity: Pick<OwnCheck, 'name' | 'externalId'>,
  { octokit, appId, context, detailsUrl }: PublishOptions & { readonly detailsUrl: string },
): Place {
  // The run's own check has its buttons.
  const isOwn = identity.name === checkName(run);
  const rendered = renderCheck(run, isOwn ? context : { ...context, takesCommands: false });
  const content = {
    ...rendered,
    detailsUrl,
    startedAt: run.createdAt,
    ...(run.end === undefined ? {} : { completedAt: run.end.at }),
  };
  const { headSha } = run.plan.subject;
  return ownCheck(octokit, { ...repositoryOf(run), ...identity, headSha, appId }, content);
}
