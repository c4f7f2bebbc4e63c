/**
 * `profiles:` of a repository's file: sets of `/train` keys under a name, for `/train profile=NAME`. A key and
 * its value are read as those of a comment are, so whatever can be typed can stand in a profile.
 */
import { z } from 'zod';
import type { TrainCommand } from '../command/command.ts';
import { parseTrain } from '../command/parse-arguments.ts';
import { quoteToken } from '../command/quote-token.ts';
import type { ConfigProblem } from './problem.ts';
import type { YamlFile } from './yaml-file.ts';

/** What a profile stands for. What is typed beside its name beats it: `{ ...profile, ...command }`. */
export type Profile = Omit<TrainCommand, 'dryRun'>;

const name = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/;

export const profilesSchema = z.record(
  z.string().regex(name, 'must be a name of letters, digits, - and _'),
  z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
);

/** A profile says what a run is, and one that leads to another would hide that. */
const closedKeys: readonly string[] = ['profile', 'dry-run', '--'];

/** @returns the profiles, and what is wrong with them; the place of each problem is its key's */
export function readProfiles(
  written: z.infer<typeof profilesSchema>,
  file: YamlFile,
): {
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly problems: readonly ConfigProblem[];
} {
  const profiles = new Map<string, Profile>();
  const problems: ConfigProblem[] = [];
  for (const [name, keys] of Object.entries(written)) {
    const wrong = Object.entries(keys).flatMap(([key, value]) => {
      const message = problemOf(key, value);
      return message === undefined ? [] : [file.problemAt(['profiles', name, key], message)];
    });
    const profile = wrong.length === 0 ? readLine(keys) : undefined;
    problems.push(...wrong);
    if (typeof profile === 'string') problems.push(file.problemAt(['profiles', name], profile));
    else if (profile !== undefined) profiles.set(name, profile);
  }
  return { profiles, problems };
}

type Value = string | number | boolean;

function problemOf(key: string, value: Value): string | undefined {
  if (closedKeys.includes(key)) return `${quoteToken(key)} has no place in a profile.`;
  const read = readLine({ [key]: value });
  return typeof read === 'string' ? read : undefined;
}

/** The profile, or what is wrong with it. */
function readLine(keys: Readonly<Record<string, Value>>): Profile | string {
  const words = Object.entries(keys).map(([key, value]) =>
    quoted(value === true ? key : `${key}=${value}`),
  );
  const read = parseTrain(words.join(' '));
  if (!('kind' in read)) return read.message;
  const { dryRun: _, ...profile } = read;
  return profile;
}

/** One word for the parser, whatever is in it. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
