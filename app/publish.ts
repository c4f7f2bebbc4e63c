/**
 * Shows a run on GitHub: one comment and one check run per run, created once and edited in place. What is
 * to be shown and what is known to be shown go in; what is shown now comes out.
 *
 * A failure here never reaches the run. It is remembered with the publication and tried again later, the
 * end of a run for days if need be, since a check that is never completed blocks a pull request.
 */
import { createHash } from 'node:crypto';
import { CloudError } from '../shared/errors.ts';
import { createCheck, findOwnCheck, updateCheck } from '../shared/github/checks.ts';
import type { Octokit, RepositoryName } from '../shared/github/client.ts';
import { createComment, findOwnComment, updateComment } from '../shared/github/comments.ts';
import { parseMarker } from '../shared/report/marker.ts';
import { renderCard, type CardContext } from '../shared/report/render-card.ts';
import { renderCheck } from '../shared/report/render-check.ts';
import { phaseOf, type Run } from '../shared/watch/run.ts';
import type { Logger } from './log.ts';
import type { Publication, Published } from './store/tables.ts';

export interface PublishOptions {
  readonly octokit: Octokit;
  readonly appId: number;
  readonly cardIntervalMs: number;
  readonly context: CardContext;
  readonly log: Logger;
}

export const checkName = 'trainyard/train';

/** Between the first attempt and the last lie about three days. */
const maxFailures = 300;
const maxRetryMs = 15 * 60_000;

/** Brings comment and check up to date as far as their limits allow. Does not throw. */
export async function publish(
  run: Run,
  known: Publication,
  options: PublishOptions,
): Promise<Publication> {
  const [comment, check] = await Promise.all([
    publishOne(run, known.comment, commentOf(run, options), options, 'comment'),
    publishOne(run, known.check, checkOf(run, options), options, 'check'),
  ]);
  return { comment, check };
}

/** When to try again what GitHub did not take; undefined when nothing is open. */
export function publishAgainAt(publication: Publication): Date | undefined {
  const instants = [publication.comment, publication.check].flatMap(({ closed, retryAt }) =>
    closed === true || retryAt === undefined ? [] : [Date.parse(retryAt)],
  );
  return instants.length === 0 ? undefined : new Date(Math.min(...instants));
}

/** Where one thing is shown: its text, and how it is found, made and changed. */
interface Place {
  /** Undefined: there is nowhere to show it. */
  readonly text: string | undefined;
  find(): Promise<number | undefined>;
  create(): Promise<number>;
  update(id: number): Promise<void>;
}

async function publishOne(
  run: Run,
  known: Published,
  place: Place,
  options: PublishOptions,
  what: string,
): Promise<Published> {
  const { now } = options.context;
  const phase = phaseOf(run);
  if (known.closed === true) return known;
  if (place.text === undefined) return { closed: true };
  if (known.retryAt !== undefined && Date.parse(known.retryAt) > now.getTime()) return known;
  const digest = createHash('sha256').update(place.text).digest('hex');
  const ended = run.end !== undefined;
  const isDue =
    known.phase !== phase ||
    known.retryAt !== undefined ||
    (known.digest !== digest &&
      now.getTime() - Date.parse(known.at ?? '') >= options.cardIntervalMs);
  if (!isDue) return known;
  try {
    // Looked for before it is made: an earlier attempt may have made it and not lived to tell.
    let id = known.id ?? (await place.find());
    if (id === undefined) id = await place.create();
    else if (known.digest !== digest) await place.update(id);
    return { id, digest, phase, at: now.toISOString(), ...(ended ? { closed: true } : {}) };
  } catch (error) {
    options.log.warn({ err: error, run: run.plan.runId, what }, 'GitHub did not take an update');
    return afterFailure(known, error, now);
  }
}

function afterFailure(known: Published, error: unknown, now: Date): Published {
  const failures = (known.failures ?? 0) + 1;
  // Somebody deleted it: that is an answer, and making it anew would be rude.
  const isGone =
    error instanceof CloudError &&
    (error.status === 404 || error.status === 410) &&
    known.id !== undefined;
  if (isGone || failures >= maxFailures) return { ...known, failures, closed: true };
  const asked = error instanceof CloudError ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
  const backoff = Math.min(maxRetryMs, 1_000 * 2 ** Math.min(failures, 20));
  const retryAt = new Date(now.getTime() + Math.max(asked, backoff)).toISOString();
  return { ...known, failures, retryAt };
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
        { ...repository, issueNumber, appId, since: run.createdAt },
        (body) => parseMarker(body)?.runId === run.plan.runId,
      ),
    create: () => createComment(octokit, repository, issueNumber, text ?? ''),
    update: (id) => updateComment(octokit, repository, id, text ?? ''),
  };
}

function checkOf(run: Run, { octokit, appId, context }: PublishOptions): Place {
  const repository = repositoryOf(run);
  const rendered = renderCheck(run, context);
  const content = {
    ...rendered,
    startedAt: run.createdAt,
    ...(run.end === undefined ? {} : { completedAt: run.end.at }),
  };
  const where = {
    ...repository,
    name: checkName,
    headSha: run.plan.subject.headSha,
    externalId: run.plan.runId,
  };
  return {
    text: JSON.stringify(content),
    find: () => findOwnCheck(octokit, { ...where, appId }),
    create: () => createCheck(octokit, where, content),
    update: (id) => updateCheck(octokit, repository, id, content),
  };
}
