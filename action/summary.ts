/** The job summary and the step's last lines: a Run in, Markdown and plain lines out. Pure. */
import type { Plan } from '../shared/plan/plan.ts';
import { renderJobSummary } from '../shared/report/job-summary.ts';
import type { Run } from '../shared/watch/run.ts';
import { formatDuration, formatUsd } from '../shared/units.ts';
import { consoleLinks, jobSeconds, type StepState } from './outputs.ts';

export function summaryOf(run: Run, now: Date, sandbox: boolean): string {
  return renderJobSummary(run, { now, sandbox, links: consoleLinks(run) });
}

export function buildSummary(run: Run, state: StepState): string {
  return state === 'succeeded' && run.image !== undefined
    ? `### Image built\n\n\`${run.image}\`\n`
    : `### The build ${state === 'cancelled' ? 'was cancelled' : 'failed'}\n`;
}

/** The plan in plain lines, for the step's log. */
export function planLines(plan: Plan): readonly string[] {
  const { job, build, estimate } = plan;
  const { machine } = job;
  const gpus = machine.gpu === undefined ? '' : ` with ${machine.gpuCount ?? 1} × ${machine.gpu}`;
  const replicas = machine.replicas > 1 ? `${machine.replicas} × ` : '';
  return [
    build === undefined
      ? `Image: ${plan.job.spec.workerPoolSpecs[0]?.containerSpec?.imageUri ?? ''}`
      : `Build: ${build.imageName} from ${build.dockerfile}, in ${build.region}`,
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

/** The last line: what became of it. */
export function endLine(run: Run, state: StepState, now: Date): string {
  const seconds = jobSeconds(run, now);
  const took = seconds === undefined ? '' : ` after ${formatDuration(seconds)}`;
  const metrics = Object.entries(run.metrics?.values ?? {}).map(
    ([name, value]) => `${name}=${value}`,
  );
  const measured = metrics.length === 0 ? '' : `: ${metrics.slice(0, 10).join(' ')}`;
  return `Run ${run.plan.runId} ${state}${took}${measured}`;
}
