/**
 * The Action's inputs: their registry (held equal to action.yml and docs/action.md by a test) and the
 * reading of them, texts of a workflow in, checked values out. All problems are found at once, and
 * `required` is checked here because the runner does not.
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax#inputsinput_idrequired
 */
import type { Result } from '../shared/errors.ts';
import type { BuildOptions } from '../shared/plan/build-options.ts';
import type { JobOverrides } from '../shared/plan/job-overrides.ts';
import type { JobSecrets } from '../shared/plan/job-secrets.ts';
import type { Plan } from '../shared/plan/plan.ts';
import {
  buildMachines,
  given,
  readBuild,
  readComparison,
  readIdentity,
  readJob,
  readOwnBuild,
  readPlaces,
  readPrices,
  readSecrets,
} from './input-groups.ts';
import { quote } from './input-lists.ts';
import { InputReader, type Environment } from './input-reader.ts';
import type { Prices } from './price-list.ts';
import { parseResource, type ResourceName } from './resource-input.ts';

const actionCommands = ['train', 'build', 'follow', 'cancel', 'validate'] as const;
type ActionCommand = (typeof actionCommands)[number];

export interface InputDefinition {
  /** One sentence, as in action.yml. */
  readonly description: string;
  readonly default?: string;
  readonly required?: true;
}

export const inputDefinitions = {
  command: {
    description:
      'What to do: `train` (build the image, run it on Vertex AI, follow it), `build`, `follow` (a build or job that is there already), `cancel`, or `validate` (say what `train` would do, cost or refuse; needs no credentials).',
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
  allow_untrusted_head: {
    description:
      "`true` builds whatever is checked out, also when it is not plainly the event's own commit and may be a fork's: its code then runs with what this workflow may do.",
    default: 'false',
  },
  builder: {
    description:
      'Who builds the image: `cloud-build`, or `docker`, which is the one of the runner, with its own cache; it pushes to `registry` with the credentials of the step.',
    default: 'cloud-build',
  },
  build_config: {
    description:
      "The repository's own `cloudbuild.yaml`, instead of building `dockerfile`; its path in the workspace.",
  },
  substitutions: {
    description: 'Values for the `$_NAME` of `build_config`, one `_NAME=value` a line.',
  },
  image_name: {
    description:
      'Which of the images that `build_config` makes is the one, when there are several.',
  },
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
  secrets_env: {
    description:
      'Environment variables of the training program that come from Secret Manager, one `NAME=projects/P/secrets/S/versions/V` a line. The job holds the names only and reads the values itself, as `service_account`, when it starts; needs an image that this run builds, with a shell and Python 3 in it.',
  },
  allow_plain_secrets: {
    description:
      '`true` also gives `secrets_env` to images that this run does not build: the step reads the values and writes them into the job, where everybody who may see the job may read them.',
    default: 'false',
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
      'The most that the run may cost, in US dollars: its build and all attempts of the job. A `timeout` that could cost more is refused, and a default one is cut to what that pays for. If empty there is no limit, but for a default `timeout`, which is cut to what $20 pay for.',
  },
  prices: {
    description:
      'Prices that you know better than the catalogue, one `NAME: USD` or `NAME=USD` a line: machine types (with everything built in) and accelerator types in US dollars an hour, disk types a GB and month. Taken as they are, in every region.',
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
  compare_as: {
    description:
      "Name of what is trained, where one config trains several things: a run is compared with the default branch's newest of the same name; the path of `config` if empty.",
  },
  metric: {
    description:
      'The metric that a run is judged by, such as `val_accuracy`; the likeliest of those that it writes if empty.',
  },
  goal: {
    description: 'Which way `metric` is better, `maximize` or `minimize`; its name tells if empty.',
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
  job: {
    description:
      'What to `follow` or `cancel`: the output `job` of an earlier step, or the resource name or id of any custom job or build.',
  },
  run_id: {
    description:
      "What to `cancel`: the output `run_id` of an earlier step. Finds the run's job in `region` and its build in `build_region`, and only those that a workflow has started.",
  },
  detach_after: {
    description:
      'How long the step follows a job before it ends with state `running` and leaves the job to `follow`; a hosted runner ends after six hours.',
    default: '5h30m',
  },
  pr_comment: {
    description: 'Keep one comment about the run on the pull request of the event.',
    default: 'false',
  },
  github_token: {
    description:
      'Token for `pr_comment`, such as `${{ github.token }}`; needs `permissions: pull-requests: write`.',
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
  readonly allowUntrustedHead: boolean;
  readonly build: BuildOptions;
  readonly ownBuild?: OwnBuildInputs;
  readonly buildRegion: string;
  readonly registry: string;
  readonly gpu?: string;
  readonly machineType?: string;
  readonly allowUnknownMachines: boolean;
  readonly args?: readonly string[];
  readonly job: JobOverrides;
  readonly secrets?: JobSecrets;
  readonly timeoutSeconds?: number;
  readonly maxCostUsd?: number;
  readonly prices?: Prices;
  readonly buildServiceAccount?: string;
  readonly sourceBucket: string;
  /** What is trained, where the config's path does not tell. */
  readonly compareAs?: string;
  readonly metric?: string;
  readonly goal?: Plan['goal'] & string;
  readonly wait: boolean;
  readonly dryRun: boolean;
  readonly cancelOnInterrupt: boolean;
  /** What `follow` and `cancel` are about. */
  readonly target?: ResourceName;
  readonly runId?: string;
  readonly detachAfterSeconds: number;
  readonly prComment: boolean;
  readonly githubToken?: string;
}

export interface OwnBuildInputs {
  readonly config: string;
  readonly substitutions?: Readonly<Record<string, string>>;
  readonly imageName?: string;
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
    allowUntrustedHead: reader.boolean('allow_untrusted_head'),
    build: readBuild(reader, problems),
    ...given('ownBuild', readOwnBuild(reader, problems)),
    buildRegion: reader.matching('build_region', 'buildRegion') ?? '',
    registry:
      reader.matching('registry', 'registry') ?? `${region}-docker.pkg.dev/${projectId}/trainyard`,
    ...given('gpu', reader.matching('gpu', 'gpu')),
    ...given('machineType', reader.matching('machine_type', 'machineType')),
    allowUnknownMachines: reader.boolean('allow_unknown_machines'),
    ...given('args', reader.words('args')),
    job: readJob(reader),
    ...given('secrets', readSecrets(reader)),
    ...given('timeoutSeconds', reader.duration('timeout')),
    ...given('maxCostUsd', reader.dollars('max_cost_usd')),
    ...given('prices', readPrices(reader, problems)),
    ...given('buildServiceAccount', reader.matching('build_service_account', 'email')),
    sourceBucket: reader.bucket('source_bucket') ?? `${projectId.replace(/[:.]/g, '_')}_cloudbuild`,
    ...readComparison(reader, problems),
    wait: reader.boolean('wait'),
    dryRun: reader.boolean('dry_run'),
    cancelOnInterrupt: reader.boolean('cancel_on_interrupt'),
    ...readTarget(reader, problems, { projectId, region }),
    detachAfterSeconds: reader.duration('detach_after') ?? 0,
    prComment: reader.boolean('pr_comment'),
    ...given('githubToken', reader.line('github_token', 2_000)),
  };
  if (value.prComment && value.githubToken === undefined) {
    const message = '`pr_comment` needs `github_token`, such as `${{ github.token }}`.';
    problems.push({ input: 'github_token', message });
  }
  return problems.length === 0 ? { ok: true, value } : { ok: false, problems };
}

/** `follow` needs a resource, `cancel` a resource or a run; the other commands make their own. */
function readTarget(
  reader: InputReader,
  problems: InputProblem[],
  where: { readonly projectId: string; readonly region: string },
): Pick<ActionInputs, 'target' | 'runId'> {
  const command = reader.text('command');
  const text = reader.text('job');
  const buildRegion = reader.text('build_region') ?? 'global';
  const target = text === undefined ? undefined : parseResource(text, { ...where, buildRegion });
  if (text !== undefined && target === undefined) {
    const message = `\`job\` must be a name such as projects/my-project/locations/us-central1/customJobs/123, or an id, not ${quote(text)}.`;
    problems.push({ input: 'job', message });
  }
  const runId = reader.matching('run_id', 'runId');
  const hasRunId = reader.text('run_id') !== undefined;
  if (command === 'follow' && text === undefined) {
    const message =
      '`follow` needs `job`: the output `job` of an earlier step, or a resource name.';
    problems.push({ input: 'job', message });
  }
  if (command === 'cancel' && (text === undefined) === !hasRunId) {
    const message =
      '`cancel` needs either `job` or `run_id`, such as the output of an earlier step.';
    problems.push({ input: 'job', message });
  }
  return { ...given('target', target), ...given('runId', runId) };
}

/** The same in the post step, which must not fail for an input that it does not need. */
export function identityIn(env: Environment): FederatedIdentity | undefined {
  return readIdentity(new InputReader(env, inputDefinitions, []), []);
}
