/** The parts below a report's first line, each from one aspect of a run; every one is bounded. */
import { formatDuration, formatUsd, shortSha } from '../units.ts';
import { secretsLabel } from '../plan/job-secrets.ts';
import { isImageOnly } from '../plan/plan-image.ts';
import { isOver, jobPlanOf, type Baseline, type Run } from '../watch/run.ts';
import { baselineName, comparedRows } from './comparison.ts';
import { headlineMetric } from './headline-metric.ts';
import { renderBothCurves, renderCurves } from './loss-curve.ts';
import { codeSpan, details, fence, link, nameText, sentence, table } from './markdown.ts';
import { estimatedUsd, formatMetric, isPriced, type CardContext } from './words.ts';

const maxOpenRows = 8;
const maxFoldedRows = 100;
const maxProgressValues = 6;
const maxNotes = 10;

/** Says that newer code is there, so that nobody takes the result for its. */
export function renderSuperseded({ superseded, plan }: Run): string | undefined {
  return superseded === undefined
    ? undefined
    : `*Superseded*: ${codeSpan(shortSha(superseded.by))} is newer than ${codeSpan(shortSha(plan.subject.headSha))}.`;
}

/** `epoch 7/20 · loss 0.212 · val_accuracy 0.941` */
export function renderProgress(run: Run): string | undefined {
  const { progress } = run;
  if (progress === undefined || run.end !== undefined) return undefined;
  const values = Object.entries(progress.values)
    .slice(0, maxProgressValues)
    .map(([name, value]) => `${nameText(name)} ${formatMetric(value)}`);
  const counted = progressCount(run);
  return [...(counted === undefined ? [] : [counted]), ...values].join(' · ');
}

/** `epoch 7/20`; undefined when the run does not count. */
export function progressCount(run: Run): string | undefined {
  const { step, totalSteps, unit } = run.progress ?? {};
  if (step === undefined) return undefined;
  return `${unit ?? 'step'} ${step}${totalSteps === undefined ? '' : `/${totalSteps}`}`;
}

export function renderLinks(links: CardContext['links']): string | undefined {
  const made = [link('Logs', links.logs), link('Job', links.job), link('Build', links.build)];
  return made.filter((one) => one !== undefined).join(' · ') || undefined;
}

/** What can be clicked or typed next. */
export function renderDoors(run: Run, { links, takesCommands }: CardContext): string | undefined {
  const shown = renderLinks(links);
  if (takesCommands !== true || isOver(run) || run.cancel !== undefined) return shown;
  return [...(shown === undefined ? [] : [shown]), codeSpan(`/cancel ${run.plan.runId}`)].join(
    ' · ',
  );
}

/** The final values, beside the default branch's where it has any: the headline's first, most of them folded. */
export function renderMetrics(run: Run): readonly string[] {
  const { head, rows } =
    run.baseline === undefined ? valueTable(run) : changeTable(run, run.baseline);
  if (rows.length === 0) return [];
  const open = table(head, rows.slice(0, maxOpenRows));
  const folded = rows.slice(maxOpenRows, maxOpenRows + maxFoldedRows);
  if (folded.length === 0) return [open];
  const hidden = rows.length - maxOpenRows - folded.length;
  const more = hidden > 0 ? `\n\nand ${hidden} more` : '';
  return [open, details(`${folded.length} more metrics`, table(head, folded) + more)];
}

interface MetricsTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function valueTable({ metrics, plan }: Run): MetricsTable {
  const values = metrics?.values ?? {};
  const headline = headlineMetric(values, plan.metric);
  const rest = Object.keys(values)
    .filter((name) => name !== headline)
    .sort();
  const names = headline === undefined ? rest : [headline, ...rest];
  const rows = names.map((name) => {
    const shown = formatMetric(values[name] ?? 0);
    return [nameText(name), name === headline ? `**${shown}**` : shown];
  });
  return { head: ['metric', 'value'], rows };
}

function changeTable({ metrics, plan }: Run, baseline: Baseline): MetricsTable {
  const theirs = `${nameText(baselineName(baseline))} ${codeSpan(shortSha(baseline.headSha))}`;
  const bold = (shown: string): string => `**${shown}**`;
  const rows = comparedRows(metrics?.values ?? {}, baseline.values, plan, bold);
  return { head: ['metric', theirs, 'this', 'change'], rows };
}

/** The curves, beside the default branch's where both have measured the same; undefined where there are none. */
export function renderChart({ metrics, baseline, plan }: Run): string | undefined {
  if (metrics === undefined) return undefined;
  const ours = { ...metrics, name: 'this run' };
  const theirs = baseline?.series && {
    series: baseline.series,
    name: nameText(baselineName(baseline)),
  };
  const both = theirs && renderBothCurves(ours, theirs, plan.metric);
  return both ?? renderCurves(metrics, plan.metric);
}

/** The image of a run that is for nothing else, and what can be done with it. */
export function renderMadeImage(
  { plan, image, end }: Run,
  { takesCommands }: Pick<CardContext, 'takesCommands'>,
): string | undefined {
  if (image === undefined || end === undefined || !isImageOnly(plan)) return undefined;
  const digest = image.slice(image.lastIndexOf('@') + 1);
  const train = takesCommands === true ? ` · ${codeSpan(`/train image=${digest}`)}` : '';
  return `${codeSpan(image, 400)}${train}`;
}

/** The launches that lost or never got their machine, one line each; undefined when the first one did. */
export function renderAttempts(run: Run): string | undefined {
  const lines = (run.attempts ?? []).map(
    ({ region, message }, at) =>
      `- attempt ${at + 1} in ${codeSpan(region, 40)}: ${sentence(message)}`,
  );
  return lines.length === 0 ? undefined : lines.join('\n');
}

/** What was changed or assumed, as a list; empty text when nothing was. */
export function renderNotes(notes: readonly string[]): string {
  return notes
    .slice(0, maxNotes)
    .map((note) => `- ${sentence(note)}`)
    .join('\n');
}

/** What the first line does not say of the cost: its limit while the run goes on, all of it when the run failed. */
export function renderCost(run: Run, now: Date): string | undefined {
  const { estimate } = run.plan;
  if (!isPriced(run.plan)) return 'Cost: not known';
  if (run.end === undefined) {
    const most = `Cost: at most est. ${formatUsd(estimate.ceilingUsd)}`;
    return isImageOnly(run.plan)
      ? most
      : `${most} by the timeout of ${formatDuration(jobPlanOf(run).timeoutSeconds)} (est. ${formatUsd(estimate.usdPerHour)}/h)`;
  }
  const spent = run.end.outcome === 'failed' ? estimatedUsd(run, now) : undefined;
  return spent === undefined ? undefined : `Cost: est. ${formatUsd(spent)}`;
}

/** The last lines of a failed run's log, folded. */
export function renderLogTail(run: Run): string | undefined {
  if (run.end?.outcome !== 'failed' || (run.logTail ?? []).length === 0) return undefined;
  // More people may read a card than may read the job's log.
  if (secretsLabel in jobPlanOf(run).labels)
    return 'The last lines of the log are not shown here, because the job has secrets.';
  return details('Last lines of the log', fence(run.logTail ?? []));
}
