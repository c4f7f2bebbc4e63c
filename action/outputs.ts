/** The Action's outputs: their registry, and a Run in, every output's text out. Pure. */
import type { Ended } from './commands/cancel.ts';
import { verdictOf, type Verdict } from '../shared/report/change.ts';
import { headlineMetric } from '../shared/report/headline-metric.ts';
import { estimatedUsd } from '../shared/report/words.ts';
import { jobPlanOf, type Run } from '../shared/watch/run.ts';

export const outputDefinitions = {
  state:
    '`succeeded`, `failed`, `cancelled`, `refused`, `planned` (dry run, `validate`) or `running` (`wait: false`, `detach_after`).',
  reason: 'Why the step did not succeed: a stable word such as `user_code_exit`; empty on success.',
  run_id: 'Id of this run, also the label `trainyard-run` of the job.',
  image: 'The image that ran or was built, `name@sha256:…`.',
  image_digest: "The image's digest, `sha256:…`.",
  built:
    '`true` when this step built the image, `false` when it was there already or there is none.',
  build_id: "Cloud Build's id of the build that made the image.",
  job: "The job's resource name, `projects/P/locations/R/customJobs/ID`.",
  job_url: 'The job in the Google Cloud console.',
  logs_url: "The job's log in the Google Cloud console.",
  region: 'The region of the job; with several `regions`, where it ran last.',
  duration_seconds: 'Seconds from the start of the job to its end.',
  cost_usd:
    'Estimated cost in US dollars: of the job, and of the build where this step made the image.',
  metrics: 'Final metrics as a JSON object, names to numbers.',
  baseline:
    "What the run was compared with, the default branch's newest of the same config, as a JSON object: `run_id`, `sha`, `branch`, `metrics`; empty when there is none.",
  change:
    'How `metric` stands against `baseline`: `better`, `worse` or `same`; empty when nobody can tell.',
  output_directory: 'Where the job wrote its results, `gs://…`.',
} as const satisfies Readonly<Record<string, string>>;

type OutputName = keyof typeof outputDefinitions;
export type Outputs = Readonly<Record<OutputName, string>>;

export type StepState = 'succeeded' | 'failed' | 'cancelled' | 'refused' | 'planned' | 'running';

/** What there is to say when nothing was planned. */
export function emptyOutputs(state: StepState, reason: string): Outputs {
  const empty = Object.fromEntries(Object.keys(outputDefinitions).map((name) => [name, '']));
  return { ...(empty as Record<OutputName, string>), built: 'false', state, reason };
}

/** Every output, as far as the run has come. */
export function outputsOf(run: Run, state: StepState, now: Date): Outputs {
  const { plan, job } = run;
  const image = run.image ?? finishedImage(run);
  const links = consoleLinks(run);
  const seconds = jobSeconds(run, now);
  return {
    ...emptyOutputs(state, run.end?.reason ?? ''),
    run_id: plan.runId,
    image,
    image_digest: /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1] ?? '',
    built: String(run.image !== undefined && plan.build !== undefined && run.reused === undefined),
    build_id: run.build?.snapshot?.id ?? run.reused?.build.split('/').at(-1) ?? '',
    job: job?.name ?? '',
    job_url: links.job ?? '',
    logs_url: links.logs ?? '',
    region: jobPlanOf(run).region,
    duration_seconds: seconds === undefined ? '' : String(Math.round(seconds)),
    cost_usd: estimatedUsd(run, now)?.toFixed(4) ?? '',
    metrics: JSON.stringify(run.metrics?.values ?? {}),
    baseline: baselineText(run),
    change: verdictOn(run) ?? '',
    output_directory: jobPlanOf(run).outputUriPrefix ?? '',
  };
}

function baselineText({ baseline }: Run): string {
  if (baseline === undefined) return '';
  const { runId: run_id, headSha: sha, branch, values: metrics } = baseline;
  return JSON.stringify({ run_id, sha, branch, metrics });
}

/** On the metric that the run is judged by. */
function verdictOn({ metrics, baseline, plan }: Run): Verdict | undefined {
  const values = metrics?.values ?? {};
  const metric = headlineMetric(values, plan.metric);
  const [before, after] = [baseline?.values, values].map((known) =>
    metric !== undefined && Object.hasOwn(known ?? {}, metric) ? known?.[metric] : undefined,
  );
  if (metric === undefined || before === undefined || after === undefined) return undefined;
  return verdictOf(metric, before, after, { metric: plan.metric ?? metric, goal: plan.goal });
}

/** How what was cancelled has ended: the job's word when there was one. */
export function cancelOutputs(ended: readonly Ended[], runId: string): Outputs {
  const job = ended.find(({ kind }) => kind === 'job');
  const build = ended.find(({ kind }) => kind === 'build');
  const state = (job ?? build)?.state ?? '';
  const outcome = /^succe/.test(state) ? 'succeeded' : state === 'cancelled' ? state : 'failed';
  return {
    ...emptyOutputs(outcome, ''),
    run_id: runId,
    job: job?.name ?? '',
    build_id: build?.name.split('/').at(-1) ?? '',
    region: job?.name.split('/')[3] ?? '',
  };
}

/** Seconds between the job's start and its end, or now; undefined while it has not begun. */
function jobSeconds(run: Run, now: Date): number | undefined {
  const snapshot = run.job?.snapshot;
  if (snapshot?.startTime === undefined) return undefined;
  const end = snapshot.endTime === undefined ? now : new Date(snapshot.endTime);
  return Math.max(0, (end.getTime() - new Date(snapshot.startTime).getTime()) / 1_000);
}

/**
 * Pages of the Google Cloud console, built from checked parts only.
 * @see https://github.com/googleapis/python-aiplatform (the job's URL, in google/cloud/aiplatform/jobs.py)
 */
export function consoleLinks(run: Run): {
  readonly job?: string;
  readonly logs?: string;
  readonly build?: string;
} {
  const console = 'https://console.cloud.google.com';
  const project = `project=${encodeURIComponent(run.plan.project)}`;
  const buildUrl = run.build?.snapshot?.logUrl;
  const build = buildUrl?.startsWith(`${console}/`) ? { build: buildUrl } : {};
  const [, region, id] =
    /\/locations\/([a-z0-9-]+)\/customJobs\/(\d+)$/.exec(run.job?.name ?? '') ?? [];
  if (region === undefined || id === undefined) return build;
  const filter = encodeURIComponent(`resource.type="ml_job"\nresource.labels.job_id="${id}"`);
  return {
    ...build,
    job: `${console}/ai/platform/locations/${region}/training/${id}?${project}`,
    logs: `${console}/logs/query;query=${filter}?${project}`,
  };
}

function finishedImage(run: Run): string {
  const image = run.plan.job.spec.workerPoolSpecs[0]?.containerSpec?.imageUri ?? '';
  return run.plan.build === undefined ? image : '';
}
