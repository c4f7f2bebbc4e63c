/** What `/cost` answers: a pull request's runs and its repository's month in, Markdown out. Pure. */
import { isImageOnly } from '../plan/plan-image.ts';
import { formatDuration, formatUsd, shortSha } from '../units.ts';
import { isOver, phaseOf, type Run } from '../watch/run.ts';
import { codeCell, table } from './markdown.ts';
import { estimatedUsd, machineSeconds } from './words.ts';

export interface MonthOfRepository {
  /** `2026-11`, UTC. */
  readonly month: string;
  /** What runs that have ended cost. */
  readonly settledUsd: number;
  /** What those that have not may cost at most. */
  readonly reservedUsd: number;
  readonly maxUsd: number | undefined;
}

const maxRows = 30;

export function renderCostOverview(
  runs: readonly Run[],
  month: MonthOfRepository,
  now: Date,
): string {
  const trained = runs.filter(({ plan }) => !isImageOnly(plan));
  const parts = [
    pullLine(trained, now),
    ...(trained.length === 0 ? [] : [costTable(trained, now)]),
    monthLine(month),
    'Estimates by the list prices of the machines, without builds, storage and network.',
  ];
  return `${parts.join('\n\n')}\n`;
}

function pullLine(runs: readonly Run[], now: Date): string {
  if (runs.length === 0) return 'There are no runs of this pull request, so it has cost nothing.';
  const spent = runs.reduce((sum, run) => sum + (estimatedUsd(run, now) ?? 0), 0);
  const open = runs.filter((run) => !isOver(run));
  const left = open.reduce(
    (sum, run) => sum + Math.max(0, run.plan.estimate.ceilingUsd - (estimatedUsd(run, now) ?? 0)),
    0,
  );
  const count = runs.length === 1 ? '1 run' : `${runs.length} runs`;
  const more = open.length === 0 ? '' : ` so far, at most est. ${formatUsd(left)} more`;
  return `**est. ${formatUsd(spent)}**${more} for ${count} of this pull request`;
}

function costTable(runs: readonly Run[], now: Date): string {
  const rows = runs.slice(0, maxRows).map((run) => {
    const { plan } = run;
    const { usdPerHour, ceilingUsd } = plan.estimate;
    const usd = estimatedUsd(run, now);
    const seconds = machineSeconds(run, now);
    return [
      codeCell(plan.runId),
      codeCell(shortSha(plan.subject.headSha)),
      phaseOf(run),
      seconds === undefined ? '' : formatDuration(seconds),
      usdPerHour === 0 ? 'not known' : `est. ${formatUsd(usd ?? 0)}${isOver(run) ? '' : ' so far'}`,
      usdPerHour === 0 ? '' : `est. ${formatUsd(ceilingUsd)}`,
    ];
  });
  const head = ['run', 'commit', 'state', 'on the machine', 'cost', 'at most'];
  const hidden = runs.length - maxRows;
  return table(head, rows) + (hidden > 0 ? `\n\nand ${hidden} older ones` : '');
}

function monthLine({ month, settledUsd, reservedUsd, maxUsd }: MonthOfRepository): string {
  const open =
    reservedUsd === 0
      ? ''
      : `, and at most est. ${formatUsd(reservedUsd)} for runs that have not ended`;
  const of = maxUsd === undefined ? '' : `, of ${formatUsd(maxUsd)} that it may spend`;
  return `This repository in ${month} (UTC): est. ${formatUsd(settledUsd)}${open}${of}.`;
}
