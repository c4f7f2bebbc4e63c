/** What `/status` answers: a pull request's runs, newest first, in, Markdown out. Pure. */
import { isImageOnly } from '../plan/plan-image.ts';
import { formatDuration, formatUsd, secondsBetween, shortSha } from '../units.ts';
import { isOver, jobPlanOf, phaseOf, type Run } from '../watch/run.ts';
import { codeCell, table } from './markdown.ts';
import { progressCount } from './sections.ts';
import { estimatedUsd, machineText } from './words.ts';

export function renderStatus(runs: readonly Run[], now: Date): string {
  if (runs.length === 0) return 'There are no runs of this pull request. `/train` starts one.\n';
  const open = runs.filter((run) => !isOver(run)).length;
  const rows = runs.map((run) => {
    const job = jobPlanOf(run);
    const usd = estimatedUsd(run, now);
    return [
      codeCell(run.plan.runId),
      codeCell(shortSha(run.plan.subject.headSha)),
      isImageOnly(run.plan) ? 'image only' : codeCell(machineText(job.machine, job.region)),
      [phaseOf(run), isOver(run) ? undefined : progressCount(run)].filter(Boolean).join(', '),
      `${formatDuration(secondsBetween(run.createdAt, now))} ago`,
      usd === undefined ? '' : `est. ${formatUsd(usd)}`,
    ];
  });
  const head = ['run', 'commit', 'machine', 'state', 'asked for', 'cost'];
  const hint = open === 0 ? 'Nothing is running.' : `${open} running: \`/cancel RUN\` stops one.`;
  return `${hint}\n\n${table(head, rows)}\n`;
}
