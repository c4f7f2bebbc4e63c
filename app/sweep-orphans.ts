/**
 * Jobs and builds that carry our owner label and that no open run sees to: looked for at start and every few
 * minutes, in each project and region of the operator's file. Forgeries are reported and left alone; another
 * owner's are never even listed; jobs whose run was lost have it back with a later look (restore-runs.ts).
 */
import type { Kysely } from 'kysely';
import type { ServerConfig } from '../shared/config/server-config.ts';
import { CloudError } from '../shared/errors.ts';
import {
  fromOpenBuild,
  fromOpenJob,
  judgeOrphan,
  repositoryIdOf,
  runIdOf,
  type OpenResource,
} from '../shared/launch/orphans.ts';
import type { ResourceMac } from '../shared/launch/resource-mac.ts';
import type { Clock } from '../shared/ports.ts';
import type { LauncherPorts, Launchers } from './launchers.ts';
import type { Logger } from './log.ts';
import { findInstalled, restoreLostRuns, type RestoreOptions } from './restore-runs.ts';
import { appendEvent, hasResourceEvent } from './store/events.ts';
import { runsById } from './store/runs.ts';
import type { Tables } from './store/tables.ts';

export interface OrphanSweepOptions {
  readonly db: Kysely<Tables>;
  readonly config: ServerConfig;
  readonly launchers: Launchers;
  readonly mac: ResourceMac;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
}

type SweepOptions = RestoreOptions & { readonly clock: Clock };

/** Whoever plants more in one place is reported with the next sweep. */
const maxReports = 20;

const intervalMs = 5 * 60_000;

/**
 * Looks at once and then every few minutes, sooner while a job waits for its run.
 * @returns what ends that, once what is at hand is seen to
 */
export function startOrphanSweeps(options: SweepOptions): () => Promise<void> {
  const ending = new AbortController();
  const { signal } = ending;
  const sweeps = async (): Promise<void> => {
    while (!signal.aborted) {
      const isAwaited = await sweepOrphans(options, signal);
      const waitMs = isAwaited ? Math.min(options.settleMs, intervalMs) : intervalMs;
      await options.clock.sleep(waitMs, signal);
    }
  };
  const sweeping = sweeps();
  return async () => {
    ending.abort();
    await sweeping;
  };
}

/**
 * Does not throw: what could not be looked at is looked at the next time.
 * @returns whether there are jobs without a run that may yet be restored
 */
async function sweepOrphans(options: SweepOptions, ending: AbortSignal): Promise<boolean> {
  const installed = findInstalled(options);
  let isAwaited = false;
  for (const { project, region, what } of placesOf(options.config)) {
    if (ending.aborted) break;
    const google = options.launchers.ofProject(project);
    if (google === undefined) continue;
    try {
      await sweepPlace(google, { project, region, what }, options);
      if (
        what === 'job' &&
        (await restoreLostRuns(google, { project, region }, installed, options))
      )
        isAwaited = true;
    } catch (error) {
      const level = error instanceof CloudError ? 'warn' : 'error';
      options.log[level]({ err: error, project, region, what }, 'could not look for orphans');
    }
  }
  return isAwaited;
}

interface Place {
  readonly project: string;
  readonly region: string;
  readonly what: 'build' | 'job';
}

function placesOf(config: ServerConfig): readonly Place[] {
  const places = [...config.repositories.values()].flatMap(({ project, regions, buildRegion }) => [
    ...regions.map((region): Place => ({ project, region, what: 'job' })),
    { project, region: buildRegion, what: 'build' } as const,
  ]);
  return [...new Map(places.map((place) => [JSON.stringify(place), place])).values()];
}

async function sweepPlace(
  google: LauncherPorts,
  { what, ...place }: Place,
  options: OrphanSweepOptions,
): Promise<void> {
  const { db, config, mac, clock } = options;
  const where = { ...place, owner: config.owner };
  const open =
    what === 'job'
      ? (await google.openJobs.list(where)).map(fromOpenJob)
      : (await google.openBuilds.list(where)).map(fromOpenBuild);
  // After the list, so that what is on record is newer than it.
  const runs = await runsById(db, open.map(runIdOf));
  let reports = 0;
  for (const resource of open) {
    const verdict = judgeOrphan(resource, runs.get(runIdOf(resource)), {
      owner: config.owner,
      mac,
      now: clock.now(),
      isServed: (id) => config.repositories.has(id),
    });
    switch (verdict.kind) {
      case 'followed':
        break;
      case 'foreign':
      case 'unknown':
        if (reports < maxReports && (await reportOnce(resource, verdict.kind, place, options)))
          reports += 1;
        break;
      case 'end':
        await end(resource, verdict.why, google, options);
        break;
    }
  }
}

/** One that may not be ended must not keep others alive. */
async function end(
  resource: OpenResource,
  why: string,
  google: LauncherPorts,
  options: OrphanSweepOptions,
): Promise<void> {
  const { what, name } = resource;
  try {
    await (what === 'job' ? google.jobs : google.builds).cancel(name);
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    options.log.warn({ err: error, name, why }, 'an orphan could not be ended');
    return;
  }
  await report(resource, 'orphan_ended', { why }, options);
}

/** @returns false when it was reported before */
async function reportOnce(
  resource: OpenResource,
  kind: 'foreign' | 'unknown',
  place: Omit<Place, 'what'>,
  options: OrphanSweepOptions,
): Promise<boolean> {
  const event = kind === 'foreign' ? 'foreign_resource' : 'orphan_found';
  if (await hasResourceEvent(options.db, event, resource.name)) return false;
  // Where it was found: its name may have the project's number instead.
  const detail = kind === 'unknown' ? { what: resource.what, ...place } : {};
  await report(resource, event, detail, options);
  return true;
}

async function report(
  resource: OpenResource,
  kind: 'foreign_resource' | 'orphan_found' | 'orphan_ended',
  detail: Readonly<Record<string, unknown>>,
  { db, clock, log }: OrphanSweepOptions,
): Promise<void> {
  const { name } = resource;
  const runId = runIdOf(resource);
  log.warn({ name, run: runId, kind, ...detail }, 'a resource with our label has no open run');
  // A forgery's labels say what they like.
  const repositoryId = kind === 'foreign_resource' ? undefined : repositoryIdOf(resource);
  await appendEvent(db, clock.now(), {
    kind,
    ...(repositoryId === undefined ? {} : { repositoryId, runId }),
    detail: { name, ...detail },
  });
}
