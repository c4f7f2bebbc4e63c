/**
 * Reads inputs one by one from the runner's variables and notes what is wrong with them; a bad one reads as
 * its emptiest value. Which inputs there are is the registry's to say (inputs.ts).
 */
import { splitWords } from '../shared/command/split-words.ts';
import { nearest, parseDurationSeconds } from '../shared/units.ts';
import {
  parsePairs,
  parseRegions,
  quote,
  type ListedRegion,
  type PairKind,
  type Parsed,
} from './input-lists.ts';
import type { InputDefinition, InputName, InputProblem } from './inputs.ts';
import { parsePrices, type Prices } from './price-list.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where google-github-actions/auth and setup-gcloud leave the project. */
const projectVariables = ['GOOGLE_CLOUD_PROJECT', 'GCLOUD_PROJECT', 'CLOUDSDK_CORE_PROJECT'];

const patterns = {
  project: [/^(?:[a-z0-9.-]{1,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/, 'a project id'],
  region: [/^[a-z]+-[a-z]+\d+$/, 'a region such as us-central1'],
  buildRegion: [/^(?:[a-z]+-[a-z]+\d+|global)$/, 'a location such as us-central1 or global'],
  bucket: [/^(?:gs:\/\/)?[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]\/?$/, 'a bucket name'],
  directory: [
    /^gs:\/\/[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](?:\/[^\s?#*[\]]{0,800})?$/,
    'a directory such as gs://my-bucket/runs',
  ],
  email: [
    /^[a-z0-9-]{1,63}@[a-z0-9.-]{1,200}\.gserviceaccount\.com$/,
    "a service account's e-mail",
  ],
  provider: [
    /^projects\/\d{1,20}\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{4,32}\/providers\/[a-z0-9-]{4,32}$/,
    'projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER',
  ],
  registry: [
    /^[a-z]+(?:-[a-z]+\d+)?-docker\.pkg\.dev\/[a-z0-9.:-]{4,90}\/[a-z][a-z0-9-]{0,62}$/,
    'a repository such as us-central1-docker.pkg.dev/my-project/trainyard',
  ],
  machineType: [/^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$/, 'a machine type such as n1-standard-4'],
  gpu: [/^[A-Za-z][A-Za-z0-9_-]{0,39}(?::\d{1,2})?$/, 'a GPU such as T4 or T4:2, or none'],
  runId: [/^[a-z2-7]{8}$/, 'the id of a run, such as k7q2m4xa'],
  target: [/^[A-Za-z0-9][\w.-]{0,127}$/, "the name of a Dockerfile's stage"],
  platform: [/^[a-z0-9]{1,20}\/[a-z0-9_]{1,20}(?:\/v\d{1,2})?$/, 'a platform such as linux/amd64'],
} as const satisfies Readonly<Record<string, readonly [RegExp, string]>>;

export class InputReader {
  readonly #env: Environment;
  readonly #definitions: Readonly<Record<InputName, InputDefinition>>;
  readonly #problems: InputProblem[];

  constructor(
    env: Environment,
    definitions: Readonly<Record<InputName, InputDefinition>>,
    problems: InputProblem[],
  ) {
    this.#env = env;
    this.#definitions = definitions;
    this.#problems = problems;
  }

  /** The input or its default; undefined when both are empty. */
  text(input: InputName): string | undefined {
    // The runner passes the input `a_b` as the variable INPUT_A_B.
    const given = (this.#env[`INPUT_${input.toUpperCase()}`] ?? '').trim();
    const text = given === '' ? (this.#definitions[input].default ?? '') : given;
    return text === '' ? undefined : text;
  }

  /** Notes inputs of earlier versions, each with the one that came after it. */
  removed(successors: Readonly<Record<string, InputName>>): void {
    for (const [name, input] of Object.entries(successors)) {
      if ((this.#env[`INPUT_${name.toUpperCase()}`] ?? '').trim() === '') continue;
      const message = `\`${name}\` is no input any more; its successor is \`${input}\`.`;
      this.#problems.push({ input, message });
    }
  }

  line(input: InputName, maxLength: number): string | undefined {
    const text = this.text(input);
    if (text !== undefined && (/[\r\n\0]/.test(text) || text.length > maxLength)) {
      this.#note(input, `must be one line of at most ${maxLength} characters`);
    }
    return text;
  }

  matching(input: InputName, pattern: keyof typeof patterns): string | undefined {
    return this.#checked(input, this.text(input), pattern);
  }

  projectId(): string {
    const fromEnv = projectVariables.map((name) => this.#env[name]).find(Boolean);
    const text = this.text('project_id') ?? fromEnv;
    if (text === undefined) {
      const fix = 'set it, or run google-github-actions/auth before this step';
      this.#note('project_id', `is required: ${fix}`);
    }
    return this.#checked('project_id', text, 'project') ?? '';
  }

  /** One of the words; the first of them when it is none. */
  word<T extends string>(input: InputName, words: readonly [T, ...T[]]): T {
    return this.wordIfGiven(input, words) ?? words[0];
  }

  wordIfGiven<T extends string>(input: InputName, words: readonly [T, ...T[]]): T | undefined {
    const text = this.text(input);
    if (text === undefined) return undefined;
    const known = words.find((name) => name === text);
    if (known !== undefined) return known;
    const near = nearest(text, words);
    const hint =
      near === undefined
        ? `use ${words.slice(0, -1).join(', ')} or ${String(words.at(-1))}`
        : `did you mean ${near}`;
    this.#note(input, `does not know ${quote(text)}; ${hint}`);
    return undefined;
  }

  /** A relative path that stays inside the workspace. */
  path(input: InputName): string {
    const text = this.line(input, 500) ?? '';
    const escapes = text.startsWith('/') || /^[A-Za-z]:/.test(text) || text.includes('\\');
    if (escapes || text.split('/').includes('..')) {
      this.#note(input, `must be a relative path inside the workspace, not ${quote(text)}`);
    }
    return text;
  }

  bucket(input: InputName): string | undefined {
    return this.matching(input, 'bucket')
      ?.replace(/^gs:\/\//, '')
      .replace(/\/$/, '');
  }

  words(input: InputName): readonly string[] | undefined {
    const text = this.text(input);
    if (text === undefined) return undefined;
    const split = splitWords(text);
    if (split.ok) return split.words;
    this.#note(input, `has a quote or a backslash without its end in ${quote(text)}`);
    return undefined;
  }

  pairs(input: InputName, kind: PairKind): Readonly<Record<string, string>> | undefined {
    return this.#parsed(input, (text) => parsePairs(text, kind));
  }

  regions(input: InputName): readonly ListedRegion[] | undefined {
    return this.#parsed(input, parseRegions);
  }

  prices(input: InputName): Prices | undefined {
    return this.#parsed(input, parsePrices);
  }

  duration(input: InputName): number | undefined {
    const text = this.text(input);
    if (text === undefined) return undefined;
    const seconds = parseDurationSeconds(text);
    if (seconds === undefined) this.#noteIsNot(input, text, 'a duration such as 90m or 2h');
    return seconds;
  }

  count(input: InputName, most: number): number | undefined {
    const text = this.text(input);
    if (text === undefined) return undefined;
    if (/^\d{1,6}$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
    this.#noteIsNot(input, text, `a whole number from 1 to ${most}`);
    return undefined;
  }

  dollars(input: InputName): number | undefined {
    const text = this.text(input);
    if (text === undefined) return undefined;
    if (/^\d{1,6}(?:\.\d{1,4})?$/.test(text) && Number(text) > 0) return Number(text);
    this.#noteIsNot(input, text, 'an amount of US dollars such as 20');
    return undefined;
  }

  /** The words of YAML 1.2, which is what `core.getBooleanInput` takes too. */
  boolean(input: InputName): boolean {
    return this.booleanIfGiven(input) ?? false;
  }

  booleanIfGiven(input: InputName): boolean | undefined {
    const text = this.text(input);
    if (text === undefined) return undefined;
    if (/^(?:true|True|TRUE)$/.test(text)) return true;
    if (/^(?:false|False|FALSE)$/.test(text)) return false;
    this.#noteIsNot(input, text, 'true or false');
    return undefined;
  }

  #parsed<T>(input: InputName, parse: (text: string) => Parsed<T>): T | undefined {
    const text = this.text(input);
    if (text === undefined) return undefined;
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    this.#note(input, parsed.problem);
    return undefined;
  }

  #checked(
    input: InputName,
    text: string | undefined,
    pattern: keyof typeof patterns,
  ): string | undefined {
    const [allowed, what] = patterns[pattern];
    if (text === undefined || allowed.test(text)) return text;
    this.#noteIsNot(input, text, what);
    return undefined;
  }

  #noteIsNot(input: InputName, text: string, what: string): void {
    this.#note(input, `must be ${what}, not ${quote(text)}`);
  }

  #note(input: InputName, message: string): void {
    this.#problems.push({ input, message: `\`${input}\` ${message}.` });
  }
}
