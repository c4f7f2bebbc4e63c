/** Two runs that have metrics, side by side: what `/compare` answers, and how a card shows its baseline. Pure. */
import type { Plan } from '../plan/plan.ts';
import { shortSha } from '../units.ts';
import type { Baseline, Run } from '../watch/run.ts';
import { beforeName, changeText, judgedChange, type Judgement } from './change.ts';
import { headlineMetric } from './headline-metric.ts';
import { renderBothCurves } from './loss-curve.ts';
import { codeSpan, details, nameText, table } from './markdown.ts';
import { formatMetric } from './words.ts';

type Values = Readonly<Record<string, number>>;

export interface Compared {
  readonly run: Run;
  readonly against: Run;
  /** What `against` is called; its id unless told otherwise. */
  readonly againstName?: string | undefined;
}

const maxOpenRows = 12;
const maxRows = 100;

export function renderComparison({ run, against, againstName }: Compared): string {
  const values = run.metrics?.values ?? {};
  const others = against.metrics?.values ?? {};
  const rows = comparedRows(values, others, run.plan);
  const theirSha = codeSpan(shortSha(against.plan.subject.headSha));
  const theirId = codeSpan(against.plan.runId);
  const theirs = `${againstName === undefined ? theirId : nameText(againstName)} ${theirSha}`;
  const ours = `${codeSpan(run.plan.runId)} ${codeSpan(shortSha(run.plan.subject.headSha))}`;
  const head = ['metric', theirs, ours, 'change'];
  const more = rows.slice(maxOpenRows, maxRows);
  const chart = renderBothCurves(
    { values, series: run.metrics?.series ?? {}, name: codeSpan(run.plan.runId) },
    {
      series: against.metrics?.series ?? {},
      name: againstName === undefined ? theirId : nameText(againstName),
    },
    run.plan.metric,
  );
  const name = againstName === undefined ? `run ${theirId}` : nameText(againstName);
  const parts = [
    firstLine(values, others, run.plan, name),
    table(head, rows.slice(0, maxOpenRows)),
    ...(chart === undefined ? [] : [chart]),
    ...(more.length === 0 ? [] : [details(`${more.length} more metrics`, table(head, more))]),
    ...(rows.length > maxRows ? [`and ${rows.length - maxRows} more`] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Cells of one row for each metric of either, the one that matters first, the others by name. */
export function comparedRows(
  values: Values,
  others: Values,
  plan: Pick<Plan, 'metric' | 'goal'>,
  showValue: (shown: string) => string = (shown) => shown,
): readonly (readonly string[])[] {
  const judgement = judgementOf(values, plan);
  const names = [...new Set([...Object.keys(values), ...Object.keys(others)])].sort();
  const headline = headlineMetric(values, plan.metric);
  const ordered = names.sort((a, b) => Number(b === headline) - Number(a === headline));
  return ordered.map((name) => {
    const [before, after] = [valueOf(others, name), valueOf(values, name)];
    const change =
      before === undefined || after === undefined
        ? ''
        : judgedChange(name, before, after, judgement);
    return [
      nameText(name),
      before === undefined ? '' : formatMetric(before),
      after === undefined ? '' : showValue(formatMetric(after)),
      change,
    ];
  });
}

/** How the metric that a run is judged by stands against the default branch's; undefined where nobody knows. */
export function headlineChange(
  values: Values,
  baseline: Baseline | undefined,
  plan: Pick<Plan, 'metric' | 'goal'>,
): string | undefined {
  const name = headlineMetric(values, plan.metric);
  if (name === undefined || baseline === undefined) return undefined;
  const [before, after] = [valueOf(baseline.values, name), valueOf(values, name)];
  if (before === undefined || after === undefined) return undefined;
  return changeText(name, before, after, judgementOf(values, plan));
}

/** What the default branch is called where a run is held against it. */
export function baselineName({ branch }: Pick<Baseline, 'branch'>): string {
  return branch ?? 'base';
}

function firstLine(
  values: Values,
  others: Values,
  plan: Pick<Plan, 'metric' | 'goal'>,
  against: string,
): string {
  const name = headlineMetric(values, plan.metric);
  const [before, after] = [valueOf(others, name ?? ''), valueOf(values, name ?? '')];
  if (name === undefined || after === undefined) return `**Compared** with ${against}`;
  const change =
    before === undefined ? undefined : judgedChange(name, before, after, judgementOf(values, plan));
  const detail = change === undefined ? '' : ` (${beforeName(change)} ${against})`;
  return `**Compared**: ${nameText(name)} **${formatMetric(after)}**${detail}`;
}

/** A goal is that of the metric which the repository names; where it names none, of the one that is taken. */
function judgementOf(values: Values, { metric, goal }: Pick<Plan, 'metric' | 'goal'>): Judgement {
  return { metric: metric ?? headlineMetric(values), goal };
}

function valueOf(values: Values, name: string): number | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}
