/** What one repository may use of Google Cloud: from the operator's file (App) or the step's inputs (Action). */
import type { TrustTier } from '../policy/decision.ts';
import type { PolicyRules } from '../policy/policy.ts';

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
  /** Whom a build runs as, unless its trust tier has an account of its own. */
  readonly builderServiceAccount?: string;
  /** Who else may build for Cloud Build triggers that the repository declares. */
  readonly triggerServiceAccounts?: readonly string[];
  readonly builderServiceAccounts?: Readonly<Partial<Record<TrustTier, string>>>;
  /** Where a trust tier's images go, if not to `registry`. */
  readonly registries?: Readonly<Partial<Record<TrustTier, string>>>;
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
  /** Who may do what, besides what stands above. A workflow's author is not asked. */
  readonly policy?: PolicyRules;
  /** Numeric id of the account that must own the repository; undefined: whoever does. */
  readonly ownerId?: number;
}

export const defaultMaxUsdPerRun = 5;
/** What a repository of the operator's file may spend when the operator does not say: ten runs at their most. */
export const defaultMaxUsdPerMonth = 50;
const defaultMaxTimeoutSeconds = 86_400;

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
