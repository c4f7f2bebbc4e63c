/**
 * Numbers in a line of a running job's output: hostile text in, the values it carries out. Reads what
 * training loops print (`epoch=3/20 loss=0.2`, Keras, Katib, JSON lines, Python dictionaries) and takes
 * linear time.
 */
import { isMetricName } from './metric-name.ts';
import type { Progress } from './metrics.ts';

const maxLineLength = 2_000;
const maxValues = 20;

/** `name=1.5`, `name: 1.5`, `'name': 1.5`, `"name": "1.5"`; the number ends where the word ends, and `1,234` is none. */
const pair =
  /(?<![\w./?&-])["']?([A-Za-z_][\w.@/-]{0,40})["']?\s{0,3}[=:]\s{0,3}["']?([-+]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})(?:[eE][-+]?\d{1,3})?)(?![\w.]|,\d{3}(?!\d))/g;
/** `epoch=3/20`, `Epoch 3/10`, `Epoch [2/5]`, `step 100 of 4000`, `"epoch": 3` */
const position =
  /(?<![\w./-])["']?(epoch|step|iteration|iter)["']?\s{0,3}([=:\s[])\s{0,3}\[?(\d{1,12}(?:\.\d{1,6})?)(?:\s{0,3}(?:\/|of)\s{0,3}(\d{1,12}))?(?![\w.]|,\d{3}(?!\d))/gi;
/** Without a position, a line with one of these is progress; `lr=0.1 seed=0` or `port: 8080` is not. */
const measured =
  /loss|acc|f1|auc|error|precision|recall|perplexity|mse|mae|rmse|bleu|rouge|reward|score/i;
/** Numbers that say where or when, not how well. */
const ignored = new Set([
  'epoch',
  'epochs',
  'step',
  'steps',
  'iteration',
  'iter',
  'timestamp',
  'time',
  'pid',
]);
/** Colours, and what bars draw themselves anew with. */
const escapes = /\u001b\[[\d;?]{0,20}[A-Za-z]/g;

/** Undefined for a line that reports no progress. */
export function parseProgress(line: string): Progress | undefined {
  if (line.length > maxLineLength) return undefined;
  // A progress bar redraws its line; what was printed last counts.
  const text =
    line
      .replaceAll(escapes, '')
      .split('\r')
      .filter((part) => part.trim() !== '')
      .at(-1) ?? '';
  const at = readPosition(text);
  const values: Record<string, number> = {};
  for (const [, name = '', digits = ''] of text.matchAll(pair)) {
    const value = Number(digits);
    if (ignored.has(name.toLowerCase()) || !isMetricName(name) || !Number.isFinite(value)) continue;
    if (Object.keys(values).length < maxValues) values[name] = value;
  }
  const names = Object.keys(values);
  const isProgress =
    at === undefined
      ? names.some((name) => measured.test(name))
      : names.length > 0 || at.totalSteps !== undefined;
  return isProgress ? { ...at, values } : undefined;
}

/** The first position in the line: loops print the outer one, the epoch, before the inner one. */
function readPosition(text: string): Omit<Progress, 'values'> | undefined {
  const match = text.matchAll(position).next().value;
  if (match === undefined) return undefined;
  const [, word = '', , step = '', total] = match;
  return {
    unit: word.toLowerCase() === 'epoch' ? 'epoch' : 'step',
    step: Number(step),
    ...(total === undefined ? {} : { totalSteps: Number(total) }),
  };
}
