/**
 * How a step ends: its summary, annotations, last line, outputs and exit code. Loaded when it does, because
 * nothing of it is needed to start a job.
 */
import type { EndReason, RefusalReason } from '../shared/errors.ts';
import { isImageOnly } from '../shared/plan/plan-image.ts';
import type { Plan } from '../shared/plan/plan.ts';
import type { Refusal } from '../shared/policy/decision.ts';
import type { Clock } from '../shared/ports.ts';
import { firstLine } from '../shared/report/headline.ts';
import { renderPlan } from '../shared/report/plan.ts';
import type { Run } from '../shared/watch/run.ts';
import { annotation } from './annotation.ts';
import type { Ended } from './commands/cancel.ts';
import type { Validation } from './commands/validate.ts';
import type { Compared } from './compare-with-base.ts';
import type { InputProblem } from './inputs.ts';
import { cancelOutputs, emptyOutputs, outputsOf, type Outputs, type StepState } from './outputs.ts';
import type { Place, Runner } from './runner.ts';
import {
  buildFirstLine,
  buildSummary,
  endedSentence,
  runSummary,
  shortSummary,
} from './summary.ts';
import { sentences } from './workflow-words.ts';

interface Step {
  readonly runner: Runner;
  readonly clock: Clock;
  readonly sandbox: boolean;
}

/** What became of a run, or how far it has come. */
export async function endWithRun(
  { run, why }: Compared,
  { runner, clock, sandbox }: Step,
  overrides: Partial<Outputs> = {},
): Promise<number> {
  const now = clock.now();
  const state = stateOf(run);
  const isBuild = isImageOnly(run.plan);
  const context = { now, sandbox };
  await runner.addSummary(isBuild ? buildSummary(run, context) : runSummary(run, context, why));
  if (state === 'failed' || state === 'cancelled') runner.error(annotation(run, state));
  if (why !== undefined) runner.info(why);
  // The last line is the answer, and the summary's first.
  runner.info(isBuild ? buildFirstLine(run, now) : firstLine(run, { now }));
  return end(runner, { ...outputsOf(run, state, now), ...overrides });
}

function stateOf(run: Run): StepState {
  if (run.end !== undefined) return run.end.outcome;
  if (run.cancel !== undefined) return 'cancelled';
  return isImageOnly(run.plan) && run.image !== undefined ? 'succeeded' : 'running';
}

/** What would be done. */
export async function endWithPlan(
  plan: Plan,
  { runner, clock, sandbox }: Step,
  answer: string,
): Promise<number> {
  await runner.addSummary(renderPlan(plan, { sandbox }));
  runner.info(answer);
  const now = clock.now();
  return end(runner, outputsOf({ plan, createdAt: now.toISOString() }, 'planned', now));
}

/** Everything that `train` would refuse. */
export async function endInvalid(
  { problems, refusals, files }: Validation,
  runner: Runner,
): Promise<number> {
  const answers = [
    ...problems.map(({ message }) => ({ text: message, place: undefined })),
    ...refusals.map((refusal) => ({
      text: sentences(refusal.message, refusal.fix),
      place: placeOf(refusal, files),
    })),
  ].map(({ text, place }) => ({ text: `Would be refused: ${text}`, place }));
  await runner.addSummary(shortSummary(...answers.map(({ text }) => text)));
  for (const { text, place } of answers) runner.error(text, place);
  const reason = problems.length > 0 ? 'bad_argument' : (refusals[0]?.reason ?? 'bad_argument');
  return end(runner, emptyOutputs('refused', reason));
}

/** Everything that is wrong with the inputs. */
export async function endWithProblems(
  problems: readonly InputProblem[],
  runner: Runner,
): Promise<number> {
  const answers = problems.map(({ message }) => `Not started: ${message}`);
  await runner.addSummary(shortSummary(...answers));
  for (const answer of answers) runner.error(answer);
  return end(runner, emptyOutputs('refused', 'bad_argument'));
}

/** @param files those that were read, as the refusal may name them */
export async function endRefused(
  refusal: Refusal,
  runner: Runner,
  files: readonly string[] = [],
): Promise<number> {
  const answer = `Not started: ${sentences(refusal.message, refusal.fix)}`;
  await runner.addSummary(shortSummary(answer));
  runner.error(answer, placeOf(refusal, files));
  return end(runner, emptyOutputs('refused', refusal.reason satisfies RefusalReason));
}

/** What `cancel` has seen to its end. */
export async function endCancelled(
  ended: readonly Ended[],
  runId: string,
  runner: Runner,
): Promise<number> {
  await runner.addSummary(shortSummary(...ended.map(endedSentence)));
  return end(runner, cancelOutputs(ended, runId), 0);
}

/** @param why what happened and what to do, its first line the sentence */
export async function endBroken(
  why: string,
  reason: RefusalReason | EndReason,
  runner: Runner,
): Promise<number> {
  const [sentence = ''] = why.split('\n');
  await runner.addSummary(shortSummary(`Failed: ${sentence}`));
  runner.error(why);
  return end(runner, emptyOutputs('failed', reason));
}

/** `file:line:column` at the beginning of a message about a config, for an annotation in the file itself. */
function placeOf({ reason, message }: Refusal, files: readonly string[]): Place | undefined {
  const [, file, line, column] = /^`(.+?):(\d+):(\d+)`/.exec(message) ?? [];
  return reason === 'bad_config' && file !== undefined && files.includes(file)
    ? { file, line: Number(line), column: Number(column) }
    : undefined;
}

/** @param code the exit code, where the state does not say it */
function end(runner: Runner, outputs: Outputs, code?: number): number {
  for (const [name, value] of Object.entries(outputs)) runner.setOutput(name, value);
  const { state } = outputs;
  return code ?? (state === 'succeeded' || state === 'planned' || state === 'running' ? 0 : 1);
}
