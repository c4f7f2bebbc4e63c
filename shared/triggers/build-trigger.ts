/**
 * A BuildTrigger as Cloud Build's REST API takes and gives it (camelCase JSON). The client library knows
 * neither `approvalConfig` nor `includeBuildLogs` and drops them silently, which is why triggers go over the
 * wire as plain JSON.
 * @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.locations.triggers#BuildTrigger
 */
import type { BuildConfig } from '../config/build-config.ts';

export interface BuildTrigger {
  readonly id?: string;
  readonly name?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly disabled?: boolean;
  readonly substitutions?: Readonly<Record<string, string>>;
  readonly includedFiles?: readonly string[];
  readonly ignoredFiles?: readonly string[];
  readonly serviceAccount?: string;
  readonly approvalConfig?: { readonly approvalRequired?: boolean };
  readonly includeBuildLogs?: string;
  /** One of these three says what is built. */
  readonly filename?: string;
  readonly build?: BuildConfig;
  readonly gitFileSource?: GitFileSource;
  /** One of these two says what starts it; neither for one that people start. */
  readonly github?: EventFilter & { readonly owner?: string; readonly name?: string };
  readonly repositoryEventConfig?: EventFilter & { readonly repository?: string };
  readonly sourceToBuild?: GitRepoSource;
  readonly [field: string]: unknown;
}

export interface EventFilter {
  readonly push?: {
    readonly branch?: string;
    readonly tag?: string;
    readonly invertRegex?: boolean;
  };
  readonly pullRequest?: {
    readonly branch?: string;
    readonly commentControl?: string;
    readonly invertRegex?: boolean;
  };
}

interface GitRepoSource {
  readonly uri?: string;
  readonly repository?: string;
  readonly ref?: string;
  readonly repoType?: string;
}

interface GitFileSource {
  readonly path?: string;
  readonly uri?: string;
  readonly repository?: string;
  readonly revision?: string;
  readonly repoType?: string;
}

/** A trigger and where it is. */
export interface TriggerRequest {
  readonly project: string;
  readonly region: string;
  readonly trigger: BuildTrigger;
}

/** What one run of a trigger is made from. */
export interface TriggerRunSource {
  readonly branchName?: string;
  readonly commitSha?: string;
  readonly substitutions?: Readonly<Record<string, string>>;
}
