/** What `/cost` answers: a pull request's runs and its repository's month in, Markdown out. Pure. */
import { isImageOnly } from '../plan/plan-image.ts';
import { costUsd } from '../policy/run-cost.ts';
import { formatDuration, formatUsd, shortSha } from '../units.ts';
import { isOver, phaseOf, type Run } from '../watch/run.ts';
import { codeCell, table } from './markdown.ts';
import { machineSeconds } from './words.ts';

export interface MonthOfRepository {
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
  now: Date,
): string {
  const parts = [
    pullLine(runs, now),
    ...(runs.length === 0 ? [] : [costTable(runs, now)]),
    monthLines(month),
    'Estimates by the list prices of machines and builds, without storage and network.',
  ];
  return `${parts.join('\n\n')}\n`;
}

function pullLine(runs: readonly Run[], now: Date): string {
  if (runs.length === 0) return 'There are no runs of this pull request, so it has cost nothing.';
  const spent = runs.reduce((sum, run) => sum + costUsd(run, now), 0);
  const open = runs.filter((run) => !isOver(run));
  const left = open.reduce(
    (sum, run) => sum + Math.max(0, run.plan.estimate.ceilingUsd - costUsd(run, now)),
    0,
  );
  const count = runs.length === 1 ? '1 run' : `${runs.length} runs`;
  const more = open.length === 0 ? '' : ` so far, at most est. ${formatUsd(left)} more`;
  return `**est. ${formatUsd(spent)}**${more} for ${count} of this pull request`;
}

function costTable(runs: readonly Run[], now: Date): string {
  const rows = runs.slice(0, maxRows).map((run) => {
    const { plan } = run;
    const { usdPerHour, ceilingUsd, isIncomplete = false } = plan.estimate;
    const isUnknown = isIncomplete || (usdPerHour === 0 && !isImageOnly(plan));
    const seconds = machineSeconds(run, now);
    return [
      codeCell(plan.runId),
      codeCell(shortSha(plan.subject.headSha)),
      phaseOf(run),
      seconds === undefined ? '' : formatDuration(seconds),
      isUnknown
        ? 'not known'
        : `est. ${formatUsd(costUsd(run, now))}${isOver(run) ? '' : ' so far'}`,
      isUnknown ? '' : `est. ${formatUsd(ceilingUsd)}`,
    ];
  });
  const head = ['run', 'commit', 'state', 'on the machine', 'cost', 'at most'];
  const hidden = runs.length - maxRows;
  return table(head, rows) + (hidden > 0 ? `\n\nand ${hidden} older ones` : '');
}

function monthLines(month: MonthOfRepository): string {
  const { settledUsd, reservedUsd, maxUsd, bindingUsd, triggerBuildsUsd, workflowsUsd } = month;
  const open =
    reservedUsd === 0
      ? ''
      : `, and at most est. ${formatUsd(reservedUsd)} for runs that have not ended`;
  const of = maxUsd === undefined ? '' : `, of ${formatUsd(maxUsd)} that it may spend`;
  const spent = formatUsd(settledUsd + bindingUsd);
  const line = `This repository in ${month.month} (UTC): est. ${spent}${open}${of}.`;
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
