/** How an image is built, where somebody says so; what is left out is decided by the plan or by the builder. */
export interface BuildOptions {
  /** The docker of whoever follows the run, instead of Cloud Build. */
  readonly by?: 'docker';
  /** `--build-arg` name → value. */
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** The stage to build. */
  readonly target?: string;
  /** Such as `linux/amd64`. */
  readonly platform?: string;
  /** Cloud Build's machine type, such as `E2_HIGHCPU_8`. */
  readonly workerMachineType?: string;
  readonly layerCache?: boolean;
  readonly timeoutSeconds?: number;
}
