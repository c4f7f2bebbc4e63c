/** What `/status` answers: a pull request's runs, newest first, in, Markdown out. Narrow, for phones. Pure. */
import { isImageOnly } from '../plan/plan-image.ts';
import { formatAge, formatUsd, secondsBetween, shortSha } from '../units.ts';
import { isOver, jobPlanOf, phaseOf, type Run } from '../watch/run.ts';
import { headlineMetric } from './headline-metric.ts';
import { codeCell, nameText, table } from './markdown.ts';
import { progressCount } from './sections.ts';
import { estimatedUsd, formatMetric, hardwareText, reasonWords } from './words.ts';

export function renderStatus(runs: readonly Run[], now: Date): string {
  if (runs.length === 0) return 'There are no runs of this pull request. `/train` starts one.\n';
  const open = runs.filter((run) => !isOver(run)).length;
  const rows = runs.map((run) => {
    const usd = estimatedUsd(run, now);
    return [
      codeCell(run.plan.runId),
      codeCell(shortSha(run.plan.subject.headSha)),
      stateCell(run),
      formatAge(secondsBetween(run.createdAt, now)),
      usd === undefined ? '—' : `est. ${formatUsd(usd)}`,
    ];
  });
  const head = ['run', 'commit', 'state', 'asked', 'cost'];
  const hint = open === 0 ? 'Nothing is running.' : `${open} running: \`/cancel RUN\` stops one.`;
  return `${hint}\n\n${table(head, rows)}\n`;
}

/** `val_accuracy **0.961** on T4`, `failed on T4, out of memory`, `running on T4, epoch 7/20` */
function stateCell(run: Run): string {
  const phase = phaseOf(run);
  const { machine } = jobPlanOf(run);
  const on = isImageOnly(run.plan) ? ', image only' : ` on ${codeCell(hardwareText(machine))}`;
  const found = phase === 'succeeded' ? metricText(run) : undefined;
  if (found !== undefined) return `${found}${on}`;
  const reason = phase === 'failed' ? run.end?.reason : undefined;
  const detail = isOver(run) ? reason && reasonWords[reason] : progressCount(run);
  return `${phase}${on}${detail === undefined ? '' : `, ${detail}`}`;
}

function metricText({ metrics, plan }: Run): string | undefined {
  const values = metrics?.values ?? {};
  const name = headlineMetric(values, plan.metric);
  const value = name === undefined ? undefined : values[name];
  return name === undefined || value === undefined
    ? undefined
    : `${nameText(name)} **${formatMetric(value)}**`;
}
