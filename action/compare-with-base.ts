/**
 * What a run is held against: the default branch's newest run of the same thing that left metrics, found among
 * the project's own jobs. A run that has ended in, the same with its baseline out, or one sentence why it has none:
 * nothing that goes wrong here reaches the run.
 */
import { CloudError } from '../shared/errors.ts';
import { collectMetrics } from '../shared/launch/collect-metrics.ts';
import { ownerLabel, runLabel, workflowOwner } from '../shared/launch/requests.ts';
import { repositoryLabel, shaLabel, tierLabel } from '../shared/plan/job-labels.ts';
import type { Clock, JobDescription, ObjectStore, SucceededJobs } from '../shared/ports.ts';
import { baselineOf } from '../shared/report/baseline.ts';
import type { Run } from '../shared/watch/run.ts';
import { attachedJob } from './attached.ts';
import { compareLabel } from './compare-as.ts';
import { explain } from './explain.ts';
import { sentences } from './workflow-words.ts';

export interface Compared {
  readonly run: Run;
  /** Why it is held against nothing, where that is worth a word. */
  readonly why?: string;
}

export interface BasePorts {
  readonly succeededJobs: SucceededJobs;
  readonly objects: Pick<ObjectStore, 'list' | 'read'>;
  readonly clock: Clock;
  /** Aborted when the runner asks us to stop. */
  readonly interrupt: AbortSignal;
}

export interface BaseOptions {
  /** Where the default branch may have trained, beside the run's own region. */
  readonly regions: readonly string[];
  /** What the default branch is called; undefined where the event does not say. */
  readonly branch: string | undefined;
}

/** The model is trained and paid for: nobody waits long for what it is compared with. */
const patienceMs = 10_000;
/** Most have a young one, and a long list is only read where there is none. */
const windowsDays = [30, 365] as const;
/** Some runs end well and measure nothing. */
const maxCandidates = 3;

/** What a run must have in common with the one that it is held against. */
interface Question {
  readonly project: string;
  readonly regions: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly own: Run;
}

type Answer =
  /** The run as its job tells it, with its metrics. */
  | { readonly kind: 'found'; readonly record: Run }
  | { readonly kind: 'none' | 'unreadable' | 'late' }
  | { readonly kind: 'failed'; readonly error: unknown };

export async function compareWithBase(
  run: Run,
  ports: BasePorts,
  { regions, branch }: BaseOptions,
): Promise<Compared> {
  const question = questionOf(run, regions);
  if (question === undefined) return { run };
  const answer = await inTime((awaited) => newestBase(question, awaited), ports);
  if (ports.interrupt.aborted) return { run };
  if (answer.kind === 'found') return { run: withBaseline(run, answer.record, branch) };
  // The first of its kind is what others will be held against.
  if (answer.kind === 'none' && run.plan.job.labels[tierLabel] === 'base') return { run };
  return { run, why: whyNot(answer, branch ?? 'the default branch') };
}

/** Undefined for a job that no workflow of this repository has started: nobody knows what it is like. */
function questionOf(own: Run, regions: readonly string[]): Question | undefined {
  const { project, subject, job } = own.plan;
  const repository = String(subject.repository.id);
  const compareAs = job.labels[compareLabel];
  const isOurs =
    job.labels[repositoryLabel] === repository && job.labels[ownerLabel] === workflowOwner;
  if (compareAs === undefined || !isOurs || subject.repository.id === 0) return undefined;
  return {
    project,
    own,
    regions: [...new Set([job.region, ...regions])],
    labels: {
      [ownerLabel]: workflowOwner,
      [repositoryLabel]: repository,
      [tierLabel]: 'base',
      [compareLabel]: compareAs,
    },
  };
}

/** An answer in any case, and soon; nothing more is asked then. */
async function inTime(
  ask: (ports: BasePorts) => Promise<Answer>,
  ports: BasePorts,
): Promise<Answer> {
  const answered = new AbortController();
  const signal = AbortSignal.any([answered.signal, ports.interrupt]);
  const late = ports.clock.sleep(patienceMs, signal).then((): Answer => ({ kind: 'late' }));
  const failed = (error: unknown): Answer => ({ kind: 'failed', error });
  try {
    return await Promise.race([ask(whileAwaited(ports, signal)).catch(failed), late]);
  } finally {
    answered.abort();
  }
}

/** The same ports, for as long as somebody waits for an answer. */
function whileAwaited(ports: BasePorts, over: AbortSignal): BasePorts {
  const guarded =
    <A extends readonly unknown[], T>(ask: (...question: A) => Promise<T>) =>
    async (...question: A): Promise<T> => {
      over.throwIfAborted();
      return ask(...question);
    };
  const { succeededJobs, objects } = ports;
  return {
    ...ports,
    succeededJobs: { list: guarded((where) => succeededJobs.list(where)) },
    objects: {
      list: guarded((where) => objects.list(where)),
      read: guarded((where) => objects.read(where)),
    },
  };
}

async function newestBase(question: Question, ports: BasePorts): Promise<Answer> {
  const now = ports.clock.now().getTime();
  for (const days of windowsDays) {
    const jobs = await jobsSince(new Date(now - days * 24 * 3_600_000), question, ports);
    const candidates = jobs.filter((job) => isCandidate(job, question.own));
    for (const candidate of candidates.slice(0, maxCandidates)) {
      const record = await recordOf(candidate, question, ports);
      if (record !== undefined) return { kind: 'found', record };
    }
    if (candidates.length > 0) return { kind: 'unreadable' };
  }
  return { kind: 'none' };
}

/** Of all regions, newest first. One that cannot be asked does not matter where another one has an answer. */
async function jobsSince(
  since: Date,
  { project, regions, labels }: Question,
  { succeededJobs }: BasePorts,
): Promise<readonly JobDescription[]> {
  const asked = regions.map((region) => succeededJobs.list({ project, region, labels, since }));
  const answers = await Promise.allSettled(asked);
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  const refused = answers.find((answer) => answer.status === 'rejected');
  if (found.length === 0 && refused !== undefined) throw refused.reason;
  return found.sort((a, b) => createTime(b) - createTime(a));
}

function createTime({ snapshot }: JobDescription): number {
  return Date.parse(snapshot.createTime ?? '') || 0;
}

/** Not the run itself, and with labels as we write them. */
function isCandidate({ snapshot }: JobDescription, own: Run): boolean {
  const { [runLabel]: runId = '', [shaLabel]: sha = '' } = snapshot.labels;
  if (snapshot.name === own.job?.name || runId === own.plan.runId) return false;
  return /^[a-z2-7]{8}$/.test(runId) && /^[0-9a-f]{40}$/.test(sha);
}

async function recordOf(
  job: JobDescription,
  { project, own }: Question,
  { objects }: BasePorts,
): Promise<Run | undefined> {
  const { name, createTime: createdAt, endTime: endedAt } = job.snapshot;
  const region = name.split('/')[3] ?? '';
  const target = { kind: 'job', name, project, region } as const;
  const { run } = attachedJob(job, target, own.plan.subject, workflowOwner);
  const { outputUriPrefix } = run.plan.job;
  if (createdAt === undefined || endedAt === undefined || !outputUriPrefix) return undefined;
  const metrics = await collectMetrics({ outputUriPrefix, createdAt, endedAt }, objects);
  return Object.keys(metrics.values).length === 0 ? undefined : { ...run, metrics };
}

function withBaseline(run: Run, record: Run, branch?: string): Run {
  const baseline = baselineOf(record, run);
  if (baseline === undefined) return run;
  return { ...run, baseline: { ...baseline, ...(branch === undefined ? {} : { branch }) } };
}

function whyNot(answer: Exclude<Answer, { kind: 'found' }>, branch: string): string {
  const not = `not compared with ${branch}:`;
  switch (answer.kind) {
    case 'none':
      return sentences(
        `nothing of ${branch} to compare with yet`,
        `Train the same config after pushes to ${branch}, and its newest run is what this is held against.`,
      );
    case 'unreadable':
      return sentences(`${not} its newest runs left no metrics that can be read`);
    case 'late':
      return sentences(`${not} Google Cloud did not say in time what it measured`);
    case 'failed':
      return refusal(not, answer.error);
  }
}

function refusal(not: string, error: unknown): string {
  if (!(error instanceof CloudError)) return sentences(`${not} ${explain(error).split('\n')[0]}`);
  if (error.status !== 403) return sentences(`${not} ${error.operation}: ${error.message}`);
  const role = error.operation.startsWith('objects.')
    ? "`roles/storage.objectViewer` on its results' bucket"
    : '`roles/aiplatform.viewer`';
  return sentences(`${not} ${error.message}`, `Grant the step's account ${role}.`);
}
