/**
 * The Action's inputs: their registry (held equal to action.yml and docs/action.md by a test) and the
 * reading of them, texts of a workflow in, checked values out. All problems are found at once, and
 * `required` is checked here because the runner does not.
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax#inputsinput_idrequired
 */
import type { Result } from '../shared/errors.ts';
import type { BuildOptions } from '../shared/plan/build-options.ts';
import type { JobOverrides } from '../shared/plan/job-overrides.ts';
import type { ListedRegion } from './input-lists.ts';
import { InputReader, type Environment } from './input-reader.ts';

export const actionCommands = ['train', 'build', 'validate'] as const;
export type ActionCommand = (typeof actionCommands)[number];

export interface InputDefinition {
  /** One sentence, as in action.yml. */
  readonly description: string;
  readonly default?: string;
  readonly required?: true;
}

/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#machinetype */
export const buildMachines = [
  'E2_MEDIUM',
  'E2_STANDARD_2',
  'E2_HIGHCPU_8',
  'E2_HIGHCPU_32',
  'N1_HIGHCPU_8',
  'N1_HIGHCPU_32',
] as const;

export const inputDefinitions = {
  command: {
    description:
      'What to do: `train` (build the image, run it on Vertex AI, follow it), `build`, or `validate` (say what `train` would do, cost or refuse; needs no credentials).',
    default: 'train',
  },
  project_id: {
    description:
      'Google Cloud project. May be left out after `google-github-actions/auth`, which sets GOOGLE_CLOUD_PROJECT.',
    required: true,
  },
  workload_identity_provider: {
    description:
      'Instead of google-github-actions/auth: `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`. The step then gets its own tokens, anew for as long as it follows; needs `permissions: id-token: write`.',
  },
  launcher_service_account: {
    description:
      'E-mail of the account that the step acts as with `workload_identity_provider`; the federated identity itself if empty.',
  },
  region: {
    description: 'Vertex AI region of the job; the first of `regions`, or us-central1, if empty.',
  },
  regions: {
    description:
      'Where the job may run, in the order in which they are tried when there is no machine or it is taken away: `REGION` or `REGION=RESULTS_BUCKET`, one a line or separated by commas. Without a bucket of its own, any but the first uses the name of `results_bucket` with `-REGION` after it.',
  },
  max_attempts: {
    description: 'How often the job may be launched in all; once per region if empty.',
  },
  config: {
    description:
      'Job config, the file that `gcloud ai custom-jobs create --config` takes; `$IMAGE` in it stands for the built image.',
    default: 'config_cpu.yaml',
  },
  display_name: {
    description: "The job's display name; made from repository and commit if empty.",
  },
  image: {
    description: 'Finished image to run, `name@sha256:…` or `name:tag`; nothing is built then.',
  },
  dockerfile: { description: 'Dockerfile, relative to `context`.', default: 'Dockerfile' },
  context: { description: 'Directory that is sent to the build.', default: '.' },
  build_args: { description: 'Build arguments, one `NAME=value` a line.' },
  target: { description: 'Stage of the Dockerfile to build; the last one if empty.' },
  platform: { description: 'Platform of the image, such as `linux/amd64`.' },
  layer_cache: { description: 'Use layers of earlier builds.', default: 'true' },
  build_region: { description: 'Cloud Build location.', default: 'global' },
  build_machine: {
    description: `Machine of the build: ${buildMachines.map((name) => `\`${name}\``).join(', ')}; Cloud Build's smallest if empty.`,
  },
  build_timeout: { description: 'Longest time the build may take; an hour if empty.' },
  registry: {
    description:
      'Artifact Registry repository, `REGION-docker.pkg.dev/PROJECT/REPOSITORY`; `trainyard` in the project and region if empty.',
  },
  gpu: { description: 'GPU instead of the one in `config`: `T4`, `T4:2` or `none`.' },
  machine_type: { description: 'Machine type instead of the one in `config`.' },
  allow_unknown_machines: {
    description:
      'Try machines, GPUs and regions that the catalogue does not know or thinks wrong, with a note instead of a refusal.',
    default: 'false',
  },
  replica_count: {
    description:
      'How many replicas train in all: one in the first worker pool and the rest in the second, which is a copy of the first where the config has none.',
  },
  spot: {
    description: "`true` uses spot machines, `false` does not; the config's word if empty.",
  },
  args: {
    description:
      "Arguments for the training program instead of the config's, one per line or separated as a shell does.",
  },
  command_override: {
    description:
      "Command of the training container instead of the config's and the image's own, written like `args`.",
  },
  env: {
    description:
      'Environment variables of the training program, one `NAME=value` a line; they are added to those of the config and beat them. Everybody who may see the job may read them.',
  },
  labels: { description: 'Labels of the job beside our own, one `name=value` a line.' },
  timeout: {
    description:
      "Longest time the job may run, such as `90m` or `2h`; the config's `scheduling.timeout` or 6 hours if empty.",
  },
  start_timeout: {
    description: 'How long the job may wait for its machine before it is ended; 6 hours if empty.',
  },
  max_cost_usd: {
    description:
      'The most that the job may cost, in US dollars, all attempts together. A `timeout` that could cost more is refused, and a default one is cut to what that pays for. If empty there is no limit, but for a default `timeout`, which is cut to what $20 pay for.',
  },
  service_account: {
    description:
      "E-mail of the account that the job runs as, instead of the config's. (`launcher_service_account` is the step's own.)",
  },
  build_service_account: { description: 'E-mail of the account that the build runs as.' },
  source_bucket: {
    description: 'Bucket for the source archive and the build log; `PROJECT_cloudbuild` if empty.',
  },
  results_bucket: {
    description:
      "Bucket in the job's region for what the job writes; `PROJECT-trainyard-results` if empty.",
  },
  base_output_directory: {
    description:
      "`gs://BUCKET/DIRECTORY` for what the job writes, instead of the config's or a new one in `results_bucket`. The job is then bound to the bucket's region.",
  },
  wait: {
    description: 'Follow the job to its end; `false` ends the step once it is launched.',
    default: 'true',
  },
  dry_run: { description: 'Print the plan and its cost, and do nothing.', default: 'false' },
  cancel_on_interrupt: {
    description: 'Cancel the build and the job when the workflow run is cancelled.',
    default: 'true',
  },
} as const satisfies Readonly<Record<string, InputDefinition>>;

export type InputName = keyof typeof inputDefinitions;

/** What inputs of earlier versions are called now. */
export const successors = { max_usd: 'max_cost_usd' } as const satisfies Readonly<
  Record<string, InputName>
>;

export interface ActionInputs {
  readonly command: ActionCommand;
  readonly projectId: string;
  readonly identity?: FederatedIdentity;
  readonly region: string;
  /** Where the job may run, with the bucket for its results; the first is `region`. */
  readonly places: readonly { readonly region: string; readonly bucket: string }[];
  readonly maxAttempts: number;
  readonly config: string;
  readonly image?: string;
  readonly dockerfile: string;
  readonly context: string;
  readonly build: BuildOptions;
  readonly buildRegion: string;
  readonly registry: string;
  readonly gpu?: string;
  readonly machineType?: string;
  readonly allowUnknownMachines: boolean;
  readonly args?: readonly string[];
  readonly job: JobOverrides;
  readonly timeoutSeconds?: number;
  readonly maxCostUsd?: number;
  readonly buildServiceAccount?: string;
  readonly sourceBucket: string;
  readonly wait: boolean;
  readonly dryRun: boolean;
  readonly cancelOnInterrupt: boolean;
}

/** Who the step is at Google when no step before it has seen to that. */
export interface FederatedIdentity {
  readonly provider: string;
  readonly serviceAccount?: string;
}

export interface InputProblem {
  readonly input: InputName;
  /** One sentence that names the input. */
  readonly message: string;
}

const mostReplicas = 1_000;
const mostAttempts = 20;

/** Reads every input from the environment; the problems name all that is wrong, not just the first. */
export function readInputs(env: Environment): Result<ActionInputs, InputProblem> {
  const problems: InputProblem[] = [];
  const reader = new InputReader(env, inputDefinitions, problems);
  reader.removed(successors);
  const projectId = reader.projectId();
  const places = readPlaces(reader, projectId);
  const region = places[0]?.region ?? '';
  const value: ActionInputs = {
    command: reader.word('command', actionCommands),
    projectId,
    ...given('identity', readIdentity(reader, problems)),
    region,
    places,
    maxAttempts: reader.count('max_attempts', mostAttempts) ?? Math.max(1, places.length),
    config: reader.path('config'),
    ...given('image', reader.line('image', 500)),
    dockerfile: reader.path('dockerfile'),
    context: reader.path('context'),
    build: readBuild(reader),
    buildRegion: reader.matching('build_region', 'buildRegion') ?? '',
    registry:
      reader.matching('registry', 'registry') ?? `${region}-docker.pkg.dev/${projectId}/trainyard`,
    ...given('gpu', reader.matching('gpu', 'gpu')),
    ...given('machineType', reader.matching('machine_type', 'machineType')),
    allowUnknownMachines: reader.boolean('allow_unknown_machines'),
    ...given('args', reader.words('args')),
    job: readJob(reader),
    ...given('timeoutSeconds', reader.duration('timeout')),
    ...given('maxCostUsd', reader.dollars('max_cost_usd')),
    ...given('buildServiceAccount', reader.matching('build_service_account', 'email')),
    sourceBucket: reader.bucket('source_bucket') ?? `${projectId.replace(/[:.]/g, '_')}_cloudbuild`,
    wait: reader.boolean('wait'),
    dryRun: reader.boolean('dry_run'),
    cancelOnInterrupt: reader.boolean('cancel_on_interrupt'),
  };
  return problems.length === 0 ? { ok: true, value } : { ok: false, problems };
}

function readPlaces(reader: InputReader, projectId: string): ActionInputs['places'] {
  const listed = reader.regions('regions') ?? [];
  const first = reader.matching('region', 'region') ?? listed[0]?.region ?? 'us-central1';
  const isFirst = ({ region }: ListedRegion): boolean => region === first;
  const results =
    reader.bucket('results_bucket') ?? `${projectId.replace(/[:.]/g, '-')}-trainyard-results`;
  return [
    { region: first, bucket: listed.find(isFirst)?.bucket ?? results },
    ...listed
      .filter((place) => !isFirst(place))
      .map(({ region, bucket }) => ({ region, bucket: bucket ?? `${results}-${region}` })),
  ];
}

/** The same in the post step, which must not fail for an input that it does not need. */
export function identityIn(env: Environment): FederatedIdentity | undefined {
  return readIdentity(new InputReader(env, inputDefinitions, []), []);
}

function readIdentity(
  reader: InputReader,
  problems: InputProblem[],
): FederatedIdentity | undefined {
  const provider = reader.matching('workload_identity_provider', 'provider');
  const serviceAccount = reader.matching('launcher_service_account', 'email');
  if (provider !== undefined) return { provider, ...given('serviceAccount', serviceAccount) };
  if (serviceAccount !== undefined && reader.text('workload_identity_provider') === undefined) {
    const message =
      '`launcher_service_account` needs `workload_identity_provider`; after google-github-actions/auth the step acts as the account of that step.';
    problems.push({ input: 'launcher_service_account', message });
  }
  return undefined;
}

function readBuild(reader: InputReader): BuildOptions {
  return {
    ...given('buildArgs', reader.pairs('build_args', 'buildArgs')),
    ...given('target', reader.matching('target', 'target')),
    ...given('platform', reader.matching('platform', 'platform')),
    ...given('workerMachineType', reader.wordIfGiven('build_machine', buildMachines)),
    ...given('timeoutSeconds', reader.duration('build_timeout')),
    layerCache: reader.boolean('layer_cache'),
  };
}

function readJob(reader: InputReader): JobOverrides {
  return {
    ...given('displayName', reader.line('display_name', 128)),
    ...given('labels', reader.pairs('labels', 'labels')),
    ...given('replicaCount', reader.count('replica_count', mostReplicas)),
    ...given('command', reader.words('command_override')),
    ...given('env', reader.pairs('env', 'env')),
    ...given('spot', reader.booleanIfGiven('spot')),
    ...given('baseOutputDirectory', reader.matching('base_output_directory', 'directory')),
    ...given('serviceAccount', reader.matching('service_account', 'email')),
    ...given('startTimeoutSeconds', reader.duration('start_timeout')),
  };
}

function given<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}
