/**
 * `.github/trainyard.yml`: how a repository wants to be trained. Read from the default branch only, so a
 * pull request cannot change it for itself; it can narrow what the operator allows and never widen it.
 */
import { z } from 'zod';
import { repositoryPath } from '../command/train-keys.ts';
import type { Result } from '../errors.ts';
import type { Refusal } from '../policy/decision.ts';
import type { PolicyRules } from '../policy/policy.ts';
import {
  toDeclarations,
  triggerKeysAt,
  triggersSchema,
  type TriggerDeclarations,
} from '../triggers/declaration.ts';
import { parseDurationSeconds } from '../units.ts';
import { policyKeysAt, policyShape, regionName, toPolicyRules } from './policy-rules.ts';
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
  /** Whether commits get the check `trainyard`, for branch protection. */
  readonly summaryCheck?: boolean;
  /** Whether each push to the default branch is trained, as the base that pull requests are compared with. */
  readonly trainOnPush?: boolean;
  /** Cloud Build triggers that are kept as declared; undefined: none is, and none is touched. */
  readonly triggers?: TriggerDeclarations;
  /** Who may do what: narrower than the operator's rules, see `effectivePolicy`. */
  readonly policy?: PolicyRules;
}

const path = z
  .string()
  .refine((text) => repositoryPath(text) !== undefined, 'must be a path inside the repository');

/** The file's keys, with what they mean. */
export const repoConfigSchema = z.strictObject({
  config: path
    .default('config_cpu.yaml')
    .describe('the job config, as `gcloud ai custom-jobs create --config` takes it'),
  dockerfile: path.default('Dockerfile').describe('what the image is built from'),
  region: regionName.optional().describe('where jobs run'),
  regions: z
    .array(regionName)
    .optional()
    .describe("where jobs may run: of the operator's regions, those that are named here too"),
  timeout: z
    .string()
    .refine((text) => parseDurationSeconds(text) !== undefined, 'must be a duration such as 1h30m')
    .optional()
    .describe('when a run is ended at the latest, such as `1h30m`'),
  max_usd: z
    .number()
    .positive('must be above 0')
    .optional()
    .describe('a run that could cost more (US dollars) is shortened or refused'),
  metric: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('the metric that a run is judged by, such as `val_accuracy`'),
  goal: z.enum(['maximize', 'minimize']).optional().describe('which way the metric is better'),
  profiles: profilesSchema
    .optional()
    .describe('keys of `/train` under a name, for `/train profile=NAME`'),
  summary_check: z
    .boolean()
    .optional()
    .describe(
      'gives each commit of a pull request the check `trainyard`, for branch protection: neutral until a run without overrides is asked for',
    ),
  train_on_push: z
    .boolean()
    .optional()
    .describe(
      'each push to the default branch is trained as `/train` would, unless its message says `[skip train]`; pull requests are compared with what the newest one measured',
    ),
  ...policyShape,
  triggers: triggersSchema
    .optional()
    .describe('Cloud Build triggers that are kept as they are declared'),
});

/** Every key of the file, each of which a test looks for in the documents. @internal */
export const repoConfigKeys: readonly string[] = Object.keys(repoConfigSchema.shape);

export function parseRepoConfig(text: string, file: string): Result<RepoConfig, ConfigProblem> {
  const yaml = readYaml(text, file);
  if (!yaml.ok) return yaml;
  const held = holdAgainst(repoConfigSchema, yaml.value, ([first, ...below]) =>
    first === 'triggers' ? triggerKeysAt(below) : (policyKeysAt(String(first)) ?? repoConfigKeys),
  );
  if (!held.ok) return held;
  const { region, timeout, max_usd: maxUsd, metric, goal } = held.value;
  const { profiles, problems } = readProfiles(held.value.profiles ?? {}, yaml.value);
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, 10) };
  const timeoutSeconds = parseDurationSeconds(timeout ?? '');
  const policy = rulesOf(held.value);
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
      ...(held.value.summary_check === true ? { summaryCheck: true } : {}),
      ...(held.value.train_on_push === true ? { trainOnPush: true } : {}),
      ...(profiles.size === 0 ? {} : { profiles }),
      ...(held.value.triggers === undefined
        ? {}
        : { triggers: toDeclarations(held.value.triggers) }),
      ...(Object.keys(policy).length === 0 ? {} : { policy }),
    },
  };
}

function rulesOf(file: z.infer<typeof repoConfigSchema>): PolicyRules {
  const { regions, max_usd: maxUsdPerRun } = file;
  return {
    ...toPolicyRules(file),
    ...(regions === undefined ? {} : { regions }),
    ...(maxUsdPerRun === undefined ? {} : { maxUsdPerRun }),
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
