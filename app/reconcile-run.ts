/**
 * One look at one run: a run id in; the run moved on as far as it can be, stored, shown on GitHub, and the
 * time of the next look out. Level-triggered: a webhook, a timer and a restart all call it, and it does not
 * matter which, how often, or in how many replicas.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Kysely } from 'kysely';
import type { ServerConfig } from '../shared/config/server-config.ts';
import { CloudError } from '../shared/errors.ts';
import { advance, newLogCursor, type LogCursor, type RunPorts } from '../shared/flow.ts';
import { commitSource } from '../shared/github/source.ts';
import type { Strange } from '../shared/launch/adopt.ts';
import type { ResourceMac } from '../shared/launch/resource-mac.ts';
import { spentUsd } from '../shared/policy/run-cost.ts';
import type { Clock } from '../shared/ports.ts';
import { baselineOf } from '../shared/report/baseline.ts';
import { phaseOf, type Run } from '../shared/watch/run.ts';
import { whyNotAllowed } from './authority.ts';
import { consoleLinks } from './console-links.ts';
import type { OctokitFor } from './github-app.ts';
import type { Launchers } from './launchers.ts';
import { newReference, type Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import { publish, publishAgainAt, repositoryOf } from './publish.ts';
import { settle } from './store/budget.ts';
import { commentIdOf } from './store/commands.ts';
import { isDatabaseAway } from './store/database-away.ts';
import { earlierBuilds } from './store/earlier-builds.ts';
import { appendEvent, hasEvent } from './store/events.ts';
import { newestBaseRecord } from './store/run-queries.ts';
import { LeaseLost, leaseRun, renewLease, returnRun, saveRun, type HeldRun } from './store/runs.ts';
import type { Publication, Tables } from './store/tables.ts';

interface ReconcileOptions {
  readonly db: Kysely<Tables>;
  readonly clock: Clock;
  readonly launchers: Launchers;
  readonly config: ServerConfig;
  readonly mac: ResourceMac;
  /** A client that acts as the App in one installation. */
  readonly octokitFor: OctokitFor;
  readonly appId: number;
  /** `https://github.com` */
  readonly githubUrl: string;
  readonly sandbox: boolean;
  /** Unique to this process life: who holds a lease. */
  readonly incarnation: string;
  readonly tickMs: number;
  readonly settleMs: number;
  readonly drainMs: number;
  readonly cardIntervalMs: number;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** A crashed replica's runs are taken over after that; a living one renews three times as often. */
const leaseMs = 30_000;
/** Errors in a row after which a run is cancelled, and after which it is given up: minutes, and an hour. */
const failureLimits = { cancel: 8, giveUp: 16 };
const maxBackoffMs = 5 * 60_000;
/** Where something has just changed, the next look comes sooner. */
const hurry = 3;
/** As long as replicas with another configuration may be there at the same time. */
const rolloutMs = 10 * 60_000;
/** Whoever plants more is reported again. */
const maxStrangers = 10_000;

export class Reconciler {
  private readonly options: ReconcileOptions;
  /** Log positions live as long as the process; after a restart a log is read again. */
  private readonly cursors = new Map<string, LogCursor>();
  /** Names of resources that were reported as not ours. */
  private readonly strangers = new Set<string>();

  constructor(options: ReconcileOptions) {
    this.options = options;
  }

  /** When to look again; undefined when the run is closed or held by somebody else. Does not throw. */
  async reconcile(id: string): Promise<Date | undefined> {
    const { db, clock, incarnation, log } = this.options;
    const now = clock.now();
    const until = new Date(now.getTime() + leaseMs);
    const row = await leaseRun(db, id, { holder: incarnation, now, until });
    if (row === undefined) return undefined;
    const held = new Holding(row, this.options);
    const renewal = setInterval(() => void held.renew(), leaseMs / 3);
    try {
      return await this.takeTurn(held);
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
      log.warn({ run: id }, 'another process took over a run');
      return undefined;
    } finally {
      clearInterval(renewal);
    }
  }

  private async takeTurn(held: Holding): Promise<Date | undefined> {
    const { clock, tickMs } = this.options;
    if (this.isOfNewerConfiguration(held.run)) {
      const wakeAt = new Date(clock.now().getTime() + tickMs);
      await held.giveBack({ wakeAt, closed: false });
      return wakeAt;
    }
    await this.endIfNotServed(held);
    // Side by side: GitHub being slow must not keep a build or a job waiting.
    const waitMs = await together(this.advance(held), this.show(held));
    await this.show(held);
    const { run, publication } = held;
    const ended = run.end !== undefined;
    const publishAt = publishAgainAt(publication);
    const closed = ended && publishAt === undefined;
    const now = clock.now().getTime();
    const lookAt = ended ? undefined : new Date(now + (waitMs ?? tickMs));
    const wakeAt = earliest(lookAt, publishAt) ?? new Date(now);
    if (ended) {
      this.cursors.delete(held.id);
      await settle(this.options.db, held.id, spentUsd(run), clock.now());
    }
    if (closed) await this.recordEnd(run);
    await held.giveBack({ wakeAt, closed });
    return closed ? undefined : wakeAt;
  }

  /**
   * Somebody served its repository just now: while replicas are replaced, those that do not know it yet leave it to
   * those that do.
   */
  private isOfNewerConfiguration({ plan, createdAt, end }: Run): boolean {
    const { launchers, clock } = this.options;
    const ageMs = clock.now().getTime() - Date.parse(createdAt);
    const isServed = launchers.ofRepository(plan.subject.repository.id) !== undefined;
    return end === undefined && !isServed && ageMs < rolloutMs;
  }

  /** What runs for a repository that the operator took out of the configuration is cancelled. */
  private async endIfNotServed(held: Holding): Promise<void> {
    const { launchers, clock } = this.options;
    const { run } = held;
    const { subject, project } = run.plan;
    if (run.end !== undefined || launchers.ofRepository(subject.repository.id) !== undefined)
      return;
    const at = clock.now().toISOString();
    if (launchers.ofProject(project) === undefined) {
      const message =
        'Trainyard no longer serves this repository and has no access to its project.';
      const fix =
        'Look in the Google Cloud console for what is still running; its timeout ends it.';
      const end = { outcome: 'failed', at, reason: 'no_longer_allowed', message, fix } as const;
      await held.save({ run: { ...run, end } });
    } else if (run.cancel === undefined) {
      const cancel = { at, by: 'trainyard', because: 'no_longer_allowed' } as const;
      await held.save({ run: { ...run, cancel } });
    }
  }

  /** The flow's part; an error is counted, not thrown. */
  private async advance(held: Holding): Promise<number | undefined> {
    if (held.run.end !== undefined) return undefined;
    const { settleMs, drainMs, tickMs } = this.options;
    const before = held.run;
    const disposals: (() => Promise<void>)[] = [];
    try {
      const { waitMs } = await advance(held.run, this.portsFor(held, disposals), {
        settleMs,
        drainMs,
        pollMs: tickMs,
      });
      held.failures = 0;
      return hasMoved(before, held.run) ? Math.min(waitMs ?? tickMs, tickMs / hurry) : waitMs;
    } catch (error) {
      if (error instanceof LeaseLost) throw error;
      return await this.afterFailure(held, error);
    } finally {
      for (const dispose of disposals) await dispose();
    }
  }

  private portsFor(held: Holding, disposals: (() => Promise<void>)[]): RunPorts {
    const { clock, launchers, octokitFor } = this.options;
    const { subject, project, tier } = held.run.plan;
    const google = launchers.ofRepository(subject.repository.id) ?? launchers.ofProject(project);
    if (google === undefined) throw new Error('nobody may act for a run that has not ended');
    const logCursor = this.cursors.get(held.id) ?? newLogCursor();
    this.cursors.set(held.id, logCursor);
    return {
      clock,
      ...google,
      earlierBuilds: earlierBuilds(this.options.db, subject.repository.id, tier),
      logCursor,
      source: async () => {
        const octokit = octokitFor(held.installationId);
        const commit = await commitSource(octokit, repositoryOf(held.run), subject.headSha);
        disposals.push(() => commit.dispose());
        return commit.source;
      },
      mac: this.options.mac,
      whyNotAllowed: (run) =>
        whyNotAllowed(run, {
          config: this.options.config,
          octokit: octokitFor(held.installationId),
        }),
      strangers: (found) => this.reportStrangers(held.id, found),
      extraLeft: (name, err) =>
        this.options.log.warn({ err, run: held.id, name }, 'an extra could not be ended'),
      save: async (run) => held.save({ run: await this.withBaseline(run) }),
    };
  }

  /** Stored with the end, so that nothing of the run is ever shown without it or with another one. */
  private async withBaseline(run: Run): Promise<Run> {
    const { metrics, end, plan } = run;
    if (end?.outcome !== 'succeeded' || Object.keys(metrics?.values ?? {}).length === 0) return run;
    const { repository } = plan.subject;
    const baseline = baselineOf(await newestBaseRecord(this.options.db, repository.id), run);
    return baseline === undefined ? run : { ...run, baseline };
  }

  /** Once for each: a run in doubt looks again and again. */
  private reportStrangers(run: string, found: readonly Strange[]): void {
    for (const { name, why } of found) {
      if (this.strangers.has(name)) continue;
      if (this.strangers.size >= maxStrangers) this.strangers.clear();
      this.strangers.add(name);
      this.options.log.warn({ run, name, why }, 'a resource has our label and is not ours');
    }
  }

  private async afterFailure(held: Holding, error: unknown): Promise<number> {
    const { clock, log, metrics } = this.options;
    held.failures += 1;
    const reference = newReference();
    log.error({ err: error, reference, run: held.id, failures: held.failures }, 'a look failed');
    if (!(error instanceof CloudError) && !isDatabaseAway(error)) metrics.bug();
    const at = clock.now().toISOString();
    if (held.failures >= failureLimits.giveUp) {
      const message = `Trainyard could not follow this run any more (reference ${reference}).`;
      const fix = 'Look at the job in the Google Cloud console, and tell whoever runs Trainyard.';
      const end = { outcome: 'failed', at, reason: 'internal', message, fix } as const;
      await held.save({ run: { ...held.run, end } });
    } else if (held.failures >= failureLimits.cancel && held.run.cancel === undefined) {
      const cancel = { at, by: 'trainyard', because: 'internal' } as const;
      await held.save({ run: { ...held.run, cancel } });
    }
    return Math.min(maxBackoffMs, 1_000 * 2 ** held.failures);
  }

  private async show(held: Holding): Promise<void> {
    const { octokitFor, appId, githubUrl, cardIntervalMs, sandbox, clock, log } = this.options;
    const { run } = held;
    const links = sandbox ? {} : consoleLinks(run);
    const shown = [held.publication.comment, held.publication.check];
    const isNews = shown.some(({ phase }) => phase !== phaseOf(run));
    const publication = await publish(run, held.publication, {
      octokit: octokitFor(held.installationId, isNews ? 'state' : 'progress'),
      commentId: held.commentId,
      appId,
      githubUrl,
      cardIntervalMs,
      context: {
        now: clock.now(),
        sandbox,
        takesCommands: true,
        links,
      },
      log,
    });
    await held.save({ publication });
  }

  private async recordEnd(run: Run): Promise<void> {
    const { subject, runId } = run.plan;
    // An ended run is looked at again when a newer commit supersedes it.
    if (await hasEvent(this.options.db, runId, 'run_ended')) return;
    this.options.metrics.runEnded(run);
    await appendEvent(this.options.db, this.options.clock.now(), {
      kind: 'run_ended',
      repositoryId: subject.repository.id,
      runId,
      detail: { outcome: run.end?.outcome, reason: run.end?.reason ?? null },
    });
  }
}

/** The first's value, once both are over: what goes on after the lease was let go would meet the next holder. */
async function together<T>(first: Promise<T>, second: Promise<unknown>): Promise<T> {
  const [, other] = await Promise.allSettled([first, second]);
  if (other.status === 'rejected') throw other.reason;
  return first;
}

/** Its build or its job is in another state than before. */
function hasMoved(before: Run, after: Run): boolean {
  return (
    before.build?.snapshot?.status !== after.build?.snapshot?.status ||
    before.job?.snapshot?.state !== after.job?.snapshot?.state
  );
}

function earliest(...instants: readonly (Date | undefined)[]): Date | undefined {
  const known = instants.flatMap((instant) => (instant === undefined ? [] : [instant.getTime()]));
  return known.length === 0 ? undefined : new Date(Math.min(...known));
}

/** A run while this process holds it. Writes go one after the other, each upon the version before. */
class Holding {
  readonly id: string;
  readonly installationId: number;
  readonly commentId: number | undefined;
  run: Run;
  publication: Publication;
  failures: number;
  private version: number;
  private lastWrite: Promise<void> = Promise.resolve();
  private readonly options: ReconcileOptions;

  constructor(row: HeldRun, options: ReconcileOptions) {
    this.id = row.id;
    this.installationId = row.installationId;
    this.commentId = commentIdOf(row.origin);
    this.run = row.run;
    this.publication = row.publication;
    this.failures = row.failures;
    this.version = row.version;
    this.options = options;
  }

  save(changes: { readonly run?: Run; readonly publication?: Publication }): Promise<void> {
    const { db, incarnation } = this.options;
    const write = async (): Promise<void> => {
      if (this.isKnown(changes)) return;
      const at = { id: this.id, version: this.version, holder: incarnation };
      this.version = await saveRun(db, at, changes);
      this.run = changes.run ?? this.run;
      this.publication = changes.publication ?? this.publication;
    };
    const written = this.lastWrite.then(write);
    // The failed write is reported to its caller; the next one fails by itself if it must.
    this.lastWrite = written.catch(() => undefined);
    return written;
  }

  /** Most looks change nothing. Compared as values: jsonb gives back keys in an order of its own. */
  private isKnown({ run, publication }: Partial<Pick<Holding, 'run' | 'publication'>>): boolean {
    return (
      (run === undefined || isDeepStrictEqual(run, this.run)) &&
      (publication === undefined || isDeepStrictEqual(publication, this.publication))
    );
  }

  /** A lease that could not be renewed shows at the next write, which is refused. */
  async renew(): Promise<void> {
    const { db, clock, incarnation, log } = this.options;
    const until = new Date(clock.now().getTime() + leaseMs);
    await renewLease(db, this.id, { holder: incarnation, until }).catch((error: unknown) =>
      log.warn({ err: error, run: this.id }, 'a lease could not be renewed'),
    );
  }

  async giveBack(next: { readonly wakeAt: Date; readonly closed: boolean }): Promise<void> {
    const { db, incarnation } = this.options;
    await this.lastWrite;
    const held = { id: this.id, holder: incarnation };
    const superseded = this.run.superseded !== undefined;
    await returnRun(db, held, { ...next, failures: this.failures, superseded });
  }
}
