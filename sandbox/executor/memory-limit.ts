/**
 * How much memory a container may use: what its machine type has, unless this computer has less to give. In:
 * the machine's bytes and the computer's free ones. Out: the lesser, and whose it is.
 */

const mebibyte = 1024 ** 2;
/** Left to everything else that runs here. */
const reserveBytes = 1_024 * mebibyte;
/** Of the rest, because a second job may start beside the first. */
const share = 0.5;
/** So that a small example runs where little is free, too. */
const leastBytes = 512 * mebibyte;

interface MemoryLimit {
  readonly bytes: number;
  /** Whether it would be allowed more if this computer had more. */
  readonly isOfComputer: boolean;
}

/** @param availableBytes what can be used without swapping, when the container starts */
export function limitMemory(machineBytes: number, availableBytes: number): MemoryLimit {
  const ours = Math.max(leastBytes, Math.floor((availableBytes - reserveBytes) * share));
  return machineBytes <= ours
    ? { bytes: machineBytes, isOfComputer: false }
    : { bytes: ours, isOfComputer: true };
}
