/** What `/cost` answers: a pull request's runs and its repository's month in, Markdown out. Pure. */
import { costUsd } from '../policy/run-cost.ts';
import { formatDuration, formatUsd, shortSha } from '../units.ts';
import { isOver, phaseOf, type Run } from '../watch/run.ts';
import { codeCell, table } from './markdown.ts';
import { estimatedUsd, isPriced, machineSeconds, nothingCosts, type CardContext } from './words.ts';

interface MonthOfRepository {
  /** `2026-11`, UTC. */
  readonly month: string;
  /** What runs that have ended cost. */
  readonly settledUsd: number;
  /** What those that have not may cost at most. */
  readonly reservedUsd: number;
  readonly maxUsd: number | undefined;
  /** What the App did not begin. */
  readonly triggerBuildsUsd: number;
  readonly workflowsUsd: number;
  /** Of both, what counts against the ceiling. */
  readonly bindingUsd: number;
}

const maxRows = 30;

export function renderCostOverview(
  runs: readonly Run[],
  month: MonthOfRepository,
  { now, sandbox }: Pick<CardContext, 'now' | 'sandbox'>,
): string {
  const parts = [
    pullLine(runs, now),
    ...(runs.length === 0 ? [] : [costTable(runs, now)]),
    monthLines(month),
    'Estimates by the list prices of machines and builds, without storage and network.',
    ...(sandbox ? [nothingCosts] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

function pullLine(runs: readonly Run[], now: Date): string {
  if (runs.length === 0) return 'There are no runs of this pull request, so it has cost nothing.';
  const spent = runs.reduce((sum, run) => sum + costUsd(run, now), 0);
  const most = runs.reduce((sum, run) => sum + mostUsd(run, now), 0);
  const count = runs.length === 1 ? '1 run' : `${runs.length} runs`;
  const more = runs.every(isOver) ? '' : ` so far, at most est. ${formatUsd(most)} in all,`;
  return `**est. ${formatUsd(spent)}**${more} for ${count} of this pull request`;
}

/** What an ended run has cost, and what any other holds of the month. */
function mostUsd(run: Run, now: Date): number {
  const usd = costUsd(run, now);
  return isOver(run) ? usd : Math.max(usd, run.plan.estimate.ceilingUsd);
}

function costTable(runs: readonly Run[], now: Date): string {
  const rows = runs.slice(0, maxRows).map((run) => {
    const { plan } = run;
    const isKnown = isPriced(plan) && plan.estimate.isIncomplete !== true;
    const seconds = machineSeconds(run, now);
    return [
      codeCell(plan.runId),
      codeCell(shortSha(plan.subject.headSha)),
      phaseOf(run),
      seconds === undefined ? '—' : formatDuration(seconds),
      isKnown ? estimateText(estimatedUsd(run, now)) : 'not known',
      isKnown ? estimateText(mostUsd(run, now)) : '—',
    ];
  });
  const head = ['run', 'commit', 'state', 'on the machine', 'so far', 'at most'];
  const hidden = runs.length - maxRows;
  return table(head, rows) + (hidden > 0 ? `\n\nand ${hidden} older ones` : '');
}

function estimateText(usd = 0): string {
  return usd === 0 ? '—' : `est. ${formatUsd(usd)}`;
}

function monthLines(month: MonthOfRepository): string {
  const { settledUsd, reservedUsd, maxUsd, bindingUsd, triggerBuildsUsd, workflowsUsd } = month;
  const spentUsd = settledUsd + bindingUsd;
  const open =
    reservedUsd === 0
      ? ''
      : `, at most est. ${formatUsd(spentUsd + reservedUsd)} with the runs that have not ended`;
  const of = maxUsd === undefined ? '' : `, of this month's ${formatUsd(maxUsd)}`;
  const line = `This repository in ${month.month} (UTC): est. ${formatUsd(spentUsd)}${open}${of}.`;
  if (triggerBuildsUsd + workflowsUsd === 0) return line;
  const uncounted = triggerBuildsUsd + workflowsUsd - bindingUsd;
  const note =
    uncounted < 0.005
      ? ''
      : `, ${formatUsd(uncounted)} of it not counted, since other repositories use its project`;
  return [
    `${line}\n`,
    `- runs: est. ${formatUsd(settledUsd)}`,
    `- builds of triggers: est. ${formatUsd(triggerBuildsUsd)}`,
    `- jobs of workflows: est. ${formatUsd(workflowsUsd)}${note}`,
  ].join('\n');
}
