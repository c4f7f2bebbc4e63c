/**
 * A Build as Cloud Build's REST API takes it (camelCase JSON of the v1 proto). Only what Trainyard itself
 * reads or writes is named here; every other field of the proto is carried through untouched.
 * @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds
 */
export interface BuildConfig {
  readonly steps: readonly BuildStep[];
  readonly images?: readonly string[];
  readonly artifacts?: { readonly images?: readonly string[]; readonly [field: string]: unknown };
  readonly tags?: readonly string[];
  /** Google's duration, such as `600s`. */
  readonly timeout?: string;
  readonly logsBucket?: string;
  /** `projects/P/serviceAccounts/EMAIL` */
  readonly serviceAccount?: string;
  readonly substitutions?: Readonly<Record<string, string>>;
  readonly options?: BuildOptions;
  readonly [field: string]: unknown;
}

export interface BuildStep {
  readonly name: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly id?: string;
  readonly waitFor?: readonly string[];
  readonly entrypoint?: string;
  readonly script?: string;
  readonly automapSubstitutions?: boolean;
  /** Google's duration. */
  readonly timeout?: string;
  readonly [field: string]: unknown;
}

interface BuildOptions {
  readonly logging?: string;
  readonly machineType?: string;
  readonly substitutionOption?: string;
  readonly dynamicSubstitutions?: boolean;
  readonly automapSubstitutions?: boolean;
  readonly defaultLogsBucketBehavior?: string;
  readonly [field: string]: unknown;
}
