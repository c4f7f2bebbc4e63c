/** Whether a run may make the summary check green: only as the default branch says how to train, nothing typed. */
import type { BuildCommand, TrainCommand } from '../command/command.ts';

/**
 * A required check that any arguments can make green protects nothing (`-- --epochs 0`), so only what the
 * repository's own file stands for counts: the default, or one of its profiles.
 */
export function countsForSummary(command: TrainCommand | BuildCommand): boolean {
  if (command.kind !== 'train') return false;
  const { kind: _, profile: __, dryRun, ...overrides } = command;
  return !dryRun && Object.keys(overrides).length === 0;
}
