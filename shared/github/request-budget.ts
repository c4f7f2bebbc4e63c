/**
 * GitHub's limits as a budget that is planned, not hit: a request's kind and priority in, the moment when it may be
 * sent out, or a 429 of our own when that moment is too far away. One budget an installation.
 *
 * What is answered at once to people may spend all of it, changes of state most, and progress half, so that who is
 * waiting for an answer gets one however much there is to tell of. Nobody queues for long: a caller that is refused
 * comes back later and tells of what is true then.
 * @see https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
 */
import { CloudError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { SlidingWindow } from '../sliding-window.ts';
import { limitOf, type Octokit } from './client.ts';

export interface GitHubLimits {
  /** Requests that change something. */
  readonly writesPerMinute: number;
  /** Those of them that create something, which GitHub counts by the hour as well. */
  readonly creationsPerHour: number;
  readonly atOnce: number;
}

/** Below GitHub's own 80 and 500, for there may be others who act for the same installation. */
export const plannedLimits: GitHubLimits = {
  writesPerMinute: 60,
  creationsPerHour: 400,
  atOnce: 100,
};

/** Most urgent first. */
const priorities = ['reply', 'state', 'progress'] as const;
export type Priority = (typeof priorities)[number];

/** What a priority leaves to those before it, and how long it waits for its turn. */
const rules: Readonly<Record<Priority, { readonly spareShare: number; readonly waitMs: number }>> =
  {
    reply: { spareShare: 0, waitMs: 10_000 },
    state: { spareShare: 0.15, waitMs: 3_000 },
    progress: { spareShare: 0.5, waitMs: 0 },
  };

type Kind = 'read' | 'edit' | 'creation';

interface Waiting {
  readonly kind: Kind;
  readonly priority: Priority;
  readonly until: number;
  readonly admit: () => void;
  readonly refuse: (error: CloudError) => void;
}

const budgetOperation = 'github.budget';
/** When more wait than that, something is wrong, and waiting makes it no better. */
const maxWaiting = 500;

export class RequestBudget {
  private readonly limits: GitHubLimits;
  private readonly clock: Clock;
  private readonly minute: SlidingWindow;
  private readonly hour: SlidingWindow;
  /** In the order in which they came. */
  private waiting: Waiting[] = [];
  private running = 0;
  private blockedUntil = 0;
  /** When those who wait are looked at next. */
  private alarmAt = Infinity;

  constructor(limits: GitHubLimits, clock: Clock) {
    this.limits = limits;
    this.clock = clock;
    this.minute = new SlidingWindow(limits.writesPerMinute, 60_000);
    this.hour = new SlidingWindow(limits.creationsPerHour, 3_600_000);
  }

  /** The writes that the most urgent could make now: of this minute, and of this hour. */
  left(): { readonly minute: number; readonly hour: number } {
    const now = this.now();
    if (now < this.blockedUntil) return { minute: 0, hour: 0 };
    return { minute: this.minute.left(now), hour: this.hour.left(now) };
  }

  /** @throws {CloudError} 429, before anything was sent, when its turn would come too late */
  async send<T>(route: string, priority: Priority, request: () => Promise<T>): Promise<T> {
    await this.admitted(kindOf(route), priority);
    try {
      const answer = await request();
      this.learn(answer);
      return answer;
    } catch (error) {
      this.learn(error);
      throw error;
    } finally {
      this.running -= 1;
      this.serve();
    }
  }

  private admitted(kind: Kind, priority: Priority): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const now = this.now();
    const { waitMs } = rules[priority];
    if (this.waiting.length >= maxWaiting) return Promise.reject(refused(60_000));
    this.waiting.push({
      kind,
      priority,
      until: now + waitMs,
      refuse: reject,
      admit: () => {
        resolve(undefined);
      },
    });
    this.serve();
    return promise;
  }

  /** Lets in whoever may go, most urgent first, and turns away whose turn comes too late. */
  private serve(): void {
    const now = this.now();
    let soonest = Infinity;
    const inOrder = priorities.flatMap((one) =>
      this.waiting.filter(({ priority }) => priority === one),
    );
    for (const one of inOrder) {
      const waitMs = this.waitMs(one.kind, one.priority, now);
      if (waitMs === 0) {
        this.take(one.kind, now);
        one.admit();
      } else if (now + waitMs > one.until && waitMs !== Infinity) {
        one.refuse(refused(one.priority === 'progress' ? undefined : waitMs));
      } else if (now >= one.until) {
        one.refuse(refused(undefined));
      } else {
        soonest = Math.min(soonest, waitMs, one.until - now);
        continue;
      }
      this.waiting = this.waiting.filter((other) => other !== one);
    }
    this.serveAt(now, soonest);
  }

  private serveAt(now: number, inMs: number): void {
    if (now + inMs >= this.alarmAt) return;
    this.alarmAt = now + inMs;
    void this.clock.sleep(inMs).then(() => {
      this.alarmAt = Infinity;
      this.serve();
    });
  }

  /** Infinity: until another request is over. */
  private waitMs(kind: Kind, priority: Priority, now: number): number {
    if (this.running >= this.limits.atOnce) return Infinity;
    const { writesPerMinute, creationsPerHour } = this.limits;
    const { spareShare } = rules[priority];
    const blocked = Math.max(0, this.blockedUntil - now);
    if (kind === 'read') return blocked;
    const minute = this.minute.waitMs(now, Math.floor(writesPerMinute * spareShare));
    if (kind === 'edit') return Math.max(blocked, minute);
    const hour = this.hour.waitMs(now, Math.floor(creationsPerHour * spareShare));
    return Math.max(blocked, minute, hour);
  }

  private take(kind: Kind, now: number): void {
    this.running += 1;
    if (kind !== 'read') this.minute.take(now);
    if (kind === 'creation') this.hour.take(now);
  }

  /** What GitHub says of its limits counts for every request: asking on is what gets an App banned. */
  private learn(outcome: unknown): void {
    const limit = limitOf(outcome, this.now());
    if (limit === undefined) return;
    this.blockedUntil = Math.max(this.blockedUntil, this.now() + limit * 1_000);
  }

  private now(): number {
    return this.clock.now().getTime();
  }
}

/** True for what the budget itself has refused: nothing was sent. */
export function isPostponed(error: unknown): error is CloudError {
  return error instanceof CloudError && error.operation === budgetOperation;
}

/** The client whose requests are made within the budget. */
export function withinBudget(octokit: Octokit, budget: RequestBudget, priority: Priority): Octokit {
  return {
    request: (route, parameters) =>
      budget.send(route, priority, () => octokit.request(route, parameters)),
  };
}

/**
 * GitHub's own client spaces all writes and is stricter only with what creates something.
 * @see https://github.com/octokit/plugin-throttling.js (write and notifications)
 */
function kindOf(route: string): Kind {
  const [method = ''] = route.split(' ', 1);
  if (method === 'GET' || method === 'HEAD') return 'read';
  return method === 'POST' ? 'creation' : 'edit';
}

function refused(afterMs: number | undefined): CloudError {
  return new CloudError(budgetOperation, 'the requests to GitHub of this minute are used up', {
    status: 429,
    retryable: true,
    ambiguous: false,
    ...(afterMs === undefined ? {} : { retryAfterSeconds: Math.ceil(afterMs / 1_000) }),
  });
}
