/**
 * A build or job that is there already in, a Run that can be followed like one of our own out. The plan is
 * what the job says of itself; what it does not say stays unknown. Pure.
 */
import { createHash } from 'node:crypto';
import { gpuOf } from '../shared/catalogue/find-gpu.ts';
import { withoutEntryShim } from '../shared/launch/entry-shim.ts';
import { ownerLabel, ownerTag, runLabel } from '../shared/launch/requests.ts';
import { checkPrice } from '../shared/plan/check-price.ts';
import { toMachineChoice } from '../shared/plan/choose-hardware.ts';
import type { JobPlan, Plan, Subject } from '../shared/plan/plan.ts';
import type { JobDescription } from '../shared/ports.ts';
import { parseDurationSeconds } from '../shared/units.ts';
import type { BuildSnapshot, Run } from '../shared/watch/run.ts';
import type { ResourceName } from './resource-input.ts';

/** What a run's job gets from the service when nobody says otherwise. @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/CustomJobSpec#Scheduling */
const defaultTimeoutSeconds = 7 * 24 * 3_600;

export interface Attached {
  readonly run: Run;
  /** It carries the labels of a run that a workflow has started. */
  readonly isOurs: boolean;
}

export function attachedJob(
  { snapshot, displayName, spec: described }: JobDescription,
  { project, region }: ResourceName,
  follower: Subject,
  owner: string,
): Attached {
  const { labels } = snapshot;
  const spec = withoutShim(described);
  const first = spec.workerPoolSpecs[0];
  const choice = toMachineChoice(first?.machineSpec);
  const gpu = gpuOf(choice.acceleratorType);
  const timeoutSeconds =
    parseDurationSeconds(spec.scheduling?.timeout ?? '') ?? defaultTimeoutSeconds;
  const outputUriPrefix = spec.baseOutputDirectory?.outputUriPrefix.replace(/\/?$/, '/');
  const job: JobPlan = {
    region,
    displayName,
    spec,
    labels,
    machine: {
      machineType: choice.machineType,
      ...(gpu === undefined ? {} : { gpu: gpu.name, gpuCount: choice.acceleratorCount ?? 1 }),
      replicas: spec.workerPoolSpecs.reduce(
        (sum, pool) => sum + (pool.machineSpec === undefined ? 0 : Number(pool.replicaCount ?? 1)),
        0,
      ),
    },
    ...(outputUriPrefix === undefined ? {} : { outputUriPrefix }),
    timeoutSeconds,
    // Whoever only follows gives up on nothing.
    startTimeoutSeconds: Infinity,
  };
  const price = checkPrice(
    spec,
    timeoutSeconds,
    { maxUsd: undefined, attempts: 1, mayShorten: false },
    { region, elsewhere: [], build: undefined },
  );
  if (price.kind === 'rejected') throw new Error('a price without a ceiling was refused');
  const isOurs = isRunId(labels[runLabel]) && labels[ownerLabel] === owner;
  const createdAt = snapshot.createTime ?? snapshot.startTime ?? new Date(0).toISOString();
  return {
    isOurs,
    run: {
      createdAt,
      plan: {
        ...planOf(snapshot.name, labels[runLabel]),
        owner: labels[ownerLabel] ?? '',
        subject: subjectOf(labels, follower),
        project,
        build: undefined,
        job,
        estimate: price.estimate,
        notes: price.notes,
      },
      // Without its snapshot: the first look reads the log, also of a job that has ended.
      job: { intent: { at: createdAt }, name: snapshot.name },
    },
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

export function attachedBuild(
  snapshot: BuildSnapshot,
  { project, region }: ResourceName,
  follower: Subject,
  owner: string,
): Attached {
  const createdAt = snapshot.createTime ?? snapshot.startTime ?? new Date(0).toISOString();
  const runId = snapshot.tags
    .find((tag) => tag.startsWith(`${runLabel}-`))
    ?.slice(runLabel.length + 1);
  return {
    isOurs: isRunId(runId) && snapshot.tags.includes(ownerTag(owner)),
    run: {
      createdAt,
      plan: {
        ...planOf(snapshot.name, runId),
        owner: '',
        subject: { ...follower, headSha: '', requestedBy: nobody },
        project,
        build: {
          ...{ kind: 'dockerfile', dockerfile: '', imageName: '', sourceBucket: '' },
          ...{ region, logsBucket: '', timeoutSeconds: 0 },
        },
        job: {
          ...{ region, displayName: '', spec: { workerPoolSpecs: [] }, labels: {} },
          machine: { machineType: '', replicas: 0 },
          ...{ timeoutSeconds: 0, startTimeoutSeconds: Infinity },
        },
        estimate: { usdPerHour: 0, ceilingUsd: 0, timeoutSeconds: 0, pricesAsOf: '' },
        notes: snapshot.logsTo === 'nowhere' ? ['The build keeps no log, so none is shown.'] : [],
      },
      build: { intent: { at: createdAt }, name: snapshot.name },
    },
  };
}

/** Who asked for it is not written on a job. */
const nobody: Subject['requestedBy'] = { id: 0, login: '' };

function planOf(name: string, label: string | undefined): Pick<Plan, 'runId' | 'tier'> {
  return { runId: label !== undefined && isRunId(label) ? label : standInId(name), tier: 'base' };
}

function isRunId(text: string | undefined): boolean {
  return /^[a-z2-7]{8}$/.test(text ?? '');
}

/** For a job without one: always the same for the same job, so that whoever follows it again finds its comment. */
function standInId(name: string): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const hash = createHash('sha256').update(name).digest();
  return Array.from(hash.subarray(0, 8), (byte) => alphabet.charAt(byte % 32)).join('');
}

/** The commit that was trained, as far as its label has it; the follower's own may be another one. */
function subjectOf(labels: Readonly<Record<string, string>>, follower: Subject): Subject {
  const sha = /^(?:[0-9a-f]{7}|[0-9a-f]{40})$/.exec(labels['trainyard-sha'] ?? '')?.[0] ?? '';
  const headSha = sha !== '' && follower.headSha.startsWith(sha) ? follower.headSha : sha;
  return { ...follower, headSha, requestedBy: nobody };
}
