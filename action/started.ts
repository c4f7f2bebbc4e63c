/**
 * What a step has started and not seen the end of: written to the runner's state as it happens, read by
 * the post step when the main one was killed. Holds names and the run's id only, never a token.
 */
import type { Builds, Jobs } from '../shared/ports.ts';
import { runLabel, runTag } from '../shared/launch/requests.ts';
import type { Run } from '../shared/watch/run.ts';

export const startedState = 'started';

/** A resource by name, or `intended`: a create was sent whose answer never came. */
export interface Started {
  readonly runId: string;
  readonly project: string;
  readonly buildRegion?: string;
  readonly jobRegion: string;
  readonly build?: string;
  readonly job?: string;
}

/** What would be left behind if the step ended now; undefined when nothing would. */
export function startedBy(run: Run): Started | undefined {
  if (run.end !== undefined) return undefined;
  const build = run.image === undefined ? run.build : undefined;
  if (build === undefined && run.job === undefined) return undefined;
  return {
    runId: run.plan.runId,
    project: run.plan.project,
    ...(run.plan.build === undefined ? {} : { buildRegion: run.plan.build.region }),
    jobRegion: run.plan.job.region,
    ...(build === undefined ? {} : { build: build.name ?? 'intended' }),
    ...(run.job === undefined ? {} : { job: run.job.name ?? 'intended' }),
  };
}

export function parseStarted(text: string): Started | undefined {
  if (text === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isStarted(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isStarted(value: unknown): value is Started {
  if (typeof value !== 'object' || value === null) return false;
  const fields = Object.entries(value);
  const texts = fields.every(([, field]) => typeof field === 'string');
  return texts && ['runId', 'project', 'jobRegion'].every((key) => key in value);
}

/** Cancels all of it and says what was cancelled, one line each. Everything is tried, whatever fails. */
export async function cancelStarted(
  started: Started,
  ports: {
    readonly builds: Pick<Builds, 'cancel' | 'findByTag'>;
    readonly jobs: Pick<Jobs, 'cancel' | 'findByLabel'>;
  },
): Promise<readonly { readonly line: string; readonly failed: boolean }[]> {
  const cancelAll = async (
    what: string,
    names: Promise<readonly string[]>,
    cancel: (name: string) => Promise<void>,
  ) => {
    try {
      const found = await names;
      await Promise.all(found.map(cancel));
      return found.map((name) => ({ line: `Cancelled ${what} ${name}`, failed: false }));
    } catch (error) {
      const why = error instanceof Error ? error.message : 'unknown error';
      return [{ line: `Could not cancel the ${what}: ${why}`, failed: true }];
    }
  };
  const results = await Promise.all([
    cancelAll('job', jobsOf(started, ports.jobs), (name) => ports.jobs.cancel(name)),
    cancelAll('build', buildsOf(started, ports.builds), (name) => ports.builds.cancel(name)),
  ]);
  return results.flat();
}

async function jobsOf(
  started: Started,
  jobs: Pick<Jobs, 'findByLabel'>,
): Promise<readonly string[]> {
  if (started.job === undefined) return [];
  if (started.job !== 'intended') return [started.job];
  const { project, jobRegion: region, runId: value } = started;
  const found = await jobs.findByLabel({ project, region, key: runLabel, value });
  return found.map(({ name }) => name);
}

async function buildsOf(
  started: Started,
  builds: Pick<Builds, 'findByTag'>,
): Promise<readonly string[]> {
  if (started.build === undefined || started.buildRegion === undefined) return [];
  if (started.build !== 'intended') return [started.build];
  const { project, buildRegion: region, runId } = started;
  const found = await builds.findByTag({ project, region, tag: runTag(runId) });
  return found.map(({ name }) => name);
}
