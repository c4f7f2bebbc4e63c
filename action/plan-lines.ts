/** What is about to run or be followed in, plain lines for the step's log out. Pure. */
import type { BuildPlan, Plan } from '../shared/plan/plan.ts';
import type { Run } from '../shared/watch/run.ts';
import { formatDuration, formatUsd } from '../shared/units.ts';

/** The plan in plain lines, for the step's log. */
export function planLines(plan: Plan): readonly string[] {
  const { job, build, estimate } = plan;
  const { machine } = job;
  const gpus = machine.gpu === undefined ? '' : ` with ${machine.gpuCount ?? 1} × ${machine.gpu}`;
  const replicas = machine.replicas > 1 ? `${machine.replicas} × ` : '';
  return [
    build === undefined
      ? `Image: ${plan.job.spec.workerPoolSpecs[0]?.containerSpec?.imageUri ?? ''}`
      : `Build: ${buildText(build)}`,
    ...(machine.replicas === 0
      ? []
      : [
          `Job: ${job.displayName} on ${replicas}${machine.machineType}${gpus}, in ${job.region}`,
          `Cost: about ${formatUsd(estimate.usdPerHour)} an hour, at most ${formatUsd(estimate.ceilingUsd)} until the timeout of ${formatDuration(job.timeoutSeconds)}`,
        ]),
    ...(job.outputUriPrefix === undefined ? [] : [`Results: ${job.outputUriPrefix}`]),
    ...plan.notes.map((note) => `Note: ${note}`),
  ];
}

/** What is followed that was there before, in plain lines. */
export function attachedLines({ plan, job, build }: Run): readonly string[] {
  if (job === undefined)
    return [
      `Following the build ${build?.name ?? ''}`,
      ...plan.notes.map((note) => `Note: ${note}`),
    ];
  return [`Following the job ${job.name ?? ''}`, ...planLines(plan)];
}

function buildText(build: BuildPlan): string {
  if (build.kind === 'cloudbuild') return `by ${build.file}, in ${build.region}`;
  const where = build.by === 'docker' ? "by this runner's docker" : `in ${build.region}`;
  return `${build.imageName} from ${build.dockerfile}, ${where}`;
}
