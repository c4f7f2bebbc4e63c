/** How a value compares with an earlier one: by how much it changed, and whether that is better. Pure. */
import type { Plan } from '../plan/plan.ts';
import { formatMetric } from './words.ts';

/** The metric that a run is judged by, and which way it is better where the repository says so. */
export interface Judgement {
  readonly metric: string | undefined;
  readonly goal: Plan['goal'];
}

const same = 'same';

type Direction = 'up' | 'down';

/** `+0.004`, `−9.92 %`, `same`: a share is told as it is, anything else in percent of what it was. */
export function changeText(
  name: string,
  before: number,
  after: number,
  judgement: Judgement,
): string {
  if (before === after) return same;
  const difference = after - before;
  const isShare = [before, after].every((value) => value >= 0 && value <= 1);
  const isTold = before === 0 || (isShare && directionOf(name, judgement) === 'up');
  const size = isTold
    ? differenceText(before, after)
    : `${Number(Math.abs((difference / before) * 100).toPrecision(3))} %`;
  return `${difference > 0 ? '+' : '−'}${size}`;
}

/** Of the values as they are shown, since their other digits are nowhere to be seen: 0.9526 and 0.9694 are 0.0168 apart. */
function differenceText(before: number, after: number): string {
  const [one, other] = [formatMetric(before), formatMetric(after)];
  const decimals = Math.max(decimalsOf(one), decimalsOf(other));
  const shown = Number(Math.abs(Number(other) - Number(one)).toFixed(decimals));
  return formatMetric(shown === 0 ? Math.abs(after - before) : shown);
}

function decimalsOf(shown: string): number {
  return shown.split('e')[0]?.split('.')[1]?.length ?? 0;
}

/** `+0.004 better`; without a verdict where nobody knows which way is better. */
export function judgedChange(
  name: string,
  before: number,
  after: number,
  judgement: Judgement,
): string {
  const change = changeText(name, before, after, judgement);
  const verdict = verdictOf(name, before, after, judgement);
  return verdict === undefined || verdict === same ? change : `${change} ${verdict}`;
}

export type Verdict = 'better' | 'worse' | 'same';

/** Undefined where nobody knows which way is better. */
export function verdictOf(
  name: string,
  before: number,
  after: number,
  judgement: Judgement,
): Verdict | undefined {
  if (before === after) return same;
  const direction = directionOf(name, judgement);
  if (direction === undefined) return undefined;
  return after > before === (direction === 'up') ? 'better' : 'worse';
}

/** `+0.004 against`, `same as`: what goes before the name of what it is held against. */
export function beforeName(change: string): string {
  return change === same ? `${same} as` : `${change} against`;
}

const downWords =
  /(?:^|[_./ -])(?:loss|error|err|mae|mse|rmse|perplexity|ppl|wer|cer)(?:[_./ -]|$)/i;
const upWords =
  /(?:^|[_./ -])(?:accuracy|acc|f1|auc|auroc|precision|recall|map|iou|dice|score|bleu|r2)(?:[_./ -]|$)/i;

/** Which way is better: as the repository says of its metric, as the name tells of any other. */
function directionOf(name: string, { metric, goal }: Judgement): Direction | undefined {
  if (goal !== undefined && name === metric) return goal === 'maximize' ? 'up' : 'down';
  if (downWords.test(name)) return 'down';
  return upWords.test(name) ? 'up' : undefined;
}
