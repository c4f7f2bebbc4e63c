/**
 * Reads the logs of many jobs for the price of a few requests. Cloud Logging lets a project read 60 times a
 * minute, whoever asks, so one request brings the news of all jobs that are followed, and each follower takes
 * its own out of it at its next look.
 *
 * Nothing is lost: a page that is full says where everybody in it has to read on, and whoever finds neither news
 * nor quota is told so by a 429, not that the log is at its end.
 * @see https://cloud.google.com/logging/quotas
 */
import type { CloudError } from '../../shared/errors.ts';
import type { Clock, JobLogs, LogEntry, LogPage, ManyJobLogs } from '../../shared/ports.ts';
import type { LogQuota } from './log-quota.ts';

interface SharedLogsOptions {
  readonly clock: Clock;
  readonly tickMs: number;
  readonly quota: LogQuota;
}

type Where = Parameters<JobLogs['read']>[0];

/** What those who look at the same moment are waited for. */
const gatherMs = 20;
const pageSize = 1_000;
/** Who has not asked for so long follows no more; longer than a refused follower pauses. */
const followMs = 90_000;

interface Page extends LogPage {
  readonly fetchedAt: number;
  /** From where it was read. */
  readonly since: string;
}

interface Follower {
  since: string;
  askedAt: number;
  page?: Page;
}

/** Who waits for the next request. */
interface Gathering {
  readonly waiting: Set<string>;
  isUrgent: boolean;
  readonly done: Promise<void>;
}

export class SharedLogs implements JobLogs {
  private readonly logs: ManyJobLogs;
  private readonly options: SharedLogsOptions;
  private readonly projects = new Map<string, ProjectLogs>();

  constructor(logs: ManyJobLogs, options: SharedLogsOptions) {
    this.logs = logs;
    this.options = options;
  }

  /** @throws {CloudError} also when the project's reads are used up for now */
  read(where: Where): Promise<LogPage> {
    const { project } = where;
    const known = this.projects.get(project) ?? new ProjectLogs(project, this.logs, this.options);
    this.projects.set(project, known);
    return known.read(where);
  }
}

class ProjectLogs {
  private readonly project: string;
  private readonly logs: ManyJobLogs;
  private readonly options: SharedLogsOptions;
  private readonly followers = new Map<string, Follower>();
  private gathering: Gathering | undefined;

  constructor(project: string, logs: ManyJobLogs, options: SharedLogsOptions) {
    this.project = project;
    this.logs = logs;
    this.options = options;
  }

  async read({ jobId, since, isOver = false }: Where): Promise<LogPage> {
    const askedAt = this.now();
    const follower: Follower = this.followers.get(jobId) ?? { since, askedAt };
    Object.assign(follower, { since, askedAt });
    this.followers.set(jobId, follower);
    if (isOver || !this.isAnswered(follower)) {
      await this.join(jobId, isOver);
      // More wait than one request can ask for.
      if ((follower.page?.fetchedAt ?? 0) < askedAt) throw this.refused();
    }
    if (isOver) this.followers.delete(jobId);
    const { page } = follower;
    if (page === undefined) throw this.refused();
    return pageFrom(page, since);
  }

  /** Its page is of this tick and holds what comes after `since`. */
  private isAnswered({ page, since }: Follower): boolean {
    return (
      page !== undefined &&
      this.now() - page.fetchedAt < this.options.tickMs &&
      msOf(page.since) <= msOf(since) &&
      (page.continueAt === undefined || msOf(since) < msOf(page.continueAt))
    );
  }

  private join(jobId: string, isUrgent: boolean): Promise<void> {
    this.gathering ??= this.gather();
    this.gathering.waiting.add(jobId);
    this.gathering.isUrgent ||= isUrgent;
    return this.gathering.done;
  }

  private gather(): Gathering {
    const asked = { waiting: new Set<string>(), isUrgent: false };
    const done = this.options.clock.sleep(gatherMs).then(() => {
      this.gathering = undefined;
      return this.fetch(gathering);
    });
    const gathering: Gathering = Object.assign(asked, { done });
    return gathering;
  }

  /** One request, for those who wait and as many others as fit. */
  private async fetch({ waiting, isUrgent }: Gathering): Promise<void> {
    const now = this.now();
    this.options.quota.take(this.project, isUrgent ? 'last_lines' : 'progress');
    const chosen = this.choose(waiting).map(([jobId, follower]) => {
      return { jobId, since: follower.since, follower };
    });
    const jobs = chosen.map(({ jobId, since }) => ({ jobId, since }));
    const read = await this.logs.readMany({ project: this.project, jobs, limit: pageSize });
    const { entriesOf, continueAt } = read;
    for (const { jobId, since, follower } of chosen) {
      const page = { fetchedAt: now, since, entries: entriesOf.get(jobId) ?? [] };
      follower.page =
        continueAt === undefined ? page : { ...page, continueAt: later(continueAt, since) };
    }
  }

  private choose(waiting: ReadonlySet<string>): [string, Follower][] {
    const now = this.now();
    for (const [jobId, { askedAt }] of this.followers) {
      if (now - askedAt > followMs) this.followers.delete(jobId);
    }
    const age = ({ page }: Follower): number => now - (page?.fetchedAt ?? 0);
    const all = [...this.followers];
    const others = all
      .filter(([jobId, one]) => !waiting.has(jobId) && age(one) >= this.options.tickMs / 2)
      .sort(([, a], [, b]) => age(b) - age(a));
    const first = all.filter(([jobId]) => waiting.has(jobId));
    return [...first, ...others].slice(0, this.logs.maxJobs);
  }

  private refused(): CloudError {
    return this.options.quota.refused(this.project, 'progress');
  }

  private now(): number {
    return this.options.clock.now().getTime();
  }
}

function pageFrom({ entries, continueAt }: LogPage, since: string): LogPage {
  const from = msOf(since);
  const wanted: readonly LogEntry[] = entries.filter(({ timestamp }) => msOf(timestamp) >= from);
  return continueAt === undefined
    ? { entries: wanted }
    : { entries: wanted, continueAt: later(continueAt, since) };
}

function later(a: string, b: string): string {
  return msOf(a) > msOf(b) ? a : b;
}

/** Instants come with three to nine digits of fraction; requests are made to the millisecond. */
function msOf(instant: string): number {
  return Date.parse(instant);
}
