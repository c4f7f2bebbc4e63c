/** The input `prices`: its text in, dollars by machine, accelerator or disk type, or what is wrong, out. Pure. */
import { buildMachines } from '../shared/catalogue/build-prices.ts';
import { gpus, machineTypes } from '../shared/catalogue/machines.ts';
import { diskUsdPerGbMonth } from '../shared/catalogue/prices.ts';
import { nearest } from '../shared/units.ts';
import { quote, type Parsed } from './input-lists.ts';

const mostPrices = 200;

/** `NAME: USD`, which is YAML and what an operator's file has, or `NAME=USD`; one a line, `#` begins a comment. */
const linePattern = /^(['"]?)([A-Za-z][A-Za-z0-9_-]{1,62})\1\s*[:=]\s*(\S{1,40})$/;
/** As an operator's file takes it. */
const namePattern = /^(?:[a-z][a-z0-9-]*|[A-Z][A-Z0-9_]*)$/;
const amountPattern = /^\d{1,6}(?:\.\d{1,9})?$/;

export type Prices = Readonly<Record<string, number>>;

export function parsePrices(text: string): Parsed<Prices> {
  const prices = new Map<string, number>();
  for (const line of text.split(/\r?\n/).map((each) => each.replace(/(?:^|\s)#.*$/, '').trim())) {
    if (line === '') continue;
    const [, , name = '', amount = ''] = linePattern.exec(line) ?? [];
    if (!namePattern.test(name))
      return wrong(`must have one NAME=USD or \`NAME: USD\` a line, not ${quote(line)}`);
    if (!amountPattern.test(amount) || Number(amount) === 0)
      return wrong(
        `takes for ${quote(name)} an amount of US dollars above 0, not ${quote(amount)}`,
      );
    if (prices.has(name)) return wrong(`sets ${quote(name)} twice`);
    prices.set(name, Number(amount));
  }
  if (prices.size > mostPrices) return wrong(`may have at most ${mostPrices} entries`);
  return { ok: true, value: Object.fromEntries(prices) };
}

const known: readonly string[] = [
  ...machineTypes.map(({ name }) => name),
  ...gpus.map(({ acceleratorType }) => acceleratorType),
  // Has no price of its own in the catalogue, which is a reason to give one.
  ...Object.keys(diskUsdPerGbMonth),
  'hyperdisk-balanced',
  ...buildMachines,
];

/** A price for something that does not exist would be taken for one that counts. */
export function unknownPrice(prices: Prices): string | undefined {
  const name = Object.keys(prices).find((each) => !known.includes(each));
  if (name === undefined) return undefined;
  const near = nearest(name, known);
  const hint = near === undefined ? '' : ` Did you mean \`${near}\`?`;
  return `\`prices\` names ${quote(name)}, which is no machine, accelerator or disk type of the catalogue.${hint} With \`allow_unknown_machines: true\` it counts all the same.`;
}

function wrong(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}
