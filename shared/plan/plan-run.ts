/**
 * Makes the Plan of a run: an allowed command, the configuration files and what the repository may use in,
 * a Plan or a Refusal out. Pure: a dry run ends here, and the same input always gives the same plan.
 */
import { chooseMachine, describeMachine } from '../catalogue/choose-machine.ts';
import type { Estimate, MachineChoice } from '../catalogue/catalogue.ts';
import { estimate } from '../catalogue/estimate.ts';
import { gpus, pricesAsOf } from '../catalogue/machines.ts';
import type { TrainCommand } from '../command/command.ts';
import { quoteToken } from '../command/quote-token.ts';
import type { CustomJobSpec, MachineSpec, WorkerPoolSpec } from '../config/job-spec.ts';
import { parseJobConfig } from '../config/parse-job-config.ts';
import type { ProjectSettings } from '../config/project-settings.ts';
import { badConfig, type RepoConfig } from '../config/repo-config.ts';
import type { RefusalReason } from '../errors.ts';
import type { Refusal, TrustTier } from '../policy/decision.ts';
import { formatDuration, formatUsd, parseDurationSeconds, shortSha } from '../units.ts';
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
  const { settings, subject, runId } = input;
  const region =
    input.command.region ?? input.repoConfig.region ?? settings.regions[0] ?? 'us-central1';
  if (!settings.regions.includes(region)) return badRegion(region, settings);
  const read = readSpec(input);
  if (read.kind === 'rejected') return read;
  const hardware = withHardware(read.spec, input);
  if ('kind' in hardware) return hardware;
  const timeoutSeconds = chooseTimeout(hardware.spec, input);
  if (timeoutSeconds > settings.maxTimeoutSeconds) return timeoutTooLong(timeoutSeconds, settings);
  const price = checkPrice(hardware.spec, timeoutSeconds, input);
  if ('kind' in price) return price;

  const build = input.image === undefined ? buildPlan(input) : undefined;
  if (build !== undefined && 'kind' in build) return build;
  const image = withImage(hardware.spec, input);
  const job = jobPlan(image.spec, { ...input, region, timeoutSeconds, machine: hardware.machine });
  return {
    kind: 'planned',
    plan: {
      runId,
      owner: input.owner,
      subject,
      tier: input.tier,
      project: settings.project,
      build,
      job,
      estimate: price,
      ...(input.repoConfig.metric === undefined ? {} : { metric: input.repoConfig.metric }),
      notes: [...hardware.notes, ...image.notes],
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

interface Hardware {
  readonly spec: CustomJobSpec;
  readonly machine: MachineChoice;
  readonly notes: readonly string[];
}

/** The command's machine goes into the first pool, which is the one that trains; the others are checked as they are. */
function withHardware(spec: CustomJobSpec, input: PlanInput): Hardware | Refusal {
  const { gpu, machineType } = input.command;
  const notes: string[] = [];
  const pools: WorkerPoolSpec[] = [];
  let first: MachineChoice | undefined;
  for (const [index, pool] of spec.workerPoolSpecs.entries()) {
    if (index > 0 && Object.keys(pool).length === 0) {
      pools.push(pool);
      continue;
    }
    const answer = chooseMachine({
      ...(index === 0 && gpu !== undefined ? { gpu } : {}),
      ...(index === 0 && machineType !== undefined ? { machineType } : {}),
      ...(pool.machineSpec === undefined ? {} : { configured: pool.machineSpec }),
    });
    if (answer.kind === 'rejected') return answer;
    notes.push(...answer.notes);
    first ??= answer.machine;
    pools.push({
      ...pool,
      machineSpec: withMachine(pool.machineSpec, answer.machine),
      replicaCount: pool.replicaCount ?? '1',
    });
  }
  if (first === undefined)
    return reject('bad_config', 'The job config has no worker pool.', 'Add one.');
  const args = input.command.args?.map(escapeExpansion);
  const [head, ...others] = pools;
  const trained =
    args === undefined || head?.containerSpec === undefined
      ? head
      : { ...head, containerSpec: { ...head.containerSpec, args } };
  return {
    spec: { ...spec, workerPoolSpecs: trained === undefined ? others : [trained, ...others] },
    machine: first,
    notes,
  };
}

/** The chosen machine in place of the configured one; what else the file says of it (a reservation, a topology) stays. */
function withMachine(configured: MachineSpec | undefined, machine: MachineChoice): MachineSpec {
  const spec: Record<string, unknown> = { ...configured, ...machine };
  if (machine.acceleratorType === undefined) {
    delete spec['acceleratorType'];
    delete spec['acceleratorCount'];
  }
  return spec;
}

/**
 * Vertex AI expands `$(NAME)` in arguments; what a comment says is meant literally.
 * @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/EnvVar
 */
function escapeExpansion(argument: string): string {
  return argument.replaceAll('$(', '$$$$(');
}

function chooseTimeout(spec: CustomJobSpec, input: PlanInput): number {
  const fromFile = parseDurationSeconds(spec.scheduling?.timeout ?? '');
  const fallback =
    input.authority === 'workflow'
      ? Math.min(vertexDefaultTimeoutSeconds, input.settings.maxTimeoutSeconds)
      : defaultTimeoutSeconds;
  return input.command.timeoutSeconds ?? fromFile ?? input.repoConfig.timeoutSeconds ?? fallback;
}

function checkPrice(
  spec: CustomJobSpec,
  timeoutSeconds: number,
  input: PlanInput,
): Estimate | Refusal {
  const pools = spec.workerPoolSpecs
    .filter((pool) => pool.machineSpec?.machineType !== undefined)
    .map((pool) => ({
      machine: toChoice(pool),
      replicas: Number(pool.replicaCount ?? '1'),
    }));
  const price = estimate(pools, timeoutSeconds);
  if (price === undefined) {
    if (input.authority === 'workflow')
      return { usdPerHour: 0, ceilingUsd: 0, timeoutSeconds, pricesAsOf };
    const names = pools.map(({ machine }) => describeMachine(machine)).join(', ');
    return reject(
      'price_unknown',
      `The price of ${names} is not known, so the run's ceiling cannot be kept.`,
      'Choose a machine with a known price, such as `gpu=T4` or `gpu=A100`.',
    );
  }
  const limit = Math.min(input.settings.maxUsdPerRun, input.repoConfig.maxUsd ?? Infinity);
  if (price.ceilingUsd <= limit) return price;
  const affordable = Math.floor((limit / price.usdPerHour) * 60);
  return reject(
    'over_ceiling',
    `The run could cost ${formatUsd(price.ceilingUsd)} (${formatUsd(price.usdPerHour)}/h for ${formatDuration(timeoutSeconds)}), and a run may cost at most ${formatUsd(limit)}.`,
    affordable >= 1
      ? `Add \`timeout=${affordable}m\`, or choose a cheaper machine.`
      : 'Choose a cheaper machine.',
  );
}

function toChoice(pool: WorkerPoolSpec): MachineChoice {
  const { machineType = '', acceleratorType, acceleratorCount } = pool.machineSpec ?? {};
  return {
    machineType,
    ...(acceleratorType === undefined ? {} : { acceleratorType }),
    ...(acceleratorCount === undefined ? {} : { acceleratorCount }),
  };
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

/** Vertex AI's own images (reduction server and the like) are not what the commit trains with. */
const vertexImages = /^(us|europe|asia)-docker\.pkg\.dev\/vertex-ai/;

function withImage(
  spec: CustomJobSpec,
  input: PlanInput,
): { spec: CustomJobSpec; notes: readonly string[] } {
  const notes: string[] = [];
  const workerPoolSpecs = spec.workerPoolSpecs.map((pool) => {
    const container = pool.containerSpec;
    if (container === undefined || vertexImages.test(container.imageUri ?? '')) return pool;
    const named = container.imageUri;
    if (input.image !== undefined)
      return { ...pool, containerSpec: { ...container, imageUri: input.image } };
    if (named !== undefined && named !== imagePlaceholder) {
      notes.push(
        `The job config names the image ${quoteToken(named)}; the run uses the image that is built from this commit.`,
      );
    }
    return { ...pool, containerSpec: { ...container, imageUri: imagePlaceholder } };
  });
  return { spec: { ...spec, workerPoolSpecs }, notes: [...new Set(notes)] };
}

function jobPlan(
  spec: CustomJobSpec,
  input: PlanInput & {
    readonly region: string;
    readonly timeoutSeconds: number;
    readonly machine: MachineChoice;
  },
): JobPlan {
  const { subject, settings, runId, region, machine } = input;
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
      scheduling: { ...spec.scheduling, timeout: `${input.timeoutSeconds}s` },
      ...(outputUriPrefix === undefined ? {} : { baseOutputDirectory: { outputUriPrefix } }),
      ...(serviceAccount === undefined ? {} : { serviceAccount }),
    },
    labels: {
      'trainyard-owner': input.owner,
      'trainyard-run': runId,
      'trainyard-repository': String(subject.repository.id),
      'trainyard-commit': subject.headSha,
      ...(subject.pullNumber === undefined ? {} : { 'trainyard-pull': String(subject.pullNumber) }),
    },
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
    timeoutSeconds: input.timeoutSeconds,
    startTimeoutSeconds,
  };
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
