/**
 * The main step: the runner's environment in, an exit code out. Everything that is wrong with the inputs
 * is said at once; the outputs are set however it ends.
 */
import { resolve } from 'node:path';
import { UserError, type RefusalReason } from '../shared/errors.ts';
import { googlePorts, parseEndpoint, type GooglePorts } from '../shared/google/index.ts';
import type { Plan } from '../shared/plan/plan.ts';
import { firstLine } from '../shared/report/headline.ts';
import { renderPlan } from '../shared/report/plan.ts';
import type { Refusal } from '../shared/policy/decision.ts';
import type { Clock } from '../shared/ports.ts';
import { workingTree } from '../shared/source/working-tree.ts';
import type { Run } from '../shared/watch/run.ts';
import { planBuild } from './commands/build.ts';
import { planTrain } from './commands/train.ts';
import { isValidation, validate } from './commands/validate.ts';
import { refuseForkCode } from './event.ts';
import { explain } from './explain.ts';
import { follow } from './follow.ts';
import { credentialsOf } from './identity.ts';
import { readInputs, type ActionInputs } from './inputs.ts';
import { emptyOutputs, outputsOf, type Outputs, type StepState } from './outputs.ts';
import type { Place, Runner } from './runner.ts';
import { Trouble } from './trouble.ts';
import { buildFirstLine, buildSummary, planLines, runSummary, shortSummary } from './summary.ts';
import { sentences } from './workflow-words.ts';

export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly runner: Runner;
  readonly clock: Clock;
  /** Aborted when the runner asks us to stop. */
  readonly interrupt: AbortSignal;
}

/** How often to look: Vertex AI's states change slowly, the sandbox's do not. */
const pollMs = { production: 10_000, local: 500 };
/** How long Google's lists may lag behind a create. */
const settleMs = 30_000;
/** How late the last lines of a job's log may come: they say why it failed, and the machine is off by then. */
const drainMs = { production: 20_000, local: 5_000 };

/** @returns the exit code. */
export async function main(world: World): Promise<number> {
  const { runner } = world;
  try {
    if (isValidation(world.env)) return await showValidation(world);
    const inputs = readInputs(world.env);
    if (inputs.ok) return await runCommand(inputs.value, world);
    const answers = inputs.problems.map(({ message }) => `Not started: ${message}`);
    await runner.addSummary(shortSummary(...answers));
    for (const answer of answers) runner.error(answer);
    return end(runner, emptyOutputs('refused', 'bad_argument'));
  } catch (error) {
    const [sentence = ''] = explain(error).split('\n');
    await runner.addSummary(shortSummary(`Failed: ${sentence}`));
    runner.error(explain(error));
    const reason = error instanceof UserError ? error.reason : 'internal';
    return end(runner, emptyOutputs('failed', reason));
  }
}

async function runCommand(inputs: ActionInputs, world: World): Promise<number> {
  const { env, runner } = world;
  const endpoint = parseEndpoint(env['TRAINYARD_GOOGLE_ENDPOINT']);
  const sandbox = endpoint.kind === 'local';
  if (sandbox) {
    runner.warning(
      `TRAINYARD_GOOGLE_ENDPOINT is set: everything goes to ${endpoint.url} and nothing to Google Cloud. GPUs are simulated there.`,
    );
  }
  const workspace = workspaceOf(env);
  const refusal = refuseForkCode(env, workspace);
  if (refusal !== undefined) return refuse(refusal, world, undefined);
  const planned = await (inputs.command === 'train' ? planTrain : planBuild)(
    inputs,
    env,
    workspace,
  );
  if (planned.kind === 'rejected') return refuse(planned, world, placeOf(planned, inputs.config));
  for (const line of planLines(planned.plan)) runner.info(line);
  if (inputs.dryRun) return showPlan(planned.plan, world, sandbox, 'Dry run: nothing was done.');
  const trouble = new Trouble(runner, world.clock);
  const google = googlePorts({
    endpoint: env['TRAINYARD_GOOGLE_ENDPOINT'],
    credentials: credentialsOf(inputs.identity, env),
    onTrouble: (error) => trouble.note(error),
  });
  const context = { ...world, google, trouble, workspace, sandbox };
  const run = await followRun(planned.plan, inputs, context);
  return report(run, inputs, world, sandbox);
}

function workspaceOf(env: World['env']): string {
  return resolve(env['GITHUB_WORKSPACE'] || '.');
}

async function followRun(
  plan: Plan,
  inputs: ActionInputs,
  world: World & {
    readonly google: GooglePorts;
    readonly trouble: Trouble;
    readonly workspace: string;
    readonly sandbox: boolean;
  },
): Promise<Run> {
  const source = workingTree(resolve(world.workspace, inputs.context));
  const wantsImage = inputs.command === 'build';
  return follow(
    plan,
    { ...world, source },
    {
      pollMs: world.sandbox ? pollMs.local : pollMs.production,
      settleMs,
      drainMs: world.sandbox ? drainMs.local : drainMs.production,
      wait: inputs.wait,
      cancelOnInterrupt: inputs.cancelOnInterrupt,
      until: wantsImage ? 'image' : 'end',
    },
  );
}

async function report(
  run: Run,
  inputs: ActionInputs,
  world: World,
  sandbox: boolean,
): Promise<number> {
  const { runner } = world;
  const now = world.clock.now();
  const state = stateOf(run, inputs);
  const wantsImage = inputs.command === 'build';
  await runner.addSummary((wantsImage ? buildSummary : runSummary)(run, { now, sandbox }));
  if (state === 'failed' || state === 'cancelled') {
    const { message, fix } = run.end ?? {};
    runner.error(sentences(message ?? `the run was ${state}`, fix));
  }
  // The last line is the answer, and the summary's first.
  runner.info(wantsImage ? buildFirstLine(run, now) : firstLine(run, { now }));
  return end(runner, outputsOf(run, state, now));
}

function stateOf(run: Run, inputs: ActionInputs): StepState {
  if (run.end !== undefined) return run.end.outcome;
  if (run.cancel !== undefined) return 'cancelled';
  return inputs.command === 'build' && run.image !== undefined ? 'succeeded' : 'running';
}

async function showPlan(
  plan: Plan,
  world: World,
  sandbox: boolean,
  answer: string,
): Promise<number> {
  await world.runner.addSummary(renderPlan(plan, { sandbox }));
  world.runner.info(answer);
  const now = world.clock.now();
  return end(world.runner, outputsOf({ plan, createdAt: now.toISOString() }, 'planned', now));
}

async function showValidation(world: World): Promise<number> {
  const { env, runner } = world;
  const { plan, problems, refusals, config } = await validate(env, workspaceOf(env));
  if (plan !== undefined) {
    for (const line of planLines(plan)) runner.info(line);
    const sandbox = parseEndpoint(env['TRAINYARD_GOOGLE_ENDPOINT']).kind === 'local';
    return showPlan(plan, world, sandbox, 'Valid: this is what `train` would do.');
  }
  const answers = [
    ...problems.map(({ message }) => ({ text: message, place: undefined })),
    ...refusals.map((refusal) => ({
      text: sentences(refusal.message, refusal.fix),
      place: placeOf(refusal, config),
    })),
  ].map(({ text, place }) => ({ text: `Would be refused: ${text}`, place }));
  await runner.addSummary(shortSummary(...answers.map(({ text }) => text)));
  for (const { text, place } of answers) runner.error(text, place);
  const reason = problems.length > 0 ? 'bad_argument' : (refusals[0]?.reason ?? 'bad_argument');
  return end(runner, emptyOutputs('refused', reason));
}

async function refuse(
  refusal: Refusal,
  { runner }: World,
  place: Place | undefined,
): Promise<number> {
  const answer = `Not started: ${sentences(refusal.message, refusal.fix)}`;
  await runner.addSummary(shortSummary(answer));
  runner.error(answer, place);
  return end(runner, emptyOutputs('refused', refusal.reason satisfies RefusalReason));
}

/** `file:line:column` at the beginning of a message about the config, for an annotation in the file itself. */
function placeOf({ reason, message }: Refusal, config: string | undefined): Place | undefined {
  const [, file, line, column] = /^`(.+?):(\d+):(\d+)`/.exec(message) ?? [];
  return reason === 'bad_config' && file !== undefined && file === config
    ? { file, line: Number(line), column: Number(column) }
    : undefined;
}

function end(runner: Runner, outputs: Outputs): number {
  for (const [name, value] of Object.entries(outputs)) runner.setOutput(name, value);
  return outputs.state === 'succeeded' || outputs.state === 'planned' || outputs.state === 'running'
    ? 0
    : 1;
}
