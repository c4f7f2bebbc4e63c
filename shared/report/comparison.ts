/** What `/compare` answers: two runs that have metrics in, a table of both out. Pure. */
import { shortSha } from '../units.ts';
import type { Run } from '../watch/run.ts';
import { headlineMetric } from './headline-metric.ts';
import { codeSpan, details, nameText, table } from './markdown.ts';
import { formatMetric } from './words.ts';

export interface Compared {
  readonly run: Run;
  readonly against: Run;
  /** What `against` is called in the table; its id unless told otherwise. */
  readonly againstName: string | undefined;
}

const maxOpenRows = 12;
const maxRows = 100;

export function renderComparison({ run, against, againstName }: Compared): string {
  const values = run.metrics?.values ?? {};
  const others = against.metrics?.values ?? {};
  const headline = headlineMetric(values, run.plan.metric);
  const names = [...new Set([...Object.keys(values), ...Object.keys(others)])]
    .sort()
    .sort((a, b) => Number(b === headline) - Number(a === headline));
  const rows = names.slice(0, maxRows).map((name) => {
    const [before, after] = [valueOf(others, name), valueOf(values, name)];
    return [nameText(name), text(before), text(after), changeText(name, before, after)];
  });
  const theirs = `${againstName ?? codeSpan(against.plan.runId)} ${codeSpan(shortSha(against.plan.subject.headSha))}`;
  const ours = `${codeSpan(run.plan.runId)} ${codeSpan(shortSha(run.plan.subject.headSha))}`;
  const head = ['metric', theirs, ours, 'change'];
  const more = rows.slice(maxOpenRows);
  const parts = [
    firstLine(headline, values, others, againstName ?? `run ${codeSpan(against.plan.runId)}`),
    table(head, rows.slice(0, maxOpenRows)),
    ...(more.length === 0 ? [] : [details(`${more.length} more metrics`, table(head, more))]),
    ...(names.length > maxRows ? [`and ${names.length - maxRows} more`] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

function firstLine(
  name: string | undefined,
  values: Readonly<Record<string, number>>,
  others: Readonly<Record<string, number>>,
  against: string,
): string {
  const [before, after] = [valueOf(others, name ?? ''), valueOf(values, name ?? '')];
  if (name === undefined || after === undefined) return `**Compared** with ${against}`;
  const change = changeText(name, before, after);
  const detail = change === '' ? '' : ` (${change} against ${against})`;
  return `**Compared**: ${nameText(name)} **${formatMetric(after)}**${detail}`;
}

function valueOf(values: Readonly<Record<string, number>>, name: string): number | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

function text(value: number | undefined): string {
  return value === undefined ? '' : formatMetric(value);
}

/** `+0.004 better`; a share is told as it is, anything else in percent of what it was. */
function changeText(name: string, before: number | undefined, after: number | undefined): string {
  if (before === undefined || after === undefined) return '';
  if (before === after) return 'same';
  const difference = after - before;
  const isShare = [before, after].every((value) => value >= 0 && value <= 1);
  const size =
    isShare && directionOf(name) === 'up'
      ? formatMetric(Math.abs(difference))
      : before === 0
        ? formatMetric(Math.abs(difference))
        : `${Number(Math.abs((difference / before) * 100).toPrecision(3))} %`;
  const direction = directionOf(name);
  const verdict =
    direction === undefined ? '' : difference > 0 === (direction === 'up') ? ' better' : ' worse';
  return `${difference > 0 ? '+' : '−'}${size}${verdict}`;
}

const downWords =
  /(?:^|[_./ -])(?:loss|error|err|mae|mse|rmse|perplexity|ppl|wer|cer)(?:[_./ -]|$)/i;
const upWords =
  /(?:^|[_./ -])(?:accuracy|acc|f1|auc|auroc|precision|recall|map|iou|dice|score|bleu|r2)(?:[_./ -]|$)/i;

/** Which way is better, as far as its name tells. */
function directionOf(name: string): 'up' | 'down' | undefined {
  if (downWords.test(name)) return 'down';
  return upWords.test(name) ? 'up' : undefined;
}
