/**
 * The main step: the runner's environment in, an exit code out. Everything that is wrong with the inputs
 * is said at once; the outputs are set however it ends.
 */
import { resolve } from 'node:path';
import { CloudError, UserError, type EndReason, type RefusalReason } from '../shared/errors.ts';
import { startRun } from '../shared/flow.ts';
import { parseEndpoint } from '../shared/google/endpoint.ts';
import { stepPorts, type StepPorts } from '../shared/google/step-ports.ts';
import { isImageOnly } from '../shared/plan/plan-image.ts';
import type { Clock, Source } from '../shared/ports.ts';
import { classifyRefusal } from '../shared/watch/classify.ts';
import type { Run } from '../shared/watch/run.ts';
import { planBuild } from './commands/build.ts';
import { asRefusal, planTrain } from './commands/train.ts';
import { filesOf, isValidation, placesOf, validate } from './commands/validate.ts';
import type { Compared } from './compare-with-base.ts';
import { defaultBranchOf, subjectOf } from './event.ts';
import { explain } from './explain.ts';
import { follow } from './follow.ts';
import { credentialsOf } from './identity.ts';
import { given } from './input-groups.ts';
import { readInputs, type ActionInputs } from './inputs.ts';
import { linesToMask, type Runner } from './runner.ts';
import { Trouble } from './trouble.ts';
import { attachedLines, planLines } from './plan-lines.ts';
import type { Comment } from './pr-comment.ts';
import { refuseUntrustedHead } from './untrusted-head.ts';

interface World {
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
/** Vertex AI takes a minute or two to give up its machines. */
const cancelPatienceMs = 10 * 60_000;

const dryRun = 'Dry run: nothing was done.';

/** Loaded when there is something to say at the end: nothing of it is needed to start a job. */
const ending = () => import('./ending.ts');

/** @returns the exit code. */
export async function main(world: World): Promise<number> {
  const { runner } = world;
  try {
    if (isValidation(world.env)) return await runValidation(world);
    const inputs = readInputs(world.env);
    if (inputs.ok) return await runCommand(inputs.value, world);
    return await (await ending()).endWithProblems(inputs.problems, runner);
  } catch (error) {
    return (await ending()).endBroken(explain(error), reasonOf(error), runner);
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
  const context = { ...world, workspace, sandbox };
  if (inputs.command === 'cancel') return runCancel(inputs, connect(inputs, context));
  if (inputs.command === 'follow') return runFollow(inputs, connect(inputs, context));
  const places = placesOf(inputs, workspace);
  const refusal = refuseUntrustedHead(env, places, inputs.allowUntrustedHead);
  if (refusal !== undefined) return (await ending()).endRefused(refusal, runner);
  const planned = await (inputs.command === 'train' ? planTrain : planBuild)(
    inputs,
    env,
    workspace,
  ).catch(asRefusal);
  if (planned.kind === 'rejected')
    return (await ending()).endRefused(planned, runner, filesOf(inputs));
  for (const line of planLines(planned.plan)) runner.info(line);
  if (inputs.dryRun) return (await ending()).endWithPlan(planned.plan, context, dryRun);
  const { plan } = planned;
  const connected = connect(inputs, context);
  const start = await builtHere(startRun(plan, world.clock.now()), inputs, connected);
  const followed = await followRun(start, inputs, connected);
  return (await ending()).endWithRun(followed, context);
}

/** With its image, when that is to be built on this machine. */
async function builtHere(start: Run, inputs: ActionInputs, world: Connected): Promise<Run> {
  const { build } = start.plan;
  if (build?.kind !== 'dockerfile' || build.by !== 'docker') return start;
  const { buildWithDocker } = await import('./commands/build-with-docker.ts');
  return buildWithDocker(start, build, resolve(world.workspace, inputs.context), {
    ...world,
    accessToken: () => world.google.accessToken(),
  });
}

interface Context extends World {
  readonly workspace: string;
  readonly sandbox: boolean;
}

interface Connected extends Context {
  readonly google: StepPorts;
  readonly trouble: Trouble;
}

/** Nothing is asked of Google before a port is used. */
function connect(inputs: ActionInputs, context: Context): Connected {
  const { env, runner, clock } = context;
  const trouble = new Trouble(runner, clock);
  const google = stepPorts({
    endpoint: env['TRAINYARD_GOOGLE_ENDPOINT'],
    credentials: credentialsOf(inputs.identity, env),
    onTrouble: (error) => trouble.note(error),
  });
  const secrets = {
    read: async (version: string) => {
      const value = (await google.secrets?.read(version)) ?? '';
      for (const line of linesToMask(value)) runner.mask(line);
      return value;
    },
  };
  return { ...context, google: { ...google, secrets }, trouble };
}

async function runFollow(inputs: ActionInputs, world: Connected): Promise<number> {
  const { target } = inputs;
  if (target === undefined) throw new Error('follow: the inputs name nothing');
  const subject = subjectOf(world.env, world.workspace);
  const { attach } = await import('./commands/follow.ts');
  const { run: attached, isOurs } = await attach(target, subject, world.google);
  const judgement = { ...given('metric', inputs.metric), ...given('goal', inputs.goal) };
  const run = { ...attached, plan: { ...attached.plan, ...judgement } };
  for (const line of attachedLines(run)) world.runner.info(line);
  if (inputs.dryRun) return (await ending()).endWithPlan(run.plan, world, dryRun);
  // What others have started is theirs to cancel.
  const cancelOnInterrupt = inputs.cancelOnInterrupt && isOurs;
  const followed = await followRun(run, { ...inputs, cancelOnInterrupt }, world, true);
  const overrides = { built: 'false', ...(isOurs ? {} : { run_id: '' }) };
  return (await ending()).endWithRun(followed, world, overrides);
}

async function runCancel(inputs: ActionInputs, world: Connected): Promise<number> {
  const { target, runId = '', projectId: project, region, buildRegion } = inputs;
  const { runner, clock, google, sandbox } = world;
  const what = target ?? { runId, project, region, buildRegion };
  const { cancel } = await import('./commands/cancel.ts');
  const ended = await cancel(
    what,
    { ...google, clock, say: (line) => runner.info(line) },
    {
      pollMs: sandbox ? pollMs.local : pollMs.production,
      settleMs,
      patienceMs: cancelPatienceMs,
    },
  );
  return (await ending()).endCancelled(ended, runId, runner);
}

function reasonOf(error: unknown): RefusalReason | EndReason {
  if (error instanceof UserError) return error.reason;
  if (!(error instanceof CloudError)) return 'internal';
  return classifyRefusal(error.operation, error.status, error.message).reason;
}

function workspaceOf(env: World['env']): string {
  return resolve(env['GITHUB_WORKSPACE'] || '.');
}

/** With the comment on the pull request, when one is wanted. */
async function followRun(
  start: Run,
  inputs: ActionInputs,
  world: Connected,
  attached = false,
): Promise<Compared> {
  const comment = await commentFor(start, inputs, world);
  try {
    const ended = await followTo(start, inputs, world, { attached, comment });
    const compared = await compare(ended, inputs, world);
    await comment?.finish(compared.run);
    return compared;
  } catch (error) {
    const [why = ''] = explain(error).split('\n');
    await comment?.abandon(why);
    throw error;
  }
}

/** Held against the default branch's newest run, where there is anything to compare. */
async function compare(run: Run, { places }: ActionInputs, world: Connected): Promise<Compared> {
  const hasMeasured = Object.keys(run.metrics?.values ?? {}).length > 0;
  if (run.end?.outcome !== 'succeeded' || !hasMeasured) return { run };
  // Nothing of it is loaded while a run has still to be started.
  const { compareWithBase } = await import('./compare-with-base.ts');
  const regions = places.map(({ region }) => region);
  const ports = { ...world.google, clock: world.clock, interrupt: world.interrupt };
  return compareWithBase(run, ports, { regions, branch: defaultBranchOf(world.env) });
}

async function commentFor(
  start: Run,
  { prComment, githubToken }: ActionInputs,
  world: Connected,
): Promise<Comment | undefined> {
  if (!prComment || githubToken === undefined || isImageOnly(start.plan)) return undefined;
  const { env, runner } = world;
  // Most steps write no comment, and do not load what that takes.
  const { commentOn, octokitFor, pullRequestOf } = await import('./pr-comment.ts');
  const found = pullRequestOf(env);
  if ('why' in found) {
    runner.warning(found.why);
    return undefined;
  }
  return commentOn(found.pull, await octokitFor(githubToken, env), world);
}

async function followTo(
  start: Run,
  inputs: ActionInputs,
  world: Connected,
  { attached, comment }: { readonly attached: boolean; readonly comment: Comment | undefined },
): Promise<Run> {
  const source = async (): Promise<Source> => {
    const { workingTree } = await import('../shared/source/working-tree.ts');
    return workingTree(resolve(world.workspace, inputs.context));
  };
  // How it ended is shown once, together with what it is compared with.
  const show = (run: Run): void => (run.end === undefined ? comment?.show(run) : undefined);
  return follow(
    start,
    { ...world, source, show },
    {
      pollMs: world.sandbox ? pollMs.local : pollMs.production,
      settleMs,
      drainMs: world.sandbox ? drainMs.local : drainMs.production,
      wait: attached || inputs.wait,
      cancelOnInterrupt: inputs.cancelOnInterrupt,
      until: isImageOnly(start.plan) ? 'image' : 'end',
      detachAfterMs: inputs.detachAfterSeconds * 1_000,
      attached,
    },
  );
}

async function runValidation(world: World): Promise<number> {
  const { env, runner } = world;
  const validation = await validate(env, workspaceOf(env));
  const { plan } = validation;
  if (plan === undefined) return (await ending()).endInvalid(validation, runner);
  for (const line of planLines(plan)) runner.info(line);
  const sandbox = parseEndpoint(env['TRAINYARD_GOOGLE_ENDPOINT']).kind === 'local';
  const answer = 'Valid: this is what `train` would do.';
  return (await ending()).endWithPlan(plan, { ...world, sandbox }, answer);
}
