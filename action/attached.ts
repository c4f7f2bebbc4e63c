/**
 * A build or job that is there already in, a Run that can be followed like one of our own out. The plan is
 * what the job says of itself; what it does not say stays unknown. Pure.
 */
import { createHash } from 'node:crypto';
import { followJob } from '../shared/launch/follow-job.ts';
import { ownerLabel, ownerTag, runLabel } from '../shared/launch/requests.ts';
import { shaLabel } from '../shared/plan/job-labels.ts';
import type { Plan, Subject } from '../shared/plan/plan.ts';
import { isRunId } from '../shared/plan/run-id.ts';
import type { JobDescription } from '../shared/ports.ts';
import type { BuildSnapshot, Run } from '../shared/watch/run.ts';
import type { ResourceName } from './resource-input.ts';

export interface Attached {
  readonly run: Run;
  /** It carries the labels of a run that a workflow has started. */
  readonly isOurs: boolean;
}

export function attachedJob(
  job: JobDescription,
  place: ResourceName,
  follower: Subject,
  owner: string,
): Attached {
  const { name, labels } = job.snapshot;
  const run = followJob(job, place, {
    ...planOf(name, labels[runLabel]),
    owner: labels[ownerLabel] ?? '',
    subject: subjectOf(labels, follower),
    // Whoever only follows gives up on nothing.
    startTimeoutSeconds: Infinity,
  });
  return { isOurs: isRunId(labels[runLabel] ?? '') && labels[ownerLabel] === owner, run };
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
    isOurs: isRunId(runId ?? '') && snapshot.tags.includes(ownerTag(owner)),
    run: {
      createdAt,
      plan: {
        ...planOf(snapshot.name, runId),
        owner: '',
        subject: { ...follower, headSha: '', requestedBy: nobody },
        project,
        build: {
          kind: 'dockerfile',
          dockerfile: '',
          imageName: '',
          sourceBucket: '',
          region,
          logsBucket: '',
          timeoutSeconds: 0,
        },
        job: {
          region,
          displayName: '',
          spec: { workerPoolSpecs: [] },
          labels: {},
          machine: { machineType: '', replicas: 0 },
          timeoutSeconds: 0,
          startTimeoutSeconds: Infinity,
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

/** For a job without one: always the same for the same job, so that whoever follows it again finds its comment. */
function standInId(name: string): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const hash = createHash('sha256').update(name).digest();
  return Array.from(hash.subarray(0, 8), (byte) => alphabet.charAt(byte % 32)).join('');
}

/** The commit that was trained, as far as its label has it; the follower's own may be another one. */
function subjectOf(labels: Readonly<Record<string, string>>, follower: Subject): Subject {
  const sha = /^(?:[0-9a-f]{7}|[0-9a-f]{40})$/.exec(labels[shaLabel] ?? '')?.[0] ?? '';
  const headSha = sha !== '' && follower.headSha.startsWith(sha) ? follower.headSha : sha;
  return { ...follower, headSha, requestedBy: nobody };
}
