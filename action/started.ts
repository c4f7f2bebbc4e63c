/**
 * What a step has started and not seen the end of: written to the runner's state as it happens, read by
 * the post step when the main one was killed. Holds names and the run's id only, never a token.
 */
import type { Builds, Clock, Jobs } from '../shared/ports.ts';
import { runLabel, runTag } from '../shared/launch/requests.ts';
import { jobPlanOf, type Run } from '../shared/watch/run.ts';

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
    jobRegion: jobPlanOf(run).region,
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

/** How long a resource may be missing from Google's lists after its creation, and how often to look. */
const settleMs = 30_000;
const lookAgainMs = 3_000;

/** Cancels all of it and says what was cancelled, one line each. Everything is tried, whatever fails. */
export async function cancelStarted(
  started: Started,
  ports: {
    readonly builds: Pick<Builds, 'cancel' | 'findByTag'>;
    readonly jobs: Pick<Jobs, 'cancel' | 'findByLabel'>;
  },
  clock: Clock,
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
    cancelAll('job', jobsOf(started, ports.jobs, clock), (name) => ports.jobs.cancel(name)),
    cancelAll('build', buildsOf(started, ports.builds, clock), (name) => ports.builds.cancel(name)),
  ]);
  return results.flat();
}

async function jobsOf(
  started: Started,
  jobs: Pick<Jobs, 'findByLabel'>,
  clock: Clock,
): Promise<readonly string[]> {
  if (started.job === undefined) return [];
  if (started.job !== 'intended') return [started.job];
  const { project, jobRegion: region, runId: value } = started;
  return untilFound(() => jobs.findByLabel({ project, region, key: runLabel, value }), clock);
}

async function buildsOf(
  started: Started,
  builds: Pick<Builds, 'findByTag'>,
  clock: Clock,
): Promise<readonly string[]> {
  if (started.build === undefined || started.buildRegion === undefined) return [];
  if (started.build !== 'intended') return [started.build];
  const { project, buildRegion: region, runId } = started;
  return untilFound(() => builds.findByTag({ project, region, tag: runTag(runId) }), clock);
}

/** Whether it was created is not known, so it is looked for until it would have to be in the list. */
async function untilFound(
  find: () => Promise<readonly { readonly name: string }[]>,
  clock: Clock,
): Promise<readonly string[]> {
  const deadline = clock.now().getTime() + settleMs;
  for (;;) {
    const found = await find();
    if (found.length > 0 || clock.now().getTime() >= deadline) return found.map(({ name }) => name);
    await clock.sleep(lookAgainMs);
  }
}
