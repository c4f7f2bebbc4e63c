/** What to do after a run that failed: the Run in, what is known to help and the command for it out. Pure. */
import { usdPerHour } from '../catalogue/estimate.ts';
import { machineTypes } from '../catalogue/machines.ts';
import type { TrainCommand } from '../command/command.ts';
import { maxExampleLength } from '../command/parse-keys.ts';
import { renderCommand } from '../command/render-command.ts';
import { buildCeilingUsd } from '../plan/build-price.ts';
import type { JobPlan } from '../plan/plan.ts';
import { formatUsd } from '../units.ts';
import { jobPlanOf, type Run } from '../watch/run.ts';
import { codeSpan, sentence } from './markdown.ts';
import { isPriced } from './words.ts';

/** One answer, not two: advice that names a command stands for what the failure itself says to do. */
export function renderNextStep(run: Run, takesCommands: boolean): string | undefined {
  const { end } = run;
  if (end?.outcome !== 'failed') return undefined;
  const fix = end.fix === undefined ? undefined : sentence(end.fix);
  const advice = takesCommands ? adviceFor(run) : undefined;
  if (advice === undefined) return fix;
  return advice.isAll || fix === undefined ? advice.text : `${fix} ${advice.text}`;
}

interface Advice {
  readonly text: string;
  /** It says everything that the failure's own words say. */
  readonly isAll: boolean;
}

/** Undefined where neither another try nor the same command on new code is known to help. */
function adviceFor(run: Run): Advice | undefined {
  const { plan, end } = run;
  if (plan.command === undefined) return undefined;
  switch (end?.reason) {
    case 'out_of_memory':
      return withMoreMemory(run);
    case 'timeout':
      return withMoreTime(run);
    case 'user_code_exit':
    case 'build_failed': {
      const typed = renderCommand(plan.command);
      const again = typed.length > maxExampleLength ? `/${plan.command.kind}` : typed;
      const text = `Then comment ${codeSpan(again)} again: a push alone starts nothing.`;
      return { text, isAll: false };
    }
    case 'preempted':
      return { text: `Try ${retry(run, isSpot(run) ? { spot: false } : {})}.`, isAll: false };
    case 'internal':
    case 'stockout':
    case 'quota':
    case 'start_timeout':
    case 'iam_propagating':
      return { text: `Try ${retry(run)}.`, isAll: false };
    default:
      return undefined;
  }
}

function retry({ plan }: Run, changes: Partial<TrainCommand> = {}): string {
  const { runId } = plan;
  return codeSpan(
    renderCommand({ kind: 'retry', runId, changes: { kind: 'train', dryRun: false, ...changes } }),
  );
}

function withMoreTime(run: Run): Advice {
  const timeoutSeconds = 2 * jobPlanOf(run).timeoutSeconds;
  const most = mostText(run, timeoutSeconds, () => 0);
  const detail = most === undefined ? '' : ` (${most})`;
  const text = `Try ${retry(run, { timeoutSeconds })}${detail}, or train for fewer steps.`;
  return { text, isAll: true };
}

/** The smallest machine of its family that leaves more to the code, and takes the same GPUs. */
function withMoreMemory(run: Run): Advice | undefined {
  const job = jobPlanOf(run);
  const { machine, spec } = job;
  const now = machineTypes.find(({ name }) => name === machine.machineType);
  if (now === undefined) return undefined;
  const { acceleratorType, acceleratorCount = 1 } = spec.workerPoolSpecs[0]?.machineSpec ?? {};
  const [next] = machineTypes
    .filter(({ name }) => familyOf(name) === familyOf(now.name))
    .filter(({ memoryGb, vcpus }) => memoryGb > now.memoryGb && vcpus >= now.vcpus)
    .filter(
      ({ accelerators }) =>
        acceleratorType === undefined ||
        accelerators[acceleratorType]?.includes(acceleratorCount) === true,
    )
    .sort((a, b) => a.vcpus - b.vcpus || a.memoryGb - b.memoryGb);
  if (next === undefined) return undefined;
  const dearer = ({ region }: JobPlan): number | undefined => {
    const accelerators = acceleratorType === undefined ? {} : { acceleratorType, acceleratorCount };
    const [before, after] = [now, next].map(({ name }) =>
      usdPerHour({ machineType: name, ...accelerators }, { region }),
    );
    return before === undefined || after === undefined
      ? undefined
      : (after - before) * machine.replicas;
  };
  const most = mostText(run, job.timeoutSeconds, dearer);
  const detail = [`${next.memoryGb} GB instead of ${now.memoryGb} GB`, most]
    .filter((part) => part !== undefined)
    .join(', ');
  const command = retry(run, { machineType: next.name });
  return { text: `Try ${command} (${detail}), or a smaller batch size.`, isAll: true };
}

/**
 * What the run could cost at most with that timeout, on machines that are so much dearer: as its plan has it, each
 * attempt in the dearest of its regions, and its build.
 */
function mostText(
  { plan }: Run,
  timeoutSeconds: number,
  dearer: (place: JobPlan) => number | undefined,
): string | undefined {
  const { job, elsewhere = [], estimate, maxAttempts = 1 } = plan;
  const hourly = [job, ...elsewhere].map((place) => {
    const more = dearer(place);
    return more === undefined ? undefined : (place.usdPerHour ?? estimate.usdPerHour) + more;
  });
  const known = hourly.filter((usd) => usd !== undefined);
  if (!isPriced(plan) || known.length < hourly.length) return undefined;
  const usd = buildCeilingUsd(plan) + (Math.max(...known) * maxAttempts * timeoutSeconds) / 3_600;
  return `at most est. ${formatUsd(usd)}`;
}

/** `n1-standard-8` → `n1` */
function familyOf(name: string): string {
  return name.split('-')[0] ?? '';
}

function isSpot(run: Run): boolean {
  const strategy = jobPlanOf(run).spec.scheduling?.['strategy'];
  return strategy === 'SPOT' || strategy === 'LOW_COST';
}
