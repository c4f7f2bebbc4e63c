/** The few phrases that every report shares: what runs where, how long, what it costs, how it went. */
import type { EndReason } from '../errors.ts';
import { isImageOnly } from '../plan/plan-image.ts';
import type { MachineSummary, Plan } from '../plan/plan.ts';
import { costUsd } from '../policy/run-cost.ts';
import { secondsBetween } from '../units.ts';
import type { Run } from '../watch/run.ts';
import { codeSpan } from './markdown.ts';

/** What a report needs to know beside the run. */
export interface CardContext {
  /** True where people answer a card with commands: in a pull request of the App's. */
  readonly takesCommands?: boolean;
  readonly now: Date;
  readonly sandbox: boolean;
  /** Addresses that we built ourselves. */
  readonly links: { readonly job?: string; readonly logs?: string; readonly build?: string };
}

/** As titles say it; the sentence for people is in `run.end.message`. */
export const reasonWords: Readonly<Record<EndReason, string>> = {
  user_code_exit: 'the training code exited with an error',
  out_of_memory: 'out of memory',
  cuda_out_of_memory: 'GPU out of memory',
  build_failed: 'the image could not be built',
  build_timeout: 'the build took too long',
  image_pull_denied: 'the image may not be pulled',
  image_not_found: 'the image does not exist',
  quota: 'quota used up',
  stockout: 'no machine free',
  preempted: 'the machine was taken away',
  timeout: 'timeout',
  start_timeout: 'no machine in time',
  permission_denied: 'permission denied',
  iam_propagating: 'permissions not yet in effect',
  service_agent_missing: 'service agent missing',
  api_disabled: 'an API is not enabled',
  billing_disabled: 'billing is off',
  org_policy: 'forbidden by organisation policy',
  bucket_region: 'bucket in another region',
  build_region_restricted: 'builds not allowed in that region',
  bad_config: 'job config refused',
  no_longer_allowed: 'no longer allowed',
  cancelled: 'cancelled',
  internal: 'internal error',
};

/** `1 × T4 (n1-standard-8, us-central1)` or `n1-standard-4 (us-central1)`, as plain text. */
export function machineText(machine: MachineSummary, region: string): string {
  const pools = machine.replicas > 1 ? `${machine.replicas} replicas, ` : '';
  return machine.gpu === undefined
    ? `${machine.machineType} (${pools}${region})`
    : `${machine.gpuCount ?? 1} × ${machine.gpu} (${machine.machineType}, ${pools}${region})`;
}

/** `T4`, `2 × T4` or `n1-standard-4`, where there is little room; plain text. */
export function hardwareText({ machineType, gpu, gpuCount = 1 }: MachineSummary): string {
  if (gpu === undefined) return machineType;
  return gpuCount === 1 ? gpu : `${gpuCount} × ${gpu}`;
}

/** From the command to the end, or to now. */
export function elapsedSeconds(run: Run, now: Date): number {
  return secondsBetween(run.createdAt, run.end?.at ?? now);
}

/** Seconds for which the run's jobs have had their machines, all attempts; undefined before the first has. */
export function machineSeconds(run: Run, now: Date): number | undefined {
  const job = run.job?.snapshot;
  const current = { startTime: job?.startTime, endTime: job?.endTime ?? run.end?.at ?? now };
  const spans = [...(run.attempts ?? []), current].flatMap(({ startTime, endTime }) =>
    startTime === undefined ? [] : [Math.max(0, secondsBetween(startTime, endTime))],
  );
  return spans.length === 0 ? undefined : spans.reduce((sum, seconds) => sum + seconds, 0);
}

/** False for machines without a price; a run that only builds has none of those. */
export function isPriced(plan: Plan): boolean {
  return plan.estimate.usdPerHour !== 0 || isImageOnly(plan);
}

/**
 * What the run has cost by list prices, its build included; undefined before anything of it costs, and for
 * machines without a price. An estimate, always.
 */
export function estimatedUsd(run: Run, now: Date): number | undefined {
  const usd = isPriced(run.plan) ? costUsd(run, now) : 0;
  return usd === 0 ? undefined : usd;
}

/** `2026-11-24 02:30:05 UTC` */
export function utcText(instant: Date): string {
  return `${instant.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** Numbers for reading: four significant digits, whole numbers whole. */
export function formatMetric(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e12) return String(value);
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-4)) return value.toExponential(3);
  return String(Number(value.toPrecision(4)));
}

export const nothingCosts = 'sandbox: nothing here costs money';

/** What is simulated; said once, wherever a price is. */
export function sandboxNote(machine: MachineSummary): string {
  if (machine.replicas === 0) return nothingCosts;
  const what = machine.gpu === undefined ? 'machine' : machine.gpu;
  return `sandbox: the ${codeFree(what)} is simulated`;
}

/** Names of GPUs come from a catalogue; should one ever not, it is shown as code. */
function codeFree(name: string): string {
  return /^[\w-]{1,40}$/.test(name) ? name : codeSpan(name, 40);
}
