/**
 * Inputs that hold several values: their text in, entries or what is wrong with them out. Pure; a problem is
 * the rest of a sentence that begins with the input's name.
 */
import { isReservedEnv } from '../shared/plan/open-fields.ts';

export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

/** What the two sides of `NAME=value` must look like. */
interface PairRules {
  readonly name: RegExp;
  readonly nameIs: string;
  readonly value: RegExp;
  readonly valueIs: string;
  /** What no name may be, though it looks like one. */
  readonly reserved?: { readonly is: (name: string) => boolean; readonly why: string };
  readonly most: number;
}

const variableName = /^[A-Za-z_]\w*$/;
const variableNameIs = 'letters, digits and `_`';

const pairRules = {
  /** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/EnvVar */
  env: {
    name: variableName,
    nameIs: variableNameIs,
    value: /^[^\0]{0,32768}$/u,
    valueIs: 'a text',
    reserved: {
      is: isReservedEnv,
      why: 'which the service or the loader sets (AIP_*, CLOUD_ML_*, GOOGLE_*, LD_*, PATH, PYTHONSTARTUP)',
    },
    most: 100,
  },
  /** @see https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions */
  secrets: {
    name: variableName,
    nameIs: variableNameIs,
    value:
      /^projects\/(?:(?:[a-z0-9.-]{1,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|\d{1,20})\/secrets\/[A-Za-z0-9_-]{1,255}\/versions\/(?:\d{1,10}|[A-Za-z][A-Za-z0-9_-]{0,62})$/,
    valueIs: "a version's name, such as projects/my-project/secrets/my-secret/versions/latest",
    reserved: {
      is: (name) => isReservedEnv(name) || name.startsWith('TRAINYARD_'),
      why: 'which the service, the loader or Trainyard sets (AIP_*, CLOUD_ML_*, GOOGLE_*, LD_*, PATH, PYTHONSTARTUP, TRAINYARD_*)',
    },
    most: 50,
  },
  buildArgs: {
    name: variableName,
    nameIs: variableNameIs,
    value: /^[^\0]{0,4096}$/u,
    valueIs: 'a text',
    most: 100,
  },
  /** @see https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values */
  substitutions: {
    name: /^_[A-Z0-9_]{1,99}$/,
    nameIs: 'capitals, digits and `_`, a `_` first',
    value: /^[^\0]{0,4000}$/u,
    valueIs: 'at most 4000 characters',
    most: 200,
  },
  /**
   * A resource has at most 64, of which some are ours.
   * @see https://cloud.google.com/resource-manager/docs/labels-overview#requirements
   */
  labels: {
    name: /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u,
    nameIs: 'lower-case letters, digits, `_` and `-`, a letter first and at most 63',
    value: /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u,
    valueIs: 'at most 63 lower-case letters, digits, `_` and `-`',
    reserved: {
      is: (name) => /^(?:trainyard|goog)-/.test(name),
      why: 'which Trainyard and Google set themselves (trainyard-*, goog-*)',
    },
    most: 50,
  },
} as const satisfies Readonly<Record<string, PairRules>>;

export type PairKind = keyof typeof pairRules;

/** `NAME=value`, one a line; everything after the first `=` is the value. */
export function parsePairs(text: string, kind: PairKind): Parsed<Readonly<Record<string, string>>> {
  const rules: PairRules = pairRules[kind];
  const pairs = new Map<string, string>();
  for (const line of linesOf(text)) {
    const at = line.indexOf('=');
    if (at < 0) return wrong(`must have one NAME=value a line, not ${quote(line)}`);
    const [name, value] = [line.slice(0, at).trim(), line.slice(at + 1)];
    if (!rules.name.test(name)) return wrong(`takes names of ${rules.nameIs}, not ${quote(name)}`);
    if (rules.reserved?.is(name) === true)
      return wrong(`may not set ${quote(name)}, ${rules.reserved.why}`);
    if (!rules.value.test(value))
      return wrong(`takes as the value of ${quote(name)} ${rules.valueIs}, not ${quote(value)}`);
    if (pairs.has(name)) return wrong(`sets ${quote(name)} twice`);
    pairs.set(name, value);
  }
  if (pairs.size > rules.most) return wrong(`may have at most ${rules.most} entries`);
  return { ok: true, value: Object.fromEntries(pairs) };
}

export interface ListedRegion {
  readonly region: string;
  /** Undefined where only the region is named. */
  readonly bucket: string | undefined;
}

/** A job and the bucket for its results must share a region. */
const regionPattern =
  /^([a-z]+-[a-z]+\d{1,2})(?:=(?:gs:\/\/)?([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])\/?)?$/;
const mostRegions = 20;

/** `REGION` or `REGION=BUCKET`, separated by commas or line ends. */
export function parseRegions(text: string): Parsed<readonly ListedRegion[]> {
  const regions: ListedRegion[] = [];
  for (const entry of linesOf(text.replaceAll(',', '\n')).map((line) => line.trim())) {
    const [, region, bucket] = regionPattern.exec(entry) ?? [];
    if (region === undefined)
      return wrong(
        `must have entries such as us-central1 or us-central1=BUCKET, not ${quote(entry)}`,
      );
    if (regions.some((other) => other.region === region))
      return wrong(`names ${quote(region)} twice`);
    regions.push({ region, bucket });
  }
  if (regions.length > mostRegions) return wrong(`may have at most ${mostRegions} entries`);
  return { ok: true, value: regions };
}

function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}

function wrong(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

/** As much of a hostile text as can be read. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
