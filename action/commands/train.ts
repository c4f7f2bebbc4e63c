/** `command: train`: inputs and the workspace in, a planned run followed to its end out. */
import { randomBytes } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { GpuRequest, TrainCommand } from '../../shared/command/command.ts';
import type { ProjectSettings } from '../../shared/config/project-settings.ts';
import { UserError } from '../../shared/errors.ts';
import { workflowOwner } from '../../shared/launch/requests.ts';
import { planRun, refusalsOf, type PlanInput } from '../../shared/plan/plan-run.ts';
import type { Plan } from '../../shared/plan/plan.ts';
import { newRunId } from '../../shared/plan/run-id.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import { mayBeRead, readContained } from '../../shared/source/contained-file.ts';
import { compareLabelOf } from '../compare-as.ts';
import { gitRefOf, subjectOf } from '../event.ts';
import { given } from '../input-groups.ts';
import type { ActionInputs } from '../inputs.ts';
import { ownerOfHead, tierOfHead } from '../untrusted-head.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Vertex AI's own limit for a custom job. @see https://cloud.google.com/vertex-ai/docs/training/understanding-training-service */
const maxTimeoutSeconds = 7 * 24 * 3_600;

/**
 * Where neither the input nor the config says one: Vertex AI's week is too long for a forgotten job, and a
 * hosted runner ends after six hours.
 * @see https://docs.github.com/en/actions/reference/limits
 */
const defaultTimeoutSeconds = 6 * 3_600;

/** Cloud Build's own default. @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds */
const buildTimeoutSeconds = 3_600;

/** Where the price matters and nobody named one: see the input `max_cost_usd`. */
const maxUsdOfDefaultTimeout = 20;

/** Reads the workspace and plans; nothing is asked of any service. */
export async function planTrain(
  inputs: ActionInputs,
  env: Environment,
  workspace: string,
): Promise<{ readonly kind: 'planned'; readonly plan: Plan } | Refusal> {
  const input = await toTrainInput(inputs, env, workspace);
  const result = planRun(input);
  return result.kind === 'rejected' ? forWorkflow(result, inputs, input) : result;
}

/** The same, and everything that it would be refused for. */
export async function checkTrain(
  inputs: ActionInputs,
  env: Environment,
  workspace: string,
): Promise<{ readonly plan: Plan | undefined; readonly refusals: readonly Refusal[] }> {
  const input = await toTrainInput(inputs, env, workspace);
  const result = planRun(input);
  if (result.kind === 'planned') return { plan: result.plan, refusals: [] };
  const refusals = refusalsOf(input).map((refusal) => forWorkflow(refusal, inputs, input));
  return { plan: undefined, refusals };
}

async function toTrainInput(
  inputs: ActionInputs,
  env: Environment,
  workspace: string,
): Promise<PlanInput> {
  const text = await readContained(workspace, inputs.config);
  const jobConfig = text === undefined ? undefined : { path: inputs.config, text };
  return { ...(await toPlanInput(inputs, env, workspace)), jobConfig };
}

/** @throws {UserError} for files that may not be read; see `asRefusal` */
export async function toPlanInput(
  inputs: ActionInputs,
  env: Environment,
  workspace: string,
): Promise<Omit<PlanInput, 'jobConfig'>> {
  await refuseOutside(workspace, inputs.context);
  return {
    runId: newRunId(randomBytes),
    owner: workflowOwner,
    tier: tierOfHead(env, join(workspace, inputs.context)),
    subject: subjectOf(env, workspace),
    command: toCommand(inputs),
    repoConfig: {
      config: inputs.config,
      dockerfile: inputs.dockerfile,
      timeoutSeconds: defaultTimeoutSeconds,
      ...given('metric', inputs.metric),
      ...given('goal', inputs.goal),
    },
    settings: toSettings(inputs),
    hasDockerfile: await isFile(join(workspace, inputs.context, inputs.dockerfile)),
    ...(await ownBuildOf(inputs, env, workspace)),
    authority: 'workflow',
    ...(inputs.image === undefined ? {} : { image: inputs.image }),
    overrides: { ...inputs.job, labels: { ...inputs.job.labels, ...compareLabelOf(inputs) } },
    ...secretsOf(inputs, env, workspace),
    buildOptions: { timeoutSeconds: buildTimeoutSeconds, ...inputs.build },
  };
}

function secretsOf(
  { secrets, context }: ActionInputs,
  env: Environment,
  workspace: string,
): Pick<PlanInput, 'secrets'> {
  if (secrets === undefined) return {};
  const isOwnCode = ownerOfHead(env, join(workspace, context)) === 'ours';
  return { secrets: { ...secrets, isOwnCode } };
}

async function ownBuildOf(
  { ownBuild }: ActionInputs,
  env: Environment,
  workspace: string,
): Promise<Pick<PlanInput, 'ownBuild'>> {
  if (ownBuild === undefined) return {};
  const { config, ...asked } = ownBuild;
  const text = await readContained(workspace, config);
  const ref = gitRefOf(env);
  return { ownBuild: { path: config, text, ...asked, ...(ref === undefined ? {} : { ref }) } };
}

/** What was found wrong while the workspace was read: nothing has begun. */
export function asRefusal(error: unknown): Refusal {
  if (!(error instanceof UserError)) throw error;
  const { message, fix } = error;
  return { kind: 'rejected', reason: error.reason as Refusal['reason'], message, fix };
}

/** What a workflow's author can do about it that somebody with a comment cannot. */
export function forWorkflow(
  refusal: Refusal,
  inputs: ActionInputs,
  { jobConfig, ownBuild }: PlanInput,
): Refusal {
  switch (refusal.reason) {
    case 'no_dockerfile':
      return noDockerfile(inputs);
    case 'no_config':
      if (ownBuild !== undefined && ownBuild.text === undefined && jobConfig !== undefined)
        return noBuildConfig(ownBuild.path);
      return {
        ...refusal,
        message: `there is no job config \`${inputs.config}\` in the workspace.`,
        fix: 'Check the input `config`, and check the repository out before this step.',
      };
    case 'over_ceiling':
      return { ...refusal, fix: `${refusal.fix} The input \`max_cost_usd\` is the limit.` };
    default:
      return refusal;
  }
}

function noBuildConfig(path: string): Refusal {
  return {
    kind: 'rejected',
    reason: 'no_config',
    message: `there is no build config \`${path}\` in the workspace.`,
    fix: 'Check the input `build_config`, and check the repository out before this step.',
  };
}

function noDockerfile({ dockerfile, context }: ActionInputs): Refusal {
  return {
    kind: 'rejected',
    reason: 'no_dockerfile',
    message: `there is no file \`${dockerfile}\` in the context \`${context}\`.`,
    fix: 'Check the inputs `dockerfile` and `context`, and check the repository out before this step.',
  };
}

function toCommand(inputs: ActionInputs): TrainCommand {
  return {
    kind: 'train',
    dryRun: inputs.dryRun,
    region: inputs.region,
    config: inputs.config,
    ...(inputs.gpu === undefined ? {} : { gpu: toGpu(inputs.gpu) }),
    ...(inputs.machineType === undefined ? {} : { machineType: inputs.machineType }),
    ...(inputs.timeoutSeconds === undefined ? {} : { timeoutSeconds: inputs.timeoutSeconds }),
    ...(inputs.args === undefined ? {} : { args: inputs.args }),
  };
}

/** `T4`, `T4:2` or `none`; inputs.ts has checked the form. */
function toGpu(text: string): GpuRequest {
  const [name = '', count = '1'] = text.split(':');
  return name.toLowerCase() === 'none'
    ? { kind: 'none' }
    : { kind: 'gpu', name, count: Number(count) };
}

/** The workflow's author is the authority here: what an operator's file says for the App, inputs say. */
function toSettings(inputs: ActionInputs): ProjectSettings {
  const { places, maxAttempts, maxCostUsd, prices, buildServiceAccount } = inputs;
  return {
    project: inputs.projectId,
    regions: places.map(({ region }) => region),
    buildRegion: inputs.buildRegion,
    registry: inputs.registry,
    sourceBucket: inputs.sourceBucket,
    logsBucket: inputs.sourceBucket,
    resultsBuckets: Object.fromEntries(places.map(({ region, bucket }) => [region, bucket])),
    ...(maxCostUsd === undefined ? {} : { maxUsdPerRun: maxCostUsd }),
    ...(prices === undefined ? {} : { prices }),
    maxUsdOfDefaultTimeout,
    maxTimeoutSeconds,
    ...(maxAttempts === 1 ? {} : { maxAttempts }),
    allowUnknownMachines: inputs.allowUnknownMachines,
    ...(buildServiceAccount === undefined ? {} : { builderServiceAccount: buildServiceAccount }),
  };
}

/** The inputs cannot name what is outside the workspace, but a link can lead there. */
async function refuseOutside(workspace: string, context: string): Promise<void> {
  const [root, target] = await Promise.all(
    [workspace, join(workspace, context)].map((path) => realpath(path).catch(() => undefined)),
  );
  // What is not there is told of when it is packed.
  if (root === undefined || target === undefined || mayBeRead(root, target)) return;
  throw new UserError(
    'bad_config',
    `the context \`${context}\` leads out of the workspace, or to another step's secrets.`,
    'Give a directory inside the workspace in the input `context`.',
  );
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
}
