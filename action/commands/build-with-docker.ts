/**
 * `builder: docker`: a run that is about to begin in, the same with the image that this runner's docker built and
 * pushed out, or ended with the reason why there is none. The run's loop then has nothing to build.
 */
import { resolve } from 'node:path';
import { UserError, type EndReason } from '../../shared/errors.ts';
import type { Clock } from '../../shared/ports.ts';
import { shortSha } from '../../shared/units.ts';
import { maxLogTailLines, type Run } from '../../shared/watch/run.ts';
import type { DockerfileBuild } from '../../shared/plan/plan.ts';
import { createDockerBuilder } from '../docker-builder.ts';
import type { Environment } from '../input-reader.ts';
import { LogPrinter, type Runner } from '../runner.ts';

export interface DockerPorts {
  readonly env: Environment;
  readonly runner: Runner;
  readonly clock: Clock;
  readonly interrupt: AbortSignal;
  /** A Google access token that is good now. */
  readonly accessToken: () => Promise<string>;
}

/** @param context an absolute path */
export async function buildWithDocker(
  run: Run,
  build: DockerfileBuild,
  context: string,
  { env, runner, clock, interrupt, accessToken }: DockerPorts,
): Promise<Run> {
  const log = new LogPrinter(runner, clock);
  let logTail: readonly string[] = [];
  log.event("Building with this runner's docker");
  try {
    const image = await createDockerBuilder({ env, token: accessToken }).build({
      build,
      context: resolve(context),
      tag: `${shortSha(run.plan.subject.headSha)}-${run.plan.runId}`,
      log: (lines) => {
        logTail = [...logTail, ...lines].slice(-maxLogTailLines);
        log.lines('Build log', lines);
      },
      signal: interrupt,
    });
    return { ...run, image };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message, fix } = error;
    // Whoever builds throws what a run can end with.
    const reason = error.reason as EndReason;
    const outcome = reason === 'cancelled' ? 'cancelled' : 'failed';
    return {
      ...run,
      logTail,
      end: { outcome, at: clock.now().toISOString(), reason, message, fix },
    };
  } finally {
    log.close();
  }
}
