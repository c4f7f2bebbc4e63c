/** Which of a run's values answers "how good is it?": the one that is asked for, or the likeliest. */

/** Best first; the last segment of a name decides, and what was held out beats what was trained on. */
const preferred = [
  'accuracy',
  'acc',
  'f1',
  'auc',
  'auroc',
  'map',
  'iou',
  'score',
  'bleu',
  'rmse',
  'mae',
  'loss',
  'perplexity',
];
const heldOut = /(?:^|[_./-])(?:val|valid|validation|test|eval)(?:[_./-]|$)/i;

/** @returns The name, or undefined when there are no values. A wanted name that was not measured is passed over. */
export function headlineMetric(
  values: Readonly<Record<string, number>>,
  wanted?: string,
): string | undefined {
  if (wanted !== undefined && Object.hasOwn(values, wanted)) return wanted;
  const ranked = Object.keys(values)
    .map((name, order) => ({ name, rank: rankOf(name), order }))
    .sort((a, b) => a.rank - b.rank || a.order - b.order);
  return ranked[0]?.name;
}

/** Sorts names of metrics: the wanted one first, then as they would be chosen, else by name. */
export function byWeight(a: string, b: string, wanted?: string): number {
  const wantedFirst = Number(b === wanted) - Number(a === wanted);
  return wantedFirst || rankOf(a) - rankOf(b) || (a < b ? -1 : 1);
}

function rankOf(name: string): number {
  const words = name.toLowerCase().split(/[_./ -]/);
  const kind = preferred.findIndex((word) => words.includes(word));
  if (kind === -1) return 2 * preferred.length;
  return 2 * kind + (heldOut.test(name) ? 0 : 1);
}
