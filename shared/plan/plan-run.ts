/**
 * Makes the Plan of a run: an allowed command, the configuration files and what the repository may use in,
 * a Plan or a Refusal out. Pure: a dry run ends here, and the same input always gives the same plan.
 */
import type { Rates } from '../catalogue/catalogue.ts';
import { otherRegions, trainingRegions } from '../catalogue/regions.ts';
import type { TrainCommand } from '../command/command.ts';
import { quoteToken } from '../command/quote-token.ts';
import type { CustomJobSpec } from '../config/job-spec.ts';
import type { MachinesFromElsewhere } from '../config/check-spec.ts';
import { parseJobConfig } from '../config/parse-job-config.ts';
import type { ProjectSettings } from '../config/project-settings.ts';
import { badConfig, type RepoConfig } from '../config/repo-config.ts';
import type { RefusalReason } from '../errors.ts';
import type { Refusal, TrustTier } from '../policy/decision.ts';
import { formatDuration, nearest, shortSha } from '../units.ts';
import { checkPrice } from './check-price.ts';
import { chooseHardware } from './choose-hardware.ts';
import { chooseTimeout } from './choose-timeout.ts';
import { namesBuiltImage } from './built-image.ts';
import { escapeExpansion, vertexImages, withArguments } from './job-arguments.ts';
import { jobPlan } from './job-plan.ts';
import { otherPlaces } from './other-places.ts';
import { forbiddenFields } from './open-fields.ts';
import { imagePlaceholder, type BuildPlan, type Plan, type Subject } from './plan.ts';

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

const buildTimeoutSeconds = 1_800;

export function planRun(
  input: PlanInput,
): { readonly kind: 'planned'; readonly plan: Plan } | Refusal {
  const { settings, command, authority, repoConfig } = input;
  const place = chooseRegion(input);
  if (place.kind === 'rejected') return place;
  const { region } = place;
  const read = readSpec(input);
  if (read.kind === 'rejected') return read;
  const rates: Rates = { region, ...(settings.prices && { prices: settings.prices }) };
  const hardware = chooseHardware(read.spec, command, {
    region,
    rates,
    allowUnknown: settings.allowUnknownMachines ?? false,
    audience: authority === 'app' ? 'comment' : 'workflow',
    // A workflow names its one region itself, and may as well name another.
    ...(authority === 'app' ? { regions: settings.regions } : {}),
  });
  if (hardware.kind === 'rejected') return hardware;
  const timeout = chooseTimeout(hardware.spec, {
    asked: command.timeoutSeconds,
    repository: repoConfig.timeoutSeconds,
    max: settings.maxTimeoutSeconds,
    authority,
  });
  if (timeout.seconds > settings.maxTimeoutSeconds)
    return timeoutTooLong(timeout.seconds, settings);
  const price = checkPrice(hardware.spec, timeout.seconds, {
    maxUsd: lowest(settings.maxUsdPerRun, repoConfig.maxUsd),
    mayShorten: authority === 'workflow' || command.timeoutSeconds === undefined,
    attempts: settings.maxAttempts ?? 1,
    rates,
  });
  if (price.kind === 'rejected') return price;

  const image = withImage(hardware.spec, input);
  const build = image.needsBuild ? buildPlan(input) : undefined;
  if (build !== undefined && 'kind' in build) return build;
  // A comment's words are meant literally; a workflow's author may use the job's variables.
  const args = authority === 'app' ? command.args?.map(escapeExpansion) : command.args;
  const spec = args === undefined ? image.spec : withArguments(image.spec, args);
  const { timeoutSeconds } = price.estimate;
  const choices = {
    timeoutSeconds,
    timeout: timeoutSeconds === timeout.seconds ? timeout.wire : `${timeoutSeconds}s`,
    machine: hardware.machine,
  };
  const job = jobPlan(spec, input, { region, ...choices });
  const elsewhere = otherPlaces(spec, input, region).map((place) =>
    jobPlan(spec, input, { region: place, ...choices }),
  );
  const notes = [
    ...place.notes,
    ...hardware.notes,
    ...timeout.notes,
    ...price.notes,
    ...image.notes,
    ...doubts(job.spec),
  ];
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
      ...(elsewhere.length === 0 ? {} : { elsewhere }),
      ...(settings.maxAttempts === undefined ? {} : { maxAttempts: settings.maxAttempts }),
      estimate: price.estimate,
      notes,
    },
  };
}

function lowest(...ceilings: readonly (number | undefined)[]): number | undefined {
  const set = ceilings.filter((ceiling) => ceiling !== undefined);
  return set.length === 0 ? undefined : Math.min(...set);
}

function chooseRegion({
  settings,
  command,
  repoConfig,
  authority,
}: PlanInput):
  | { readonly kind: 'region'; readonly region: string; readonly notes: readonly string[] }
  | Refusal {
  const region = command.region ?? repoConfig.region ?? settings.regions[0] ?? 'us-central1';
  if (!settings.regions.includes(region)) return badRegion(region, settings);
  if (authority === 'app' && settings.resultsBuckets[region] === undefined)
    return noResultsBucket(region, settings);
  if (trainingRegions.includes(region)) return { kind: 'region', region, notes: [] };
  const message = `Vertex AI does not train in ${quoteToken(region)} as far as is known.`;
  if (settings.allowUnknownMachines === true || otherRegions.includes(region))
    return { kind: 'region', region, notes: [`${message} It is tried all the same.`] };
  const near = nearest(region, trainingRegions);
  const hint = near === undefined ? '' : `Did you mean \`${near}\`? `;
  const some = trainingRegions.slice(0, 8).join(', ');
  return reject('region_not_allowed', message, `${hint}Regions are ${some} …`);
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
  const substitutions = {
    PROJECT_ID: input.settings.project,
    IMAGE: input.image ?? imagePlaceholder,
    SHORT_SHA: shortSha(input.subject.headSha),
  };
  const machines = machinesFromElsewhere(input);
  const parsed = parseJobConfig(jobConfig.text, jobConfig.path, substitutions, machines);
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

/** A pull request's file may leave its machines to the default; a workflow's only where an input names one. */
function machinesFromElsewhere({ authority, command }: PlanInput): MachinesFromElsewhere {
  if (authority === 'app') return 'every';
  const isAsked = command.machineType !== undefined || command.gpu?.kind === 'gpu';
  return isAsked ? 'first' : 'none';
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
    // Builds of pull requests push with the same account, and could put something else behind the base's layers.
    ...(input.authority === 'app' && input.tier === 'base' ? { layerCache: false } : {}),
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
  const needsBuild = namesBuiltImage(workerPoolSpecs);
  if (authority === 'workflow' && image === undefined && !needsBuild)
    notes.push('The job config names no `$IMAGE`, so nothing is built and its own image runs.');
  return { spec: { ...spec, workerPoolSpecs }, needsBuild, notes: [...new Set(notes)] };
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
