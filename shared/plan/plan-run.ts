/**
 * Makes the Plan of a run: an allowed command, the configuration files and what the repository may use in,
 * a Plan or a Refusal out. Pure: a dry run ends here, and the same input always gives the same plan.
 */
import type { Rates } from '../catalogue/catalogue.ts';
import type { TrainCommand } from '../command/command.ts';
import { quoteToken } from '../command/quote-token.ts';
import type { CustomJobSpec } from '../config/job-spec.ts';
import type { ProjectSettings } from '../config/project-settings.ts';
import type { RepoConfig } from '../config/repo-config.ts';
import { reject, type Refusal, type TrustTier } from '../policy/decision.ts';
import { formatDuration, typedDuration } from '../units.ts';
import type { BuildOptions } from './build-options.ts';
import { namesBuiltImage } from './built-image.ts';
import { checkPrice, lowestCeiling, type Price, type PricedParts } from './check-price.ts';
import { commandOverrides } from './command-overrides.ts';
import { chooseHardware, type Hardware } from './choose-hardware.ts';
import { chooseRegion } from './choose-region.ts';
import { chooseTimeout, type Timeout } from './choose-timeout.ts';
import { escapeExpansion, vertexImages, withArguments } from './job-arguments.ts';
import { withReplicas, type JobOverrides } from './job-overrides.ts';
import { checkSecrets, type Checked, type JobSecrets, type SecretsRequest } from './job-secrets.ts';
import { jobPlan } from './job-plan.ts';
import { otherPlaces } from './other-places.ts';
import { planBuild, type PlannedBuild } from './plan-build.ts';
import type { OwnBuildRequest } from './plan-own-build.ts';
import { imagePlaceholder, type BuildPlan, type Plan, type Subject } from './plan.ts';
import { readSpec, type RefusalOfMany } from './read-spec.ts';

export interface PlanInput {
  readonly runId: string;
  readonly owner: string;
  readonly tier: TrustTier;
  /** Unguessable name of the run's directory; the run's id unless given. */
  readonly runDirectory?: string;
  readonly subject: Subject;
  readonly command: TrainCommand;
  readonly repoConfig: RepoConfig;
  readonly settings: ProjectSettings;
  /** Undefined when the commit has no such file. */
  readonly jobConfig: { readonly path: string; readonly text: string } | undefined;
  readonly hasDockerfile: boolean;
  /** The repository's own build config instead of its Dockerfile. */
  readonly ownBuild?: OwnBuildRequest;
  /** Who answers for the job config: a pull request's file may set less than a workflow's author. */
  readonly authority: 'app' | 'workflow';
  /** A finished image to run instead of building one. */
  readonly image?: string;
  /** What a workflow sets beside its job config; a comment has none. */
  readonly overrides?: JobOverrides;
  /** A comment has none. */
  readonly secrets?: SecretsRequest;
  /** How the image is built; a comment has none. */
  readonly buildOptions?: BuildOptions;
}

type Planned = { readonly kind: 'planned'; readonly plan: Plan };

export function planRun(input: PlanInput): Planned | Refusal {
  const answer = tryToPlan(input);
  if (answer.kind === 'planned') return answer;
  const { kind, reason, message, fix } = answer.refusals[0];
  return { kind, reason, message, fix };
}

/** Everything that a plan would be refused for, as far as one thing can be judged without another. */
export function refusalsOf(input: PlanInput): readonly Refusal[] {
  const answer = tryToPlan(input);
  if (answer.kind === 'planned') return [];
  return answer.refusals.flatMap((refusal) => ('each' in refusal ? refusal.each : [refusal]));
}

type Refusals = readonly [Refusal | RefusalOfMany, ...(Refusal | RefusalOfMany)[]];

function tryToPlan(
  asked: PlanInput,
): Planned | { readonly kind: 'rejected'; readonly refusals: Refusals } {
  const { command, authority } = asked;
  const input = { ...asked, overrides: { ...commandOverrides(command), ...asked.overrides } };
  const refusals: (Refusal | RefusalOfMany)[] = [];
  const kept = <T extends { readonly kind: string }>(
    answer: T | Refusal | RefusalOfMany,
  ): Exclude<T, { readonly kind: 'rejected' }> | undefined => {
    if (!isRefusal(answer)) return answer as Exclude<T, { readonly kind: 'rejected' }>;
    refusals.push(answer);
    return undefined;
  };
  const place = kept(chooseRegion(input));
  const read = kept(readSpec(input));
  const hardware = read && kept(hardwareOf(read.spec, input, place?.region));
  const timeout = read && kept(timeoutOf(read.spec, input));
  const image = read && withImage(hardware?.spec ?? read.spec, input);
  const building = image?.needsBuild === true ? planBuild(input) : undefined;
  const parts = { region: place?.region, build: building && buildOf(building) };
  const price = hardware && timeout && kept(priceOf(hardware.spec, timeout, input, parts));
  const built = building && kept(building);
  const secrets = image && kept(secretsOf(image.spec, input));
  const [first, ...others] = refusals;
  if (first !== undefined) return { kind: 'rejected', refusals: [first, ...others] };
  // Nothing was refused, so everything is there.
  if (!place || !hardware || !timeout || !price || !image) throw new Error('a plan without parts');

  // A comment's words are meant literally; a workflow's author may use the job's variables.
  const args = authority === 'app' ? command.args?.map(escapeExpansion) : command.args;
  const spec = args === undefined ? image.spec : withArguments(image.spec, args);
  const { timeoutSeconds } = price.estimate;
  const choices = {
    timeoutSeconds,
    timeout: timeoutSeconds === timeout.seconds ? timeout.wire : `${timeoutSeconds}s`,
    machine: hardware.machine,
  };
  const { region } = place;
  const job = jobPlan(spec, input, { region, ...choices });
  const elsewhere = price.elsewhere.map((other) => ({
    ...jobPlan(spec, input, { region: other.region, ...choices }),
    ...(other.usdPerHour === undefined ? {} : { usdPerHour: other.usdPerHour }),
  }));
  const noted = [place, hardware, timeout, price, image, built, secrets];
  const notes = [...noted.flatMap((part) => part?.notes ?? []), ...doubts(job.spec)];
  return {
    kind: 'planned',
    plan: planOf(input, { build: built?.build, job, elsewhere, notes }, price),
  };
}

function isRefusal(answer: { readonly kind: string }): answer is Refusal {
  return answer.kind === 'rejected';
}

function planOf(
  { runId, owner, subject, tier, settings, secrets, repoConfig: { metric, goal } }: PlanInput,
  {
    elsewhere,
    ...parts
  }: Pick<Plan, 'build' | 'job' | 'notes'> & Required<Pick<Plan, 'elsewhere'>>,
  { estimate }: Price,
): Plan {
  return {
    runId,
    owner,
    subject,
    tier,
    project: settings.project,
    ...parts,
    ...(elsewhere.length === 0 ? {} : { elsewhere }),
    ...(secrets === undefined ? {} : { secrets: withoutRequest(secrets) }),
    ...(settings.maxAttempts === undefined ? {} : { maxAttempts: settings.maxAttempts }),
    estimate,
    ...(metric === undefined ? {} : { metric }),
    ...(goal === undefined ? {} : { goal }),
  };
}

/** What is asked of the code is answered by then. */
function withoutRequest({ versions, allowPlain }: SecretsRequest): JobSecrets {
  return { versions, allowPlain };
}

function secretsOf(spec: CustomJobSpec, { secrets, settings }: PlanInput): Checked | Refusal {
  if (secrets === undefined) return { kind: 'checked', notes: [] };
  const account = spec.serviceAccount ?? settings.trainerServiceAccount ?? '';
  return checkSecrets(spec, secrets, account !== '');
}

function hardwareOf(
  spec: CustomJobSpec,
  { settings, command, authority, overrides }: PlanInput,
  region: string | undefined,
): Hardware | Refusal {
  const hardware = chooseHardware(spec, command, {
    ...(region === undefined ? {} : { region }),
    rates: ratesOf(settings, region),
    allowUnknown: settings.allowUnknownMachines ?? false,
    audience: authority === 'app' ? 'comment' : 'workflow',
    // A workflow names its one region itself, and may as well name another.
    ...(authority === 'app' ? { regions: settings.regions } : {}),
  });
  if (hardware.kind === 'rejected') return hardware;
  return { ...hardware, spec: withReplicas(hardware.spec, overrides?.replicaCount) };
}

function timeoutOf(
  spec: CustomJobSpec,
  { settings, command, authority, repoConfig }: PlanInput,
): Timeout | Refusal {
  const timeout = chooseTimeout(spec, {
    asked: command.timeoutSeconds,
    repository: repoConfig.timeoutSeconds,
    max: settings.maxTimeoutSeconds,
    authority,
  });
  return timeout.seconds > settings.maxTimeoutSeconds
    ? timeoutTooLong(timeout.seconds, settings)
    : timeout;
}

function priceOf(
  spec: CustomJobSpec,
  timeout: Timeout,
  input: PlanInput,
  { region, build }: Pick<PricedParts, 'region' | 'build'>,
): Price | Refusal {
  const { settings, repoConfig, authority, command } = input;
  const isDefault = timeout.from === 'default';
  const limits = {
    maxUsd: lowestCeiling(settings.maxUsdPerRun, repoConfig.maxUsd, command.maxUsd),
    ...(isDefault && settings.maxUsdOfDefaultTimeout !== undefined
      ? { maxUsdOfDefaultTimeout: settings.maxUsdOfDefaultTimeout }
      : {}),
    // What somebody has just typed is not changed, nor what a workflow's author wrote into the file.
    mayShorten: isDefault || (timeout.from === 'file' && authority === 'app'),
    attempts: settings.maxAttempts ?? 1,
    ...(settings.prices === undefined ? {} : { prices: settings.prices }),
  };
  const elsewhere = region === undefined ? [] : otherPlaces(spec, input, region);
  return checkPrice(spec, timeout.seconds, limits, { region, elsewhere, build });
}

/** What is refused of it is said where it is kept. */
function buildOf(building: PlannedBuild | Refusal): BuildPlan | undefined {
  return building.kind === 'planned' ? building.build : undefined;
}

function ratesOf({ prices }: ProjectSettings, region: string | undefined): Rates {
  return { ...(region === undefined ? {} : { region }), ...(prices && { prices }) };
}

/** GPUs that can be waited for. @see https://cloud.google.com/vertex-ai/docs/training/schedule-jobs-dws */
const flexibleGpus = /_(?:L4|A100|A100_80GB|H100_80GB|H100_MEGA_80GB|H200_141GB|B200)$/;

/** What the service is said to refuse, though its own description allows it. */
function doubts(spec: CustomJobSpec): readonly string[] {
  const notes: string[] = [];
  if ((spec['tensorboard'] ?? '') !== '' && (spec.serviceAccount ?? '') === '')
    notes.push('Vertex AI refuses a `tensorboard` without a `serviceAccount`.');
  const gpu = spec.workerPoolSpecs[0]?.machineSpec?.acceleratorType ?? '';
  if (spec.scheduling?.['strategy'] === 'FLEX_START' && !flexibleGpus.test(gpu))
    notes.push('Vertex AI offers FLEX_START for L4, A100, H100, H200 and B200 only.');
  return notes;
}

interface ImageChoice {
  readonly spec: CustomJobSpec;
  readonly needsBuild: boolean;
  readonly notes: readonly string[];
}

/**
 * Puts the image into each pool. In the App every pool runs what the commit builds, whatever its file names;
 * a workflow's file may name images that are finished, and then nothing is built for them.
 */
function withImage(spec: CustomJobSpec, { authority, image }: PlanInput): ImageChoice {
  const notes: string[] = [];
  const workerPoolSpecs = spec.workerPoolSpecs.map((pool, index) => {
    const container = pool.containerSpec;
    const named = container?.imageUri ?? '';
    if (container === undefined || named === imagePlaceholder) return pool;
    if (authority === 'workflow' && image === undefined) return pool;
    if (named === image || (index > 0 && vertexImages.test(named))) return pool;
    const used =
      image === undefined ? 'the image that is built from this commit' : 'the given image';
    notes.push(`The job config names the image ${quoteToken(named)}; the run uses ${used}.`);
    return { ...pool, containerSpec: { ...container, imageUri: image ?? imagePlaceholder } };
  });
  const needsBuild = namesBuiltImage(workerPoolSpecs);
  if (authority === 'workflow' && image === undefined && !needsBuild)
    notes.push('The job config names no `$IMAGE`, so nothing is built and its own image runs.');
  return { spec: { ...spec, workerPoolSpecs }, needsBuild, notes: [...new Set(notes)] };
}

function timeoutTooLong(seconds: number, settings: ProjectSettings): Refusal {
  // In the unit that was typed: days where it is whole days.
  const text = seconds % 86_400 === 0 ? formatDuration : typedDuration;
  const limit = text(settings.maxTimeoutSeconds);
  return reject(
    'timeout_too_long',
    `A timeout of ${text(seconds)} is more than the ${limit} that a run may take.`,
    `Write \`timeout=${limit.replace(' ', '')}\` or less.`,
  );
}
