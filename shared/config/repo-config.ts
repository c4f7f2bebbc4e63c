/**
 * `.github/trainyard.yml`: how a repository wants to be trained. Read from the default branch only, so a
 * pull request cannot change it for itself; it can narrow what the operator allows and never widen it.
 */
import { z } from 'zod';
import { repositoryPath } from '../command/parse-arguments.ts';
import { quoteToken } from '../command/quote-token.ts';
import type { Result } from '../errors.ts';
import type { Refusal } from '../policy/decision.ts';
import {
  toDeclarations,
  triggerKeysAt,
  triggersSchema,
  type TriggerDeclarations,
} from '../triggers/declaration.ts';
import { parseDurationSeconds } from '../units.ts';
import { profilesSchema, readProfiles, type Profile } from './profiles.ts';
import type { ConfigProblem } from './problem.ts';
import { holdAgainst } from './strict-object.ts';
import { readYaml } from './yaml-file.ts';

export const repoConfigPath = '.github/trainyard.yml';

export interface RepoConfig {
  /** Path of the job config that `/train` uses unless told otherwise. */
  readonly config: string;
  readonly dockerfile: string;
  readonly region?: string;
  readonly timeoutSeconds?: number;
  readonly maxUsd?: number;
  /** The metric that matters, such as `val_accuracy`. */
  readonly metric?: string;
  readonly goal?: 'maximize' | 'minimize';
  /** What `/train profile=NAME` stands for, by name. */
  readonly profiles?: ReadonlyMap<string, Profile>;
  /** Cloud Build triggers that are kept as declared; undefined: none is, and none is touched. */
  readonly triggers?: TriggerDeclarations;
}

const path = z
  .string()
  .refine((text) => repositoryPath(text) !== undefined, 'must be a path inside the repository');

const schema = z.strictObject({
  config: path.default('config_cpu.yaml'),
  dockerfile: path.default('Dockerfile'),
  region: z
    .string()
    .regex(/^[a-z]+-[a-z]+\d{1,2}$/, 'must be a region such as us-central1')
    .optional(),
  timeout: z
    .string()
    .refine((text) => parseDurationSeconds(text) !== undefined, 'must be a duration such as 1h30m')
    .optional(),
  max_usd: z.number().positive('must be above 0').optional(),
  metric: z.string().min(1).max(100).optional(),
  goal: z.enum(['maximize', 'minimize']).optional(),
  profiles: profilesSchema.optional(),
  triggers: triggersSchema.optional(),
});

/** Every key of the file, for the documents. */
export const repoConfigKeys: readonly string[] = Object.keys(schema.shape);

export function parseRepoConfig(text: string, file: string): Result<RepoConfig, ConfigProblem> {
  const yaml = readYaml(text, file);
  if (!yaml.ok) return yaml;
  const held = holdAgainst(schema, yaml.value, ([first, ...below]) =>
    first === 'triggers' ? triggerKeysAt(below) : repoConfigKeys,
  );
  if (!held.ok) return held;
  const { region, timeout, max_usd: maxUsd, metric, goal } = held.value;
  const { profiles, problems } = readProfiles(held.value.profiles ?? {}, yaml.value);
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, 10) };
  const timeoutSeconds = parseDurationSeconds(timeout ?? '');
  return {
    ok: true,
    value: {
      config: repositoryPath(held.value.config) ?? held.value.config,
      dockerfile: repositoryPath(held.value.dockerfile) ?? held.value.dockerfile,
      ...(region === undefined ? {} : { region }),
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
      ...(maxUsd === undefined ? {} : { maxUsd }),
      ...(metric === undefined ? {} : { metric }),
      ...(goal === undefined ? {} : { goal }),
      ...(profiles.size === 0 ? {} : { profiles }),
      ...(held.value.triggers === undefined
        ? {}
        : { triggers: toDeclarations(held.value.triggers) }),
    },
  };
}

/** The answer where the default branch has no such file. */
export function noRepoConfig(): Refusal {
  return {
    kind: 'rejected',
    reason: 'no_config',
    message: `This repository's default branch has no \`${repoConfigPath}\`.`,
    fix: 'Add one; a single line such as `config: config_gpu.yaml`, naming your job config, is enough.',
  };
}

/** The answer where a configuration file is wrong: the first three problems with their places. */
export function badConfig(problems: readonly ConfigProblem[]): Refusal {
  const [first] = problems;
  const places = problems
    .slice(0, 3)
    .map(
      ({ file, line, column, message }) =>
        `${quoteToken(`${file.length > 40 ? `…${file.slice(-39)}` : file}:${line}:${column}`)}: ${message}`,
    );
  const more = problems.length > 3 ? ` (and ${problems.length - 3} more)` : '';
  return {
    kind: 'rejected',
    reason: 'bad_config',
    message: `${places.join(' ')}${more}`,
    fix: `Correct ${first === undefined ? 'the file' : quoteToken(first.file)}, push, and comment again.`,
  };
}
