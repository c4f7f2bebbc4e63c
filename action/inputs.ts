/**
 * The Action's inputs: their registry (held equal to action.yml and docs/action.md by a test) and the
 * reading of them, texts of a workflow in, checked values out. All problems are found at once, and
 * `required` is checked here because the runner does not.
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax#inputsinput_idrequired
 */
import { splitWords } from '../shared/command/split-words.ts';
import type { Result } from '../shared/errors.ts';
import { nearest, parseDurationSeconds } from '../shared/units.ts';

export const actionCommands = ['train', 'build'] as const;
export type ActionCommand = (typeof actionCommands)[number];

export interface InputDefinition {
  /** One sentence, as in action.yml. */
  readonly description: string;
  readonly default?: string;
  readonly required?: true;
}

export const inputDefinitions = {
  command: {
    description:
      'What to do: `train` (build the image, run it on Vertex AI, follow it) or `build`.',
    default: 'train',
  },
  project_id: {
    description:
      'Google Cloud project. May be left out after `google-github-actions/auth`, which sets GOOGLE_CLOUD_PROJECT.',
    required: true,
  },
  region: { description: 'Vertex AI region of the job.', default: 'us-central1' },
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
  build_region: { description: 'Cloud Build location.', default: 'global' },
  registry: {
    description:
      'Artifact Registry repository, `REGION-docker.pkg.dev/PROJECT/REPOSITORY`; `trainyard` in the project and region if empty.',
  },
  gpu: { description: 'GPU instead of the one in `config`: `T4`, `T4:2` or `none`.' },
  machine_type: { description: 'Machine type instead of the one in `config`.' },
  args: {
    description:
      "Arguments for the training program instead of the config's, one per line or separated as a shell does.",
  },
  timeout: {
    description:
      "Longest time the job may run, such as `90m` or `2h`; the config's `scheduling.timeout` or 6 hours if empty.",
  },
  max_usd: {
    description:
      'The most that a job may cost, in US dollars; its timeout is cut to what that pays for.',
    default: '20',
  },
  service_account: { description: 'E-mail of the account that the job runs as.' },
  build_service_account: { description: 'E-mail of the account that the build runs as.' },
  source_bucket: {
    description: 'Bucket for the source archive and the build log; `PROJECT_cloudbuild` if empty.',
  },
  results_bucket: {
    description:
      "Bucket in the job's region for what the job writes; `PROJECT-trainyard-results` if empty.",
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

export interface ActionInputs {
  readonly command: ActionCommand;
  readonly projectId: string;
  readonly region: string;
  readonly config: string;
  readonly displayName?: string;
  readonly image?: string;
  readonly dockerfile: string;
  readonly context: string;
  readonly buildRegion: string;
  readonly registry: string;
  readonly gpu?: string;
  readonly machineType?: string;
  readonly args?: readonly string[];
  readonly timeoutSeconds?: number;
  readonly maxUsd: number;
  readonly serviceAccount?: string;
  readonly buildServiceAccount?: string;
  readonly sourceBucket: string;
  readonly resultsBucket: string;
  readonly wait: boolean;
  readonly dryRun: boolean;
  readonly cancelOnInterrupt: boolean;
}

export interface InputProblem {
  readonly input: InputName;
  /** One sentence that names the input. */
  readonly message: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Where google-github-actions/auth and setup-gcloud leave the project. */
const projectVariables = ['GOOGLE_CLOUD_PROJECT', 'GCLOUD_PROJECT', 'CLOUDSDK_CORE_PROJECT'];

const patterns = {
  project: [/^(?:[a-z0-9.-]{1,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/, 'a project id'],
  region: [/^[a-z]+-[a-z]+\d+$/, 'a region such as us-central1'],
  buildRegion: [/^(?:[a-z]+-[a-z]+\d+|global)$/, 'a location such as us-central1 or global'],
  bucket: [/^(?:gs:\/\/)?[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]\/?$/, 'a bucket name'],
  email: [
    /^[a-z0-9-]{1,63}@[a-z0-9.-]{1,200}\.gserviceaccount\.com$/,
    "a service account's e-mail",
  ],
  registry: [
    /^[a-z]+(?:-[a-z]+\d+)?-docker\.pkg\.dev\/[a-z0-9.:-]{4,90}\/[a-z][a-z0-9-]{0,62}$/,
    'a repository such as us-central1-docker.pkg.dev/my-project/trainyard',
  ],
  machineType: [/^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$/, 'a machine type such as n1-standard-4'],
  gpu: [/^[A-Za-z][A-Za-z0-9_-]{0,39}(?::\d{1,2})?$/, 'a GPU such as T4 or T4:2, or none'],
} as const satisfies Readonly<Record<string, readonly [RegExp, string]>>;

/** The runner passes the input `a_b` as the variable INPUT_A_B. */
function textOf(env: Environment, name: InputName): string {
  const text = (env[`INPUT_${name.toUpperCase()}`] ?? '').trim();
  const definition: InputDefinition = inputDefinitions[name];
  return text === '' ? (definition.default ?? '') : text;
}

/** Reads every input from the environment; the problems name all that is wrong, not just the first. */
export function readInputs(env: Environment): Result<ActionInputs, InputProblem> {
  const problems: InputProblem[] = [];
  const reader = new InputReader(env, problems);
  const projectId = reader.projectId();
  const region = reader.matching('region', 'region') ?? '';
  const value: ActionInputs = {
    command: reader.command(),
    projectId,
    region,
    config: reader.path('config'),
    dockerfile: reader.path('dockerfile'),
    context: reader.path('context'),
    buildRegion: reader.matching('build_region', 'buildRegion') ?? '',
    registry:
      reader.matching('registry', 'registry') ?? `${region}-docker.pkg.dev/${projectId}/trainyard`,
    maxUsd: reader.dollars('max_usd'),
    sourceBucket: reader.bucket('source_bucket') ?? `${projectId.replace(/[:.]/g, '_')}_cloudbuild`,
    resultsBucket:
      reader.bucket('results_bucket') ?? `${projectId.replace(/[:.]/g, '-')}-trainyard-results`,
    wait: reader.boolean('wait'),
    dryRun: reader.boolean('dry_run'),
    cancelOnInterrupt: reader.boolean('cancel_on_interrupt'),
    ...given('displayName', reader.line('display_name', 128)),
    ...given('image', reader.line('image', 500)),
    ...given('gpu', reader.matching('gpu', 'gpu')),
    ...given('machineType', reader.matching('machine_type', 'machineType')),
    ...given('args', reader.words('args')),
    ...given('timeoutSeconds', reader.duration('timeout')),
    ...given('serviceAccount', reader.matching('service_account', 'email')),
    ...given('buildServiceAccount', reader.matching('build_service_account', 'email')),
  };
  return problems.length === 0 ? { ok: true, value } : { ok: false, problems };
}

function given<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}

/** Reads inputs one by one and notes what is wrong with them; a bad one reads as its emptiest value. */
class InputReader {
  readonly #env: Environment;
  readonly #problems: InputProblem[];

  constructor(env: Environment, problems: InputProblem[]) {
    this.#env = env;
    this.#problems = problems;
  }

  text(input: InputName): string | undefined {
    const text = textOf(this.#env, input);
    return text === '' ? undefined : text;
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

  command(): ActionCommand {
    const text = textOf(this.#env, 'command');
    const known = actionCommands.find((name) => name === text);
    if (known !== undefined) return known;
    const near = nearest(text, actionCommands);
    const hint = near === undefined ? `use ${actionCommands.join(' or ')}` : `did you mean ${near}`;
    this.#note('command', `does not know ${quote(text)}; ${hint}`);
    return 'train';
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

  duration(input: InputName): number | undefined {
    const text = this.text(input);
    if (text === undefined) return undefined;
    const seconds = parseDurationSeconds(text);
    if (seconds === undefined) this.#noteIsNot(input, text, 'a duration such as 90m or 2h');
    return seconds;
  }

  dollars(input: InputName): number {
    const text = textOf(this.#env, input);
    if (/^\d{1,6}(?:\.\d{1,4})?$/.test(text) && Number(text) > 0) return Number(text);
    this.#noteIsNot(input, text, 'an amount of US dollars such as 20');
    return 0;
  }

  /** The words of YAML 1.2, which is what `core.getBooleanInput` takes too. */
  boolean(input: InputName): boolean {
    const text = textOf(this.#env, input);
    if (/^(?:true|True|TRUE)$/.test(text)) return true;
    if (!/^(?:false|False|FALSE)$/.test(text)) this.#noteIsNot(input, text, 'true or false');
    return false;
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

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
