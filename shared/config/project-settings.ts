/** What one repository may use of Google Cloud: from the operator's file (App) or the step's inputs (Action). */
import type { TrustTier } from '../policy/decision.ts';

export interface ProjectSettings {
  readonly project: string;
  /** The regions where jobs may run; the first is the default. */
  readonly regions: readonly string[];
  /** Cloud Build location. */
  readonly buildRegion: string;
  /** `LOCATION-docker.pkg.dev/PROJECT/REPOSITORY` */
  readonly registry: string;
  readonly sourceBucket: string;
  readonly logsBucket: string;
  /** region → bucket; a job and its bucket must share a region. */
  readonly resultsBuckets: Readonly<Record<string, string>>;
  readonly builderServiceAccount?: string;
  /** Whom the App acts as in the project; undefined means as itself. A workflow brings its own identity. */
  readonly launcherServiceAccount?: string;
  /** Whom a job runs as, unless its trust tier has an account of its own. */
  readonly trainerServiceAccount?: string;
  readonly trainerServiceAccounts?: Readonly<Partial<Record<TrustTier, string>>>;
  /** Undefined where nobody set a ceiling, which only a workflow's author may leave out. */
  readonly maxUsdPerRun?: number;
  /** The ceiling where nobody set one and nobody wrote a timeout either: what nobody decided is not dear. */
  readonly maxUsdOfDefaultTimeout?: number;
  readonly maxTimeoutSeconds: number;
  /** How often a job may be launched in all when it gets or keeps no machine; 1 if undefined. */
  readonly maxAttempts?: number;
  /** Machines, GPUs and regions that the catalogue does not know are tried, with a note. */
  readonly allowUnknownMachines?: boolean;
  /** Prices that are known better than from the catalogue: see `Rates`. */
  readonly prices?: Readonly<Record<string, number>>;
}

export const defaultMaxUsdPerRun = 5;
export const defaultMaxTimeoutSeconds = 86_400;

/** Fills in what a project alone tells: the names that set-up gives to its buckets and repository. */
export function defaultSettings(
  project: string,
  regions: readonly string[],
  chosen: Partial<ProjectSettings> = {},
): ProjectSettings {
  const results = `${project}-trainyard-results`;
  return {
    project,
    regions,
    buildRegion: 'global',
    registry: `${regions[0] ?? 'us-central1'}-docker.pkg.dev/${project}/trainyard`,
    sourceBucket: `${project}_cloudbuild`,
    logsBucket: `${project}_cloudbuild`,
    resultsBuckets: Object.fromEntries(regions.slice(0, 1).map((region) => [region, results])),
    maxUsdPerRun: defaultMaxUsdPerRun,
    maxTimeoutSeconds: defaultMaxTimeoutSeconds,
    ...chosen,
  };
}
