/**
 * The main step: the runner's environment in, an exit code out. Everything that is wrong with the inputs
 * is said at once; the outputs are set however it ends.
 */
import { resolve } from 'node:path';
import { CloudError, UserError, type RefusalReason } from '../shared/errors.ts';
import { googlePorts, parseEndpoint, type GooglePorts } from '../shared/google/index.ts';
import type { Plan } from '../shared/plan/plan.ts';
import { renderPlan } from '../shared/report/plan.ts';
import type { Refusal } from '../shared/policy/decision.ts';
import type { Clock } from '../shared/ports.ts';
import { workingTree } from '../shared/source/working-tree.ts';
import type { Run } from '../shared/watch/run.ts';
import { planBuild } from './commands/build.ts';
import { planTrain } from './commands/train.ts';
import { refuseForkCode } from './event.ts';
import { follow } from './follow.ts';
import { readInputs, type ActionInputs } from './inputs.ts';
import { emptyOutputs, outputsOf, type Outputs, type StepState } from './outputs.ts';
import type { Runner } from './runner.ts';
import { Trouble } from './trouble.ts';
import { buildSummary, endLine, planLines, summaryOf } from './summary.ts';

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

/** @returns the exit code. */
export async function main(world: World): Promise<number> {
  const { runner } = world;
  const inputs = readInputs(world.env);
  if (!inputs.ok) {
    for (const { message } of inputs.problems) runner.error(message);
    return end(runner, emptyOutputs('refused', 'bad_argument'));
  }
  try {
    return await runCommand(inputs.value, world);
  } catch (error) {
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
  const workspace = resolve(env['GITHUB_WORKSPACE'] || '.');
  const refusal = refuseForkCode(env, workspace);
  if (refusal !== undefined) return refuse(refusal, runner);
  const planned = await (inputs.command === 'train' ? planTrain : planBuild)(
    inputs,
    env,
    workspace,
  );
  if (planned.kind === 'rejected') return refuse(planned, runner);
  for (const line of planLines(planned.plan)) runner.info(line);
  if (inputs.dryRun) return showPlan(planned.plan, world, sandbox);
  const trouble = new Trouble(runner, world.clock);
  const google = googlePorts({
    endpoint: env['TRAINYARD_GOOGLE_ENDPOINT'],
    onTrouble: (error) => trouble.note(error),
  });
  const context = { ...world, google, trouble, workspace, sandbox };
  const run = await followRun(planned.plan, inputs, context);
  return report(run, inputs, world, sandbox);
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
  const summary =
    inputs.command === 'build' ? buildSummary(run, state) : summaryOf(run, now, sandbox);
  await runner.addSummary(summary);
  runner.info(endLine(run, state, now));
  if (state === 'failed' || state === 'cancelled') {
    const { message, fix } = run.end ?? {};
    runner.error([message ?? `The run was ${state}.`, fix].filter(Boolean).join(' '));
  }
  return end(runner, outputsOf(run, state, now));
}

function stateOf(run: Run, inputs: ActionInputs): StepState {
  if (run.end !== undefined) return run.end.outcome;
  if (run.cancel !== undefined) return 'cancelled';
  return inputs.command === 'build' && run.image !== undefined ? 'succeeded' : 'running';
}

async function showPlan(plan: Plan, world: World, sandbox: boolean): Promise<number> {
  await world.runner.addSummary(renderPlan(plan, { sandbox }));
  world.runner.info('Dry run: nothing was done.');
  const now = world.clock.now();
  return end(world.runner, outputsOf({ plan, createdAt: now.toISOString() }, 'planned', now));
}

function refuse(refusal: Refusal, runner: Runner): number {
  runner.error(`${refusal.message} ${refusal.fix}`);
  return end(runner, emptyOutputs('refused', refusal.reason satisfies RefusalReason));
}

function end(runner: Runner, outputs: Outputs): number {
  for (const [name, value] of Object.entries(outputs)) runner.setOutput(name, value);
  return outputs.state === 'succeeded' || outputs.state === 'planned' || outputs.state === 'running'
    ? 0
    : 1;
}

/** The sentence for an error that ended the step. The log is the repository's own: a bug may show itself. */
function explain(error: unknown): string {
  if (error instanceof UserError) return `${error.message} ${error.fix}`;
  if (error instanceof CloudError) {
    const status = error.status === 0 ? '' : ` (HTTP ${error.status})`;
    return `Google Cloud refused ${error.operation}${status}: ${error.message}`;
  }
  return `Unexpected error, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
