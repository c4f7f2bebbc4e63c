/**
 * The post step: runs after the job whatever became of the main step, and cancels what that one started
 * and did not see end, because a runner that is cancelled kills it after ten seconds.
 */
import type { Clock, CloudPorts } from '../shared/ports.ts';
import type { Runner } from './runner.ts';
import { cancelStarted, parseStarted, startedState } from './started.ts';

/** @returns the exit code: 1 when something may still be running. */
export async function post(runner: Runner, ports: () => CloudPorts, clock: Clock): Promise<number> {
  const started = parseStarted(runner.getState(startedState));
  if (started === undefined) return 0;
  const results = await cancelStarted(started, ports(), clock);
  for (const { line, failed } of results) {
    if (failed) runner.error(line);
    else runner.info(line);
  }
  return results.some(({ failed }) => failed) ? 1 : 0;
}
