/** The job of a Plan: a checked spec and what was chosen for it in, the request's parts out. */
import type { MachineChoice } from '../catalogue/catalogue.ts';
import { gpuOf } from '../catalogue/find-gpu.ts';
import type { CustomJobSpec } from '../config/job-spec.ts';
import type { ProjectSettings } from '../config/project-settings.ts';
import type { TrustTier } from '../policy/decision.ts';
import { shortSha } from '../units.ts';
import type { JobOverrides } from './job-overrides.ts';
import { labelValue, pullLabel, repositoryLabel, shaLabel, tierLabel } from './job-labels.ts';
import { secretsLabel, type JobSecrets } from './job-secrets.ts';
import type { JobPlan, MachineSummary, Subject } from './plan.ts';

interface JobInput {
  readonly runId: string;
  readonly owner: string;
  readonly subject: Subject;
  readonly tier: TrustTier;
  /** Unguessable name of the run's directory; the run's id unless given. */
  readonly runDirectory?: string;
  readonly settings: ProjectSettings;
  readonly overrides?: JobOverrides;
  readonly secrets?: JobSecrets;
}

interface JobChoices {
  readonly region: string;
  readonly timeoutSeconds: number;
  /** The same in Google's form. */
  readonly timeout: string;
  readonly machine: MachineChoice;
}

/** A job that waits longer than this for its machine is ended: nobody waits for ever without knowing. */
const defaultStartTimeoutSeconds = 6 * 3_600;

/**
 * Vertex AI starts a job's workers again after some errors, and does not say whether its timeout begins anew then:
 * what a run may cost is for one timeout. It takes its time to end a job, which is not more than this.
 * @see https://cloud.google.com/vertex-ai/docs/training/overview (resilience)
 */
const timeoutGraceSeconds = 900;

/** Cheap machines are taken away and waited for, so that hours pass that nobody pays for. */
function waitsInBetween({ scheduling }: CustomJobSpec): boolean {
  const strategy = scheduling?.['strategy'];
  return strategy === 'SPOT' || strategy === 'LOW_COST' || strategy === 'FLEX_START';
}

/** Adds what the file leaves open (an end, a place for results, an account), and nothing else. */
export function jobPlan(spec: CustomJobSpec, input: JobInput, choices: JobChoices): JobPlan {
  const { settings, overrides = {} } = input;
  const { region, timeoutSeconds, timeout, machine } = choices;
  const bucket = settings.resultsBuckets[region];
  const ownPrefix = spec.baseOutputDirectory?.outputUriPrefix;
  const ourPrefix = bucket === undefined ? undefined : `gs://${bucket}/${directoryOf(input)}/`;
  // The service adds the last slash itself.
  const outputUriPrefix = ownPrefix === undefined ? ourPrefix : ownPrefix.replace(/\/?$/, '/');
  const addsOutput = ownPrefix === undefined && ourPrefix !== undefined;
  const addsAccount =
    (spec.serviceAccount ?? '') === '' && settings.trainerServiceAccount !== undefined;
  return {
    region,
    displayName: overrides.displayName ?? displayNameOf(input),
    spec: {
      ...spec,
      scheduling: { ...spec.scheduling, timeout },
      ...(addsOutput ? { baseOutputDirectory: { outputUriPrefix: ourPrefix } } : {}),
      ...(addsAccount ? { serviceAccount: settings.trainerServiceAccount } : {}),
    },
    labels: { ...overrides.labels, ...labelsOf(input) },
    machine: summaryOf(spec, machine),
    ...(outputUriPrefix === undefined ? {} : { outputUriPrefix }),
    timeoutSeconds,
    ...(waitsInBetween(spec) ? {} : { deadlineSeconds: timeoutSeconds + timeoutGraceSeconds }),
    startTimeoutSeconds: overrides.startTimeoutSeconds ?? defaultStartTimeoutSeconds,
  };
}

/**
 * Repository and tier come first, so that a trainer's right to write can be bound to them: code of a pull
 * request must not reach what counts as the base branch's results.
 * @see https://docs.cloud.google.com/iam/docs/conditions-overview#resource_attributes (startsWith)
 */
function directoryOf({ subject, tier, runId, runDirectory }: JobInput): string {
  return `${subject.repository.id}/${tier}/${runDirectory ?? runId}`;
}

function summaryOf(spec: CustomJobSpec, machine: MachineChoice): MachineSummary {
  const gpu = gpuOf(machine.acceleratorType);
  return {
    machineType: machine.machineType,
    ...(gpu === undefined ? {} : { gpu: gpu.name, gpuCount: machine.acceleratorCount ?? 1 }),
    replicas: spec.workerPoolSpecs.reduce(
      (sum, pool) => sum + (Object.keys(pool).length === 0 ? 0 : Number(pool.replicaCount ?? '1')),
      0,
    ),
  };
}

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.customJobs#CustomJob.FIELDS.labels */
function labelsOf({
  owner,
  runId,
  subject,
  tier,
  secrets,
}: JobInput): Readonly<Record<string, string>> {
  return {
    'trainyard-owner': labelValue(owner),
    'trainyard-run': labelValue(runId),
    [repositoryLabel]: String(subject.repository.id),
    [shaLabel]: labelValue(subject.headSha),
    [tierLabel]: tier,
    ...(secrets === undefined ? {} : { [secretsLabel]: 'true' }),
    ...(subject.pullNumber === undefined ? {} : { [pullLabel]: String(subject.pullNumber) }),
  };
}

function displayNameOf({ subject, runId }: JobInput): string {
  const pull = subject.pullNumber === undefined ? '' : `#${subject.pullNumber}`;
  return `${subject.repository.fullName}${pull} ${shortSha(subject.headSha)} ${runId}`.slice(-128);
}
