/** The operator's file: which repositories, by numeric id, may use which project, and up to what price. */
import { z } from 'zod';
import type { Result } from '../errors.ts';
import { parseDurationSeconds } from '../units.ts';
import { defaultSettings, type ProjectSettings } from './project-settings.ts';
import type { ConfigProblem } from './problem.ts';
import { holdAgainst } from './strict-object.ts';
import { readYaml } from './yaml-file.ts';

export interface ServerConfig {
  /** Which installation of Trainyard this is: the value of the `trainyard-owner` label. */
  readonly owner: string;
  /** By GitHub's repository id: names can be registered anew by somebody else. */
  readonly repositories: ReadonlyMap<number, ProjectSettings>;
}

const project = z.string().regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, 'must be a project id');
const region = z.string().regex(/^[a-z]+-[a-z]+\d{1,2}$/, 'must be a region such as us-central1');
const bucket = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/, 'must be a bucket name, without gs://');
const account = z.email('must be the e-mail address of a service account');
/** One that can be impersonated. */
const launcher = z
  .string()
  .regex(
    /^[a-z0-9-]{1,63}@[a-z0-9.-]{1,200}\.gserviceaccount\.com$/,
    'must be the e-mail address of a service account',
  );
const tierAccount = account.exactOptional();

const repository = z.strictObject({
  project,
  regions: z.array(region).min(1).default(['us-central1']),
  build_region: z.union([z.literal('global'), region]).optional(),
  registry: z
    .string()
    .regex(
      /^[a-z0-9-]+-docker\.pkg\.dev\/[a-z0-9-]+\/[a-z0-9-]+$/,
      'must look like us-central1-docker.pkg.dev/PROJECT/REPOSITORY',
    )
    .optional(),
  source_bucket: bucket.optional(),
  logs_bucket: bucket.optional(),
  results_buckets: z.record(region, bucket).optional(),
  builder_service_account: account.optional(),
  launcher_service_account: launcher.optional(),
  trainer_service_account: account.optional(),
  trainer_service_accounts: z
    .strictObject({ base: tierAccount, pull: tierAccount, fork: tierAccount })
    .optional(),
  max_usd_per_run: z.number().positive('must be above 0').optional(),
  max_timeout: z
    .string()
    .refine((text) => parseDurationSeconds(text) !== undefined, 'must be a duration such as 12h')
    .optional(),
  allow_unknown_machines: z.boolean().optional(),
  prices: z
    .record(
      z
        .string()
        .regex(
          /^(?:[a-z][a-z0-9-]{1,62}|[A-Z][A-Z0-9_]{1,62})$/,
          'must be a machine, disk or accelerator type',
        ),
      z.number().positive('must be above 0'),
    )
    .optional(),
});

const schema = z.strictObject({
  owner: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be lower-case letters, digits, - and _'),
  repositories: z.record(
    z.string().regex(/^\d+$/, 'must be the numeric id of a repository'),
    repository,
  ),
});

/** Every key of the file, for the documents. */
export const serverConfigKeys: readonly string[] = [
  ...Object.keys(schema.shape),
  ...Object.keys(repository.shape),
];

export function parseServerConfig(text: string, file: string): Result<ServerConfig, ConfigProblem> {
  const yaml = readYaml(text, file);
  if (!yaml.ok) return yaml;
  const held = holdAgainst(schema, yaml.value, (path) =>
    Object.keys(path.length === 0 ? schema.shape : repository.shape),
  );
  if (!held.ok) return held;
  const entries = Object.entries(held.value.repositories).map(
    ([id, settings]) => [Number(id), toSettings(settings)] as const,
  );
  return { ok: true, value: { owner: held.value.owner, repositories: new Map(entries) } };
}

function toSettings(file: z.infer<typeof repository>): ProjectSettings {
  const maxTimeoutSeconds = parseDurationSeconds(file.max_timeout ?? '');
  return defaultSettings(file.project, file.regions, {
    ...(file.build_region === undefined ? {} : { buildRegion: file.build_region }),
    ...(file.registry === undefined ? {} : { registry: file.registry }),
    ...(file.source_bucket === undefined ? {} : { sourceBucket: file.source_bucket }),
    ...(file.logs_bucket === undefined ? {} : { logsBucket: file.logs_bucket }),
    ...(file.results_buckets === undefined ? {} : { resultsBuckets: file.results_buckets }),
    ...(file.builder_service_account === undefined
      ? {}
      : { builderServiceAccount: file.builder_service_account }),
    ...(file.launcher_service_account === undefined
      ? {}
      : { launcherServiceAccount: file.launcher_service_account }),
    ...(file.trainer_service_account === undefined
      ? {}
      : { trainerServiceAccount: file.trainer_service_account }),
    ...(file.trainer_service_accounts === undefined
      ? {}
      : { trainerServiceAccounts: file.trainer_service_accounts }),
    ...(file.max_usd_per_run === undefined ? {} : { maxUsdPerRun: file.max_usd_per_run }),
    ...(maxTimeoutSeconds === undefined ? {} : { maxTimeoutSeconds }),
    ...(file.allow_unknown_machines === undefined
      ? {}
      : { allowUnknownMachines: file.allow_unknown_machines }),
    ...(file.prices === undefined ? {} : { prices: file.prices }),
  });
}
