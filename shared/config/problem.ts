/** Where and how a file is wrong, in the form that is shown to the person who wrote it. */
export interface ConfigProblem {
  /** Path in the repository, such as `config_gpu.yaml`. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1. */
  readonly column: number;
  /** The key's path, such as `workerPoolSpecs[0].machineSpec.machineType`; empty for the whole file. */
  readonly path: string;
  /** One sentence, with the nearest valid key where there is one. */
  readonly message: string;
}
