/** One line of the App's log, which is JSON, as a person reads it. */
import { z } from 'zod';
import { printable } from './terminal-text.ts';

/** @see https://getpino.io/#/docs/api?id=loggerlevels-object */
const levels: readonly (readonly [atLeast: number, word: string])[] = [
  [50, 'error'],
  [40, 'warning'],
];

const maxDetailLength = 500;

const lineSchema = z.looseObject({ level: z.number(), msg: z.string() });

/** Undefined when the line tells of nothing that is wrong. What is not the App's JSON is given as it is. */
export function readableAppLine(line: string): string | undefined {
  const parsed = lineSchema.safeParse(parseJson(line));
  if (!parsed.success) return printable(line);
  const { level, msg, time: _, ...details } = parsed.data;
  const word = levels.find(([atLeast]) => level >= atLeast)?.[1];
  if (word === undefined) return undefined;
  const rest =
    Object.keys(details).length === 0
      ? ''
      : ` ${JSON.stringify(details).slice(0, maxDetailLength)}`;
  return printable(`${word}: ${msg}${rest}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
