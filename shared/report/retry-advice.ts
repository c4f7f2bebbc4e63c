/** What to do after a run that failed: the Run in, what is known to help and the command for it out. Pure. */
import type { TrainCommand } from '../command/command.ts';
import { maxExampleLength } from '../command/parse-keys.ts';
import { renderCommand } from '../command/render-command.ts';
import { formatUsd } from '../units.ts';
import { jobPlanOf, type Run } from '../watch/run.ts';
import { codeSpan, sentence } from './markdown.ts';

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

/** Undefined where nobody has looked what would be taken: what the failure itself says has to do. */
function withMoreTime(run: Run): Advice | undefined {
  const { remedies } = run.plan;
  if (remedies === undefined) return undefined;
  const { longer } = remedies;
  if (longer === undefined) {
    const text = 'Train for fewer steps: it may not take longer than it did.';
    return { text, isAll: true };
  }
  const { timeoutSeconds, ceilingUsd } = longer;
  const detail = ceilingUsd === undefined ? '' : ` (${mostText(ceilingUsd)})`;
  const text = `Try ${retry(run, { timeoutSeconds })}${detail}, or train for fewer steps.`;
  return { text, isAll: true };
}

function withMoreMemory(run: Run): Advice | undefined {
  const { remedies } = run.plan;
  if (remedies === undefined) return undefined;
  const { larger } = remedies;
  if (larger === undefined) {
    const text =
      'Use a smaller batch size: there is no larger machine of its kind that it may use.';
    return { text, isAll: true };
  }
  const { machineType, memoryGb, ceilingUsd } = larger;
  const [now, then] = memoryGb;
  const most = ceilingUsd === undefined ? '' : `, ${mostText(ceilingUsd)}`;
  const detail = `${then} GB instead of ${now} GB${most}`;
  const text = `Try ${retry(run, { machineType })} (${detail}), or a smaller batch size.`;
  return { text, isAll: true };
}

function mostText(usd: number): string {
  return `at most est. ${formatUsd(usd)}`;
}

function isSpot(run: Run): boolean {
  const strategy = jobPlanOf(run).spec.scheduling?.['strategy'];
  return strategy === 'SPOT' || strategy === 'LOW_COST';
}
