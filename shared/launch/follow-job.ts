/**
 * A job that is there already in, a Run that can be followed like one of our own out. The plan is what the job says
 * of itself; what it does not say stays unknown. Pure.
 */
import { gpuOf } from '../catalogue/find-gpu.ts';
import { checkPrice } from '../plan/check-price.ts';
import { toMachineChoice } from '../plan/choose-hardware.ts';
import type { JobPlan, Plan } from '../plan/plan.ts';
import type { JobDescription } from '../ports.ts';
import { parseDurationSeconds } from '../units.ts';
import type { Run } from '../watch/run.ts';
import { withoutEntryShim } from './entry-shim.ts';

/** What a run's job gets from the service when nobody says otherwise. @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/CustomJobSpec#Scheduling */
const defaultTimeoutSeconds = 7 * 24 * 3_600;

/** Where a job is. */
export interface JobPlace {
  readonly project: string;
  readonly region: string;
}

/** What follows a job knows of it beside what it says: whose run it is, and how long it is waited for. */
type Follower = Pick<Plan, 'runId' | 'owner' | 'subject' | 'tier'> &
  Pick<JobPlan, 'startTimeoutSeconds'>;

export function followJob(
  { snapshot, displayName, spec: described }: JobDescription,
  { project, region }: JobPlace,
  { startTimeoutSeconds, ...known }: Follower,
): Run {
  const spec = withoutShim(described);
  const timeoutSeconds =
    parseDurationSeconds(spec.scheduling?.timeout ?? '') ?? defaultTimeoutSeconds;
  const outputUriPrefix = spec.baseOutputDirectory?.outputUriPrefix.replace(/\/?$/, '/');
  const price = checkPrice(
    spec,
    timeoutSeconds,
    { maxUsd: undefined, attempts: 1, mayShorten: false },
    { region, elsewhere: [], build: undefined },
  );
  if (price.kind === 'rejected') throw new Error('a price without a ceiling was refused');
  const createdAt = snapshot.createTime ?? snapshot.startTime ?? new Date(0).toISOString();
  return {
    createdAt,
    plan: {
      ...known,
      project,
      build: undefined,
      job: {
        region,
        displayName,
        spec,
        labels: snapshot.labels,
        machine: machineOf(spec),
        ...(outputUriPrefix === undefined ? {} : { outputUriPrefix }),
        timeoutSeconds,
        startTimeoutSeconds,
      },
      estimate: price.estimate,
      notes: price.notes,
    },
    // Without its snapshot: the first look reads the log, also of a job that has ended.
    job: { intent: { at: createdAt }, name: snapshot.name },
  };
}

function machineOf(spec: JobDescription['spec']): JobPlan['machine'] {
  const choice = toMachineChoice(spec.workerPoolSpecs[0]?.machineSpec);
  const gpu = gpuOf(choice.acceleratorType);
  return {
    machineType: choice.machineType,
    ...(gpu === undefined ? {} : { gpu: gpu.name, gpuCount: choice.acceleratorCount ?? 1 }),
    replicas: spec.workerPoolSpecs.reduce(
      (sum, pool) => sum + (pool.machineSpec === undefined ? 0 : Number(pool.replicaCount ?? 1)),
      0,
    ),
  };
}

/** A job that reads secrets runs our lines before its own program. */
function withoutShim(spec: JobDescription['spec']): JobDescription['spec'] {
  const workerPoolSpecs = spec.workerPoolSpecs.map((pool) => {
    const { containerSpec } = pool;
    if (containerSpec?.command === undefined) return pool;
    const command = withoutEntryShim(containerSpec.command);
    return { ...pool, containerSpec: { ...containerSpec, command } };
  });
  return { ...spec, workerPoolSpecs };
}
