/**
 * What one container of a job may use of this machine. Far above what an example needs and far below what
 * brings a laptop down; production's limits are the machine's own.
 */
import { totalmem } from 'node:os';

export interface Limits {
  readonly processes: number;
  /** Resident, of all its processes together. */
  readonly memoryBytes: number;
  /** Of one file, holes included: a write beyond it fails with EFBIG. */
  readonly fileBytes: number;
  /** Of its output; what comes after is dropped, and one line says so. */
  readonly logLines: number;
  readonly logBytes: number;
}

export const defaultLimits: Limits = {
  processes: 1_024,
  memoryBytes: Math.floor(totalmem() * 0.75),
  fileBytes: 8 * 1024 ** 3,
  logLines: 200_000,
  logBytes: 64 * 1024 ** 2,
};
