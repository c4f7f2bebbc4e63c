/**
 * What one container of a job may use of this machine. Far above what an example needs and far below what
 * brings a laptop down; production's limits are the machine's own. Its memory: `memory-limit.ts`.
 */

export interface Limits {
  readonly processes: number;
  /** Of one file, holes included: a write beyond it fails with EFBIG. */
  readonly fileBytes: number;
  /** Of its output; what comes after is dropped, and one line says so. */
  readonly logLines: number;
  readonly logBytes: number;
}

export const defaultLimits: Limits = {
  processes: 1_024,
  fileBytes: 8 * 1024 ** 3,
  logLines: 200_000,
  logBytes: 64 * 1024 ** 2,
};
