/** The parts that card, check, summary and step log share: the first line, the times, the cost, the metric that matters. */
import type { Metrics } from '../metrics/metrics.ts';
import { formatDuration, formatUsd, secondsBetween, shortSha } from '../units.ts';
import { phaseOf, type Run } from '../watch/run.ts';
import type { CardContext } from './context.ts';

/** What the job has cost so far, or did cost: the price of the time it ran. */
export function costUsd(run: Run, now: Date): number {
  const job = run.job?.snapshot;
  if (job?.startTime === undefined) return 0;
  const seconds = Math.max(0, secondsBetween(job.startTime, job.endTime ?? run.end?.at ?? now));
  return (run.plan.estimate.usdPerHour * seconds) / 3_600;
}

export function elapsedSeconds(run: Run, now: Date): number {
  return Math.max(0, secondsBetween(run.createdAt, run.end?.at ?? now));
}

/** `1 × T4 (n1-standard-8, us-central1)` */
export function machineText(run: Run): string {
  const { machine, region } = run.plan.job;
  const gpu = machine.gpu === undefined ? '' : `${machine.gpuCount ?? 1} × ${machine.gpu} `;
  const where = `${machine.machineType}, ${region}`;
  const replicas = machine.replicas > 1 ? `, ${machine.replicas} replicas` : '';
  return gpu === '' ? `${where}${replicas}` : `${gpu}(${where}${replicas})`;
}

/** The metric that is named in the configuration, else the one that people look for first. */
export function primaryMetric(metrics: Metrics, wanted: string | undefined): string | undefined {
  const names = Object.keys(metrics.values);
  if (wanted !== undefined && names.includes(wanted)) return wanted;
  const likely = ['val_accuracy', 'val_acc', 'accuracy', 'val_f1', 'f1', 'auc', 'val_loss', 'loss'];
  return likely.find((name) => names.includes(name)) ?? names.filter((name) => name !== 'step')[0];
}

/** Enough digits to compare by, no more. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(3);
  return size >= 100 ? value.toFixed(2) : value.toFixed(4).replace(/(\.\d*?[1-9])0+$/, '$1');
}

/** The answer in plain text: what the step's log ends with and what the card begins with. */
export function firstLine(run: Run, context: CardContext): string {
  const sha = shortSha(run.plan.subject.headSha);
  const elapsed = formatDuration(elapsedSeconds(run, context.now));
  const cost = formatUsd(costUsd(run, context.now));
  const { end } = run;
  switch (phaseOf(run)) {
    case 'succeeded': {
      const name = primaryMetric(run.metrics ?? { values: {}, series: {} }, context.metric);
      const value = name === undefined ? undefined : run.metrics?.values[name];
      const metric =
        name === undefined || value === undefined
          ? 'no metrics were written'
          : `${name} ${formatNumber(value)}`;
      return `Trained ${sha}: ${metric} · ${elapsed} · est. ${cost}`;
    }
    case 'failed':
      return `Failed ${sha} after ${elapsed}: ${end?.message ?? 'no reason is known.'}`;
    case 'cancelled':
      return `Cancelled ${sha} after ${elapsed} · est. ${cost}`;
    case 'cancelling':
      return `Cancelling ${sha}: waiting for Google to end what runs`;
    case 'building':
      return `Building ${sha} · ${elapsed}`;
    case 'queued':
      return `Queued ${sha} for ${machineText(run)} · ${elapsed}`;
    case 'running':
      return `Training ${sha} on ${machineText(run)} · ${elapsed} · est. ${cost} so far`;
    case 'collecting':
      return `Reading the metrics of ${sha} · ${elapsed}`;
  }
}
