/**
 * Exactly one of a run, an answer, or silence for one command, however often this is called for it and
 * wherever an earlier attempt died.
 */
import { CloudError } from '../../shared/errors.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import { newReference } from '../log.ts';
import { decideCommand, registerCommand } from '../store/commands.ts';
import { isDatabaseAway } from '../store/database-away.ts';
import { createRun } from '../store/runs.ts';
import { giveAnswer } from './answer.ts';
import { inTurn } from './in-turn.ts';
import { refused } from './refused.ts';
import type { Answer, CommandContext, NewRunOutcome, Outcome, Request, Tell } from './request.ts';

/** After that many attempts the person is told, instead of being left to wait. */
const maxAttempts = 6;

/** Being asked to wait is no failure: the worker gives a delivery up only after hours of it. */
function isEnough({ status }: CloudError, attempt: number): boolean {
  return status !== 429 && attempt >= maxAttempts;
}

/** @throws {CloudError} when a service does not answer and another attempt makes sense; and what the database throws */
export function perform(
  request: Request,
  context: CommandContext,
  decide: () => Outcome | Promise<Outcome>,
  tell: Tell,
): Promise<void> {
  const { repositoryId, origin } = request.key;
  // The same body may come under several delivery ids at once, and none has the others' answer on record yet.
  return inTurn(`${repositoryId}/${origin}`, () => performNow(request, context, decide, tell));
}

async function performNow(
  request: Request,
  context: CommandContext,
  decide: () => Outcome | Promise<Outcome>,
  tell: Tell,
): Promise<void> {
  const { key, actor, attempt } = request;
  const asked = { actorId: actor.id, pullNumber: request.pullNumber };
  const record = await registerCommand(context.db, key, asked, context.now());
  if (record.answered || record.verdict === 'allowed') return;
  let outcome: Outcome;
  try {
    outcome = await decide();
  } catch (error) {
    if (error instanceof CloudError && error.retryable && !isEnough(error, attempt)) throw error;
    // Nothing can be put on record, an answer no more than a run.
    if (isDatabaseAway(error)) throw error;
    outcome = failed(error, request, context);
  }
  if (outcome.verdict === 'run') {
    const refusal = await start(outcome, request, context);
    if (refusal === undefined) return;
    outcome = refused(refusal, request);
  }
  context.metrics.command(outcome.reason ?? outcome.verdict);
  if (outcome.verdict === 'refused') await request.react('confused');
  await giveAnswer(request, context, record.fresh, outcome, tell);
}

/**
 * Verdict and run are stored together; whoever finds them there already has nothing left to do.
 * @returns why the run does not fit below the ceilings any more
 */
async function start(
  { run, admission }: NewRunOutcome,
  { key, installationId }: Request,
  context: CommandContext,
): Promise<Refusal | undefined> {
  const created = { run, key, installationId, admission, now: context.now() };
  const isNew = await createRun(context.db, created);
  if (typeof isNew === 'object') return isNew;
  if (!isNew) {
    await decideCommand(context.db, key, 'allowed', null);
    return undefined;
  }
  context.metrics.command('allowed');
  await context.wakeRun(run.plan.runId).catch((error: unknown) => {
    context.log.warn({ err: error, run: run.plan.runId }, 'no worker was woken; the sweep will');
  });
  return undefined;
}

/** The log has the error, the public its reference. */
function failed(error: unknown, { key }: Request, { log, metrics }: CommandContext): Answer {
  const reference = newReference();
  log.error({ err: error, reference, command: key }, 'a command failed');
  metrics.bug();
  const body =
    `**Not started**: Trainyard could not handle this command, and nothing was created. ` +
    `Ask again; if that does not help, give the reference \`${reference}\` to whoever runs Trainyard.`;
  return { verdict: 'failed', reason: null, body };
}
