/** Numbers in a line of a running job's output: hostile text in, the values it carries out. Linear in its length. */
import type { Progress } from './metrics.ts';

const maxLineLength = 2_000;
const maxValues = 20;
/** `name=1.5`, `name: 1.5`; as Katib, Keras and most loops print them. */
const pair =
  /(?<![\w./-])([A-Za-z][\w.-]{0,40})\s{0,3}[=:]\s{0,3}([-+]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})(?:[eE][-+]?\d{1,3})?)(?![\w.])(?:\s{0,2}\/\s{0,2}(\d{1,12})(?![\w.]))?/g;
const stepNames = ['epoch', 'step', 'iteration', 'iter'];

/** Undefined for a line without a metric: a step alone tells nothing. */
export function parseProgress(line: string): Progress | undefined {
  const text = line.slice(0, maxLineLength);
  const values: Record<string, number> = {};
  let step: number | undefined;
  let totalSteps: number | undefined;
  // Keras prints `Epoch 3/10` without a sign between.
  const bare = /\b(?:epoch|step|iteration)\s{1,3}(\d{1,12})\s{0,2}\/\s{0,2}(\d{1,12})/i.exec(text);
  if (bare !== null) [step, totalSteps] = [Number(bare[1]), Number(bare[2])];
  for (const [, name = '', number = '', total] of text.matchAll(pair)) {
    const value = Number(number);
    if (!Number.isFinite(value)) continue;
    if (stepNames.includes(name.toLowerCase())) {
      step ??= value;
      if (total !== undefined) totalSteps ??= Number(total);
    } else if (Object.keys(values).length < maxValues && name !== '__proto__') {
      values[name] = value;
    }
  }
  if (Object.keys(values).length === 0) return undefined;
  return {
    ...(step === undefined ? {} : { step }),
    ...(totalSteps === undefined ? {} : { totalSteps }),
    values,
  };
}
