/**
 * A CustomJobSpec as Vertex AI's REST API takes it (camelCase JSON of the v1 proto). Only what Trainyard
 * itself reads or writes is named here; every other field of the proto is carried through untouched.
 * @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/CustomJobSpec
 */
export interface CustomJobSpec {
  readonly workerPoolSpecs: readonly WorkerPoolSpec[];
  readonly scheduling?: Scheduling;
  readonly serviceAccount?: string;
  readonly baseOutputDirectory?: { readonly outputUriPrefix: string };
  readonly [field: string]: unknown;
}

export interface WorkerPoolSpec {
  readonly machineSpec?: MachineSpec;
  /** int64: a decimal string in JSON. */
  readonly replicaCount?: string;
  readonly containerSpec?: ContainerSpec;
  readonly pythonPackageSpec?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export interface MachineSpec {
  readonly machineType?: string;
  readonly acceleratorType?: string;
  readonly acceleratorCount?: number;
  readonly [field: string]: unknown;
}

export interface ContainerSpec {
  readonly imageUri?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
}

interface Scheduling {
  /** Google's duration, such as `3600s`. */
  readonly timeout?: string;
  readonly [field: string]: unknown;
}
