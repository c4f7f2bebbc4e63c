/**
 * Makes the Plan of a run: an allowed command, the configuration files and what the repository may use in,
 * a Plan or a Refusal out. Pure: a dry run ends here, and the same input always gives the same plan.
 */
import type { MachineChoice } from '../catalogue/catalogue.ts';
import { gpus } from '../catalogue/machines.ts';
import type { TrainCommand } from '../command/command.ts';
import { quoteToken } from '../command/quote-token.ts';
import type { CustomJobSpec } from '../config/job-spec.ts';
import { parseJobConfig } from '../config/parse-job-config.ts';
import type { ProjectSettings } from '../config/project-settings.ts';
import { badConfig, type RepoConfig } from '../config/repo-config.ts';
import type { RefusalReason } from '../errors.ts';
import type { Refusal, TrustTier } from '../policy/decision.ts';
import { formatDuration, shortSha } from '../units.ts';
import { checkPrice } from './check-price.ts';
import { chooseHardware } from './choose-hardware.ts';
import { escapeExpansion, vertexImages, withArguments } from './job-arguments.ts';
import { forbiddenFields } from './open-fields.ts';
import { imagePlaceholder, type BuildPlan, type JobPlan, type Plan, type Subject } from './plan.ts';

export interface PlanInput {
  readonly runId: string;
  readonly owner: string;
  readonly tier: TrustTier;
  readonly subject: Subject;
  readonly command: TrainCommand;
  readonly repoConfig: RepoConfig;
  readonly settings: ProjectSettings;
  /** Undefined when the commit has no such file. */
  readonly jobConfig: { readonly path: string; readonly text: string } | undefined;
  readonly hasDockerfile: boolean;
  /** Who answers for the job config: a pull request's file may set less than a workflow's author. */
  readonly authority: 'app' | 'workflow';
  /** A finished image to run instead of building one. */
  readonly image?: string;
}

/** A job that waits longer than this for its machine is ended: nobody waits for ever without knowing. */
const startTimeoutSeconds = 6 * 3_600;
const defaultTimeoutSeconds = 3_600;
/** Vertex AI's own default where a workflow's file says nothing. */
const vertexDefaultTimeoutSeconds = 7 * 86_400;
const buildTimeoutSeconds = 1_800;

export function planRun(
  input: PlanInput,
): { readonly kind: 'planned'; readonly plan: Plan } | Refusal {
  const { settings, command, authority, repoConfig } = input;
  const region = command.region ?? repoConfig.region ?? settings.regions[0] ?? 'us-central1';
  if (!settings.regions.includes(region)) return badRegion(region, settings);
  if (authority === 'app' && settings.resultsBuckets[region] === undefined)
    return noResultsBucket(region, settings);
  const read = readSpec(input);
  if (read.kind === 'rejected') return read;
  const hardware = chooseHardware(read.spec, command, authority);
  if (hardware.kind === 'rejected') return hardware;
  const timeout = chooseTimeout(hardware.spec, input);
  if (timeout.seconds > settings.maxTimeoutSeconds)
    return timeoutTooLong(timeout.seconds, settings);
  const price = checkPrice(hardware.spec, timeout.seconds, {
    maxUsd: Math.min(settings.maxUsdPerRun, repoConfig.maxUsd ?? Infinity),
    mustBeKnown: authority === 'app',
  });
  if (price.kind === 'rejected') return price;

  const image = withImage(hardware.spec, input);
  const build = image.needsBuild ? buildPlan(input) : undefined;
  if (build !== undefined && 'kind' in build) return build;
  // A comment's words are meant literally; a workflow's author may use the job's variables.
  const args = authority === 'app' ? command.args?.map(escapeExpansion) : command.args;
  const spec = args === undefined ? image.spec : withArguments(image.spec, args);
  const job = jobPlan(spec, input, {
    region,
    timeoutSeconds: timeout.seconds,
    machine: hardware.machine,
  });
  const notes = [...hardware.notes, ...timeout.notes, ...price.notes, ...image.notes];
  if (region !== 'us-central1') notes.push('Prices are those of us-central1.');
  return {
    kind: 'planned',
    plan: {
      runId: input.runId,
      owner: input.owner,
      subject: input.subject,
      tier: input.tier,
      project: settings.project,
      build,
      job,
      estimate: price.estimate,
      notes,
    },
  };
}

function readSpec(
  input: PlanInput,
): { readonly kind: 'read'; readonly spec: CustomJobSpec } | Refusal {
  const { jobConfig, command, repoConfig } = input;
  if (jobConfig === undefined) {
    const path = command.config ?? repoConfig.config;
    return reject(
      'no_config',
      `There is no job config ${quoteToken(path)} in this commit.`,
      'Add it, or name another one with `config=`.',
    );
  }
  const parsed = parseJobConfig(jobConfig.text, jobConfig.path, {
    PROJECT_ID: input.settings.project,
    IMAGE: input.image ?? imagePlaceholder,
    SHORT_SHA: shortSha(input.subject.headSha),
  });
  if (!parsed.ok) return badConfig(parsed.problems);
  const read = { kind: 'read', spec: parsed.value } as const;
  if (input.authority === 'workflow') return read;
  const forbidden = forbiddenFields(parsed.value);
  if (forbidden.length === 0) return read;
  return reject(
    'field_not_allowed',
    `${quoteToken(jobConfig.path)} sets ${forbidden.map((field) => `\`${field}\``).join(', ')}, which a pull request may not.`,
    'Remove it: identity, network and output come from the operator of Trainyard.',
  );
}

interface Timeout {
  readonly seconds: number;
  readonly notes: readonly string[];
}

/**
 * The command's, else the file's, else the repository's, else an hour. What the person asks for is refused
 * when it is too long; what a pull request's file says is cut to the repository's own limit.
 */
function chooseTimeout(spec: CustomJobSpec, input: PlanInput): Timeout {
  const { command, repoConfig, settings, authority } = input;
  if (command.timeoutSeconds !== undefined) return { seconds: command.timeoutSeconds, notes: [] };
  const wire = Math.ceil(Number.parseFloat(spec.scheduling?.timeout ?? '0'));
  const fromFile = wire > 0 ? wire : undefined;
  if (authority === 'workflow') {
    const fallback = Math.min(vertexDefaultTimeoutSeconds, settings.maxTimeoutSeconds);
    return { seconds: fromFile ?? repoConfig.timeoutSeconds ?? fallback, notes: [] };
  }
  const limit = Math.min(repoConfig.timeoutSeconds ?? Infinity, settings.maxTimeoutSeconds);
  if (fromFile === undefined)
    return {
      seconds: Math.min(repoConfig.timeoutSeconds ?? defaultTimeoutSeconds, limit),
      notes: [],
    };
  if (fromFile <= limit) return { seconds: fromFile, notes: [] };
  const note = `The job config's timeout of ${formatDuration(fromFile)} was cut to ${formatDuration(limit)}.`;
  return { seconds: limit, notes: [note] };
}

function buildPlan(input: PlanInput): BuildPlan | Refusal {
  const { settings, repoConfig, subject } = input;
  if (!input.hasDockerfile) {
    return reject(
      'no_dockerfile',
      `There is no ${quoteToken(repoConfig.dockerfile)} in this commit.`,
      'Add one whose ENTRYPOINT trains the model, or name it in `.github/trainyard.yml` (`dockerfile:`).',
    );
  }
  return {
    region: settings.buildRegion,
    dockerfile: repoConfig.dockerfile,
    imageName: `${settings.registry}/${imageNameOf(subject)}`,
    sourceBucket: settings.sourceBucket,
    logsBucket: settings.logsBucket,
    ...(settings.builderServiceAccount === undefined
      ? {}
      : { serviceAccount: settings.builderServiceAccount }),
    timeoutSeconds: buildTimeoutSeconds,
  };
}

/** Repository names have capitals and dots that image names may not begin or end with. */
function imageNameOf(subject: Subject): string {
  const name = subject.repository.fullName.split('/')[1] ?? '';
  const clean = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return clean === '' ? `repository-${subject.repository.id}` : clean;
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
  const needsBuild = workerPoolSpecs.some(
    (pool) => pool.containerSpec?.imageUri === imagePlaceholder,
  );
  if (authority === 'workflow' && image === undefined && !needsBuild)
    notes.push('The job config names no `$IMAGE`, so nothing is built and its own image runs.');
  return { spec: { ...spec, workerPoolSpecs }, needsBuild, notes: [...new Set(notes)] };
}

interface JobChoices {
  readonly region: string;
  readonly timeoutSeconds: number;
  readonly machine: MachineChoice;
}

function jobPlan(spec: CustomJobSpec, input: PlanInput, choices: JobChoices): JobPlan {
  const { subject, settings, runId } = input;
  const { region, timeoutSeconds, machine } = choices;
  const bucket = settings.resultsBuckets[region];
  const ownOutput = spec.baseOutputDirectory?.outputUriPrefix;
  const outputUriPrefix =
    ownOutput === undefined
      ? bucket === undefined
        ? undefined
        : `gs://${bucket}/${subject.repository.id}/${runId}/`
      : ownOutput.replace(/\/?$/, '/');
  const serviceAccount = spec.serviceAccount ?? settings.trainerServiceAccount;
  const gpu = gpus.find(({ acceleratorType }) => acceleratorType === machine.acceleratorType);
  return {
    region,
    displayName: displayNameOf(input),
    spec: {
      ...spec,
      scheduling: { ...spec.scheduling, timeout: `${timeoutSeconds}s` },
      ...(outputUriPrefix === undefined ? {} : { baseOutputDirectory: { outputUriPrefix } }),
      ...(serviceAccount === undefined ? {} : { serviceAccount }),
    },
    labels: labelsOf(input),
    machine: {
      machineType: machine.machineType,
      ...(gpu === undefined ? {} : { gpu: gpu.name, gpuCount: machine.acceleratorCount ?? 1 }),
      replicas: spec.workerPoolSpecs.reduce(
        (sum, pool) =>
          sum + (Object.keys(pool).length === 0 ? 0 : Number(pool.replicaCount ?? '1')),
        0,
      ),
    },
    ...(outputUriPrefix === undefined ? {} : { outputUriPrefix }),
    timeoutSeconds,
    startTimeoutSeconds,
  };
}

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.customJobs#CustomJob.FIELDS.labels */
function labelsOf({ owner, runId, subject }: PlanInput): Readonly<Record<string, string>> {
  return {
    'trainyard-owner': labelValue(owner),
    'trainyard-run': labelValue(runId),
    'trainyard-repository': String(subject.repository.id),
    'trainyard-sha': labelValue(shortSha(subject.headSha)),
    ...(subject.pullNumber === undefined ? {} : { 'trainyard-pr': String(subject.pullNumber) }),
  };
}

/** Labels hold lower-case letters, digits, `_` and `-`, at most 63 of them. */
function labelValue(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '-')
    .slice(0, 63);
}

function displayNameOf({ subject, runId }: PlanInput): string {
  const pull = subject.pullNumber === undefined ? '' : `#${subject.pullNumber}`;
  return `${subject.repository.fullName}${pull} ${shortSha(subject.headSha)} ${runId}`.slice(-128);
}

function badRegion(region: string, settings: ProjectSettings): Refusal {
  const regions = settings.regions.map((name) => `\`${name}\``).join(', ');
  return reject(
    'region_not_allowed',
    `Runs of this repository may not use ${quoteToken(region)}.`,
    `Allowed: ${regions}.`,
  );
}

function noResultsBucket(region: string, settings: ProjectSettings): Refusal {
  const regions = Object.keys(settings.resultsBuckets).map((name) => `\`${name}\``);
  return reject(
    'region_not_allowed',
    `There is no bucket for results in ${quoteToken(region)}.`,
    regions.length === 0
      ? 'Ask the operator of Trainyard to name one.'
      : `Regions that have one: ${regions.join(', ')}.`,
  );
}

function timeoutTooLong(seconds: number, settings: ProjectSettings): Refusal {
  const limit = formatDuration(settings.maxTimeoutSeconds);
  return reject(
    'timeout_too_long',
    `A timeout of ${formatDuration(seconds)} is more than the ${limit} that a run may take.`,
    `Write \`timeout=${Math.floor(settings.maxTimeoutSeconds / 60)}m\` or less.`,
  );
}

function reject(reason: RefusalReason, message: string, fix: string): Refusal {
  return { kind: 'rejected', reason, message, fix };
}
