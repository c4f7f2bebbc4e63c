/** The operator's file: which repositories, by numeric id, may use which project, and up to what price. */
import { z } from 'zod';
import type { Result } from '../errors.ts';
import { parseDurationSeconds } from '../units.ts';
import {
  defined,
  githubId,
  policyKeysAt,
  policyShape,
  regionName,
  toPolicyRules,
} from './policy-rules.ts';
import {
  defaultMaxUsdPerMonth,
  defaultMaxUsdPerRun,
  defaultSettings,
  type ProjectSettings,
} from './project-settings.ts';
import type { ConfigProblem } from './problem.ts';
import { holdAgainst } from './strict-object.ts';
import { readYaml, type Path } from './yaml-file.ts';

export interface ServerConfig {
  /** Which installation of Trainyard this is: the value of the `trainyard-owner` label. */
  readonly owner: string;
  /** By GitHub's repository id: names can be registered anew by somebody else. */
  readonly repositories: ReadonlyMap<number, ProjectSettings>;
}

const project = z.string().regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, 'must be a project id');
const bucket = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/, 'must be a bucket name, without gs://');
const registry = z
  .string()
  .regex(
    /^[a-z0-9-]+-docker\.pkg\.dev\/[a-z0-9-]+\/[a-z0-9-]+$/,
    'must look like us-central1-docker.pkg.dev/PROJECT/REPOSITORY',
  );
const account = z.email('must be the e-mail address of a service account');
/** One that can be impersonated. */
const launcher = z
  .string()
  .regex(
    /^[a-z0-9-]{1,63}@[a-z0-9.-]{1,200}\.gserviceaccount\.com$/,
    'must be the e-mail address of a service account',
  );

/** One of each trust tier: code of the default branch, of this repository's pull requests, of forks. */
function perTier<T extends z.ZodType>(one: T) {
  return z.strictObject({
    base: one.exactOptional(),
    pull: one.exactOptional(),
    fork: one.exactOptional(),
  });
}

const tiers = ['base', 'pull', 'fork'];

/** What one repository may use, with what each key means. */
export const repositorySchema = z.strictObject({
  project: project.describe('the Google Cloud project that pays'),
  owner_id: githubId
    .optional()
    .describe('numeric id of the account that owns the repository; a transferred one is refused'),
  regions: z
    .array(regionName)
    .min(1)
    .default(['us-central1'])
    .describe('where jobs may run; the first is the default'),
  max_usd_per_run: z
    .number()
    .positive('must be above 0')
    .default(defaultMaxUsdPerRun)
    .describe('US dollars: a longer timeout is shortened to this, a typed one is refused'),
  max_timeout: z
    .string()
    .refine((text) => parseDurationSeconds(text) !== undefined, 'must be a duration such as 12h')
    .default('24h')
    .describe('no run may ask for more'),
  ...policyShape,
  max_usd_per_month: policyShape.max_usd_per_month
    .unwrap()
    .default(defaultMaxUsdPerMonth)
    .describe(policyShape.max_usd_per_month.description ?? ''),
  launcher_service_account: launcher
    .optional()
    .describe('whom the App acts as in this project; required once two repositories are served'),
  builder_service_account: account
    .optional()
    .describe(
      "runs people's Dockerfiles: let it write images, read the source bucket, nothing else; the project's own unless named",
    ),
  trigger_service_accounts: z
    .array(account)
    .max(20)
    .optional()
    .describe('whom a declared Cloud Build trigger may name, besides the builder'),
  trainer_service_account: account
    .optional()
    .describe(
      "runs people's code: let it read data and write results, nothing else; Vertex AI's own unless named",
    ),
  builder_service_accounts: perTier(account)
    .optional()
    .describe('the builder by trust tier, `{base, pull, fork}`'),
  trainer_service_accounts: perTier(account)
    .optional()
    .describe('the trainer by trust tier, `{base, pull, fork}`'),
  registries: perTier(registry).optional().describe('the registry by trust tier'),
  build_region: z
    .union([z.literal('global'), regionName])
    .optional()
    .describe(
      'where Cloud Build runs, `global` unless named; new projects are restricted to a few regions',
    ),
  registry: registry
    .optional()
    .describe(
      'the Artifact Registry repository for images; `REGION-docker.pkg.dev/PROJECT/trainyard` unless named',
    ),
  source_bucket: bucket
    .optional()
    .describe('packed commits, which builds read; `PROJECT_cloudbuild` unless named'),
  logs_bucket: bucket.optional().describe('build logs; `PROJECT_cloudbuild` unless named'),
  results_buckets: z
    .record(regionName, bucket)
    .optional()
    .describe(
      'region → bucket, since a job and its bucket must share a region; `PROJECT-trainyard-results` in the first region unless named',
    ),
  allow_unknown_machines: z
    .boolean()
    .optional()
    .describe('machines, GPUs and regions that the catalogue does not know are tried'),
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
    .optional()
    .describe('better known: machine or accelerator → USD/h, disk type → USD a GB-month'),
});

const schema = z.strictObject({
  owner: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be lower-case letters, digits, - and _'),
  repositories: z.record(
    z.string().regex(/^[1-9]\d{0,14}$/, 'must be the numeric id of a repository'),
    repositorySchema,
  ),
});

/** Every key of the file, each of which a test looks for in the documents. @internal */
export const serverConfigKeys: readonly string[] = [
  ...Object.keys(schema.shape),
  ...Object.keys(repositorySchema.shape),
];

export function parseServerConfig(text: string, file: string): Result<ServerConfig, ConfigProblem> {
  const yaml = readYaml(text, file);
  if (!yaml.ok) return yaml;
  const held = holdAgainst(schema, yaml.value, keysAt);
  if (!held.ok) return held;
  const entries = Object.entries(held.value.repositories).map(
    ([id, settings]) => [Number(id), toSettings(settings)] as const,
  );
  return { ok: true, value: { owner: held.value.owner, repositories: new Map(entries) } };
}

function keysAt([first, id, key]: Path): readonly string[] {
  if (first === undefined) return Object.keys(schema.shape);
  if (id === undefined || key === undefined) return Object.keys(repositorySchema.shape);
  return policyKeysAt(String(key)) ?? tiers;
}

function toSettings(file: z.infer<typeof repositorySchema>): ProjectSettings {
  return defaultSettings(file.project, file.regions, {
    ...defined({
      ownerId: file.owner_id,
      buildRegion: file.build_region,
      registry: file.registry,
      sourceBucket: file.source_bucket,
      logsBucket: file.logs_bucket,
      resultsBuckets: file.results_buckets,
      launcherServiceAccount: file.launcher_service_account,
      builderServiceAccount: file.builder_service_account,
      triggerServiceAccounts: file.trigger_service_accounts,
      trainerServiceAccount: file.trainer_service_account,
      builderServiceAccounts: file.builder_service_accounts,
      trainerServiceAccounts: file.trainer_service_accounts,
      registries: file.registries,
      maxTimeoutSeconds: parseDurationSeconds(file.max_timeout),
      allowUnknownMachines: file.allow_unknown_machines,
      prices: file.prices,
    }),
    maxUsdPerRun: file.max_usd_per_run,
    policy: toPolicyRules(file),
  });
}
