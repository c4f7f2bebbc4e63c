/** The shapes of the machine catalogue: which machines exist, what can be attached, what an hour costs. */

export interface MachineType {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryGb: number;
  /** Accelerator enum name → the counts that may be attached (or that are built in). Empty for CPU only. */
  readonly accelerators: Readonly<Record<string, readonly number[]>>;
  /** True for families (a2, a3, g2 …) that cannot be had without their accelerator. */
  readonly acceleratorRequired: boolean;
  /** What whoever gets it should know, one sentence. */
  readonly note?: string;
}

/** What `gpu=…` stands for: the accelerator's enum name and the machine that is picked when none is named. */
export interface Gpu {
  /** The word people type, such as `T4`. */
  readonly name: string;
  readonly acceleratorType: string;
  /** count → machine type */
  readonly defaultMachine: Readonly<Record<number, string>>;
}

/** One worker pool's hardware after the catalogue has had its say. */
export interface MachineChoice {
  readonly machineType: string;
  readonly acceleratorType?: string;
  readonly acceleratorCount?: number;
}

/** An estimate in US dollars, with the date and the source of the prices that it rests on. */
export interface Estimate {
  readonly usdPerHour: number;
  /** The price of running until the timeout: the most that the job itself can cost. */
  readonly ceilingUsd: number;
  readonly timeoutSeconds: number;
  readonly pricesAsOf: string;
}

/** What prices are looked up with. */
export interface Rates {
  /** Undefined means us-central1. */
  readonly region?: string;
  /**
   * Dollars an hour that somebody knows better: machine types (with everything that is built in) and
   * accelerator types (each); or dollars a GB-month of disk types. Taken as they are, in every region.
   */
  readonly prices?: Readonly<Record<string, number>>;
}
