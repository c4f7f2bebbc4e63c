/**
 * The Plan: everything a run will do, decided before anything is done. It is plain data, so a dry run
 * prints it, the App stores it, and nothing later has to ask the pull request again.
 */
import type { BuildCommand, BuildMode, TrainCommand } from '../command/command.ts';
import type { BuildConfig } from '../config/build-config.ts';
import type { CustomJobSpec } from '../config/job-spec.ts';
import type { TrustTier } from '../policy/decision.ts';
import type { JobSecrets } from './job-secrets.ts';

/** Stands in a job's `imageUri` for the image that the run builds; replaced by its digest at launch. */
export const imagePlaceholder = '$IMAGE';

export interface Plan {
  /** Eight characters of a–z and 2–7, unguessable; also the value of the `trainyard-run` label. */
  readonly runId: string;
  /** Which installation of Trainyard this is: the value of the `trainyard-owner` label. */
  readonly owner: string;
  readonly subject: Subject;
  readonly tier: TrustTier;
  /** As it was typed, so that it can be asked for again; a workflow types none. */
  readonly command?: TrainCommand | BuildCommand;
  /** What a retry may change when time or memory runs out; undefined where nobody has looked. */
  readonly remedies?: Remedies;
  /** The commit's summary check shows this run. */
  readonly summary?: true;
  readonly project: string;
  /** Undefined when the job names a finished image. */
  readonly build: BuildPlan | undefined;
  readonly job: JobPlan;
  /** The same job in other regions, in the order in which they are tried when there is no machine in the first. */
  readonly elsewhere?: readonly JobPlan[];
  /** How often a job may be launched in all; 1 if undefined. */
  readonly maxAttempts?: number;
  /** What the program that trains gets of Secret Manager; names, never values. */
  readonly secrets?: JobSecrets;
  readonly estimate: RunEstimate;
  /** The metric that a run is judged by, as the repository names it; reports choose one when it does not. */
  readonly metric?: string;
  /** Which way that metric is better; its name tells when the repository does not. */
  readonly goal?: 'maximize' | 'minimize';
  /** What was changed or assumed, one sentence each, Markdown-safe; shown with the plan and on the card. */
  readonly notes: readonly string[];
}

/**
 * What a run costs by list prices, in US dollars. `ceilingUsd` is the one figure that cards, ceilings and
 * reservations have of what it can cost at most.
 */
export interface RunEstimate {
  /** Of the job with its disks, on demand, in the first region. */
  readonly usdPerHour: number;
  /** Of what builds the image; undefined: nothing that costs. */
  readonly buildUsdPerHour?: number;
  /** Each attempt to its timeout, on demand, in the dearest of its regions, and the build to its own. */
  readonly ceilingUsd: number;
  /** Of one attempt. */
  readonly timeoutSeconds: number;
  readonly pricesAsOf: string;
  /** A part of it has no price that is known, so the figures are not all of it. */
  readonly isIncomplete?: true;
}

/** Each is there when it would be taken. */
export interface Remedies {
  readonly longer?: Remedy & { readonly timeoutSeconds: number };
  readonly larger?: Remedy & {
    readonly machineType: string;
    /** What the run's own machine has, and what this one has. */
    readonly memoryGb: readonly [now: number, then: number];
  };
}

export interface Remedy {
  /** What the run can cost at most with it; undefined where a price is not known. */
  readonly ceilingUsd?: number;
}

/** The commit that is trained, and who asked. */
export interface Subject {
  readonly repository: { readonly id: number; readonly fullName: string };
  readonly pullNumber?: number;
  /** Of a push to the default branch: what it is called. */
  readonly branch?: string;
  /** 40 hex digits. */
  readonly headSha: string;
  readonly requestedBy: { readonly id: number; readonly login: string };
}

export type BuildPlan = DockerfileBuild | OwnBuild;

/** Where Cloud Build works and what it may use, whatever it is told to do. */
export interface BuildPlace {
  /** Cloud Build location; `global` unless told otherwise. */
  readonly region: string;
  readonly sourceBucket: string;
  readonly logsBucket: string;
  /** E-mail of the builder account; undefined means the project's default. */
  readonly serviceAccount?: string;
  readonly timeoutSeconds: number;
  /** Whether an image that an earlier build made of the same content will do; `auto` if undefined. */
  readonly mode?: BuildMode;
}

/** One `docker build` that Trainyard writes itself. */
export interface DockerfileBuild extends BuildPlace {
  readonly kind: 'dockerfile';
  /** The docker of whoever follows the run, instead of Cloud Build. */
  readonly by?: 'docker';
  /** Relative to the context. */
  readonly dockerfile: string;
  /** `--build-arg` name → value. */
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** The stage to build; the last one if undefined. */
  readonly target?: string;
  /** Such as `linux/amd64`. */
  readonly platform?: string;
  /** Cloud Build's machine type, such as `E2_HIGHCPU_8`; its smallest if undefined. */
  readonly workerMachineType?: string;
  /** Layers of earlier builds are used unless this is false. */
  readonly layerCache?: boolean;
  /** `LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/NAME`, without tag or digest. */
  readonly imageName: string;
}

/** The repository's own build config; the rest of the BuildPlace counts where it says nothing. */
export interface OwnBuild extends BuildPlace {
  readonly kind: 'cloudbuild';
  /** Its path, for people. */
  readonly file: string;
  /** As the file has it, with this run's substitutions. */
  readonly config: BuildConfig;
  readonly image: OwnImage;
}

/**
 * Which of the images that a build config makes is the run's. `reported`: one that Cloud Build lists with
 * its digest, by name when there are several. `pushed`: one that a step pushes by itself, of which only the
 * tag is known; it may hold `$BUILD_ID` and the like.
 */
export type OwnImage =
  | { readonly from: 'reported'; readonly name?: string }
  | { readonly from: 'pushed'; readonly tag: string };

export interface JobPlan {
  readonly region: string;
  /** With disks, on demand, where it is not the estimate's. */
  readonly usdPerHour?: number;
  readonly displayName: string;
  /** `imageUri` may be `imagePlaceholder`. Complete but for that. */
  readonly spec: CustomJobSpec;
  readonly labels: Readonly<Record<string, string>>;
  readonly machine: MachineSummary;
  /** `gs://bucket/prefix/` under which results appear; undefined when the job has none. */
  readonly outputUriPrefix?: string;
  readonly timeoutSeconds: number;
  /** One that still runs so long after it first ran is ended by us: its timeout did not. Undefined: never. */
  readonly deadlineSeconds?: number;
  /** A job that has not begun to run by then is ended. */
  readonly startTimeoutSeconds: number;
}

/** The first worker pool's hardware, for people. */
export interface MachineSummary {
  readonly machineType: string;
  /** As people type it, such as `T4`; undefined for CPU only. */
  readonly gpu?: string;
  readonly gpuCount?: number;
  /** Over all worker pools. */
  readonly replicas: number;
}
