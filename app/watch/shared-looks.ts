/**
 * Looks at many jobs (or builds) for the price of a few: names in, snapshots out. All that are asked for in one
 * tick are answered from one listing of what is open in their project and region; what is not in it has ended,
 * or is too new for lists, so it is fetched and never taken for ended.
 */
import { CloudError } from '../../shared/errors.ts';
import type { Clock } from '../../shared/ports.ts';
import { parseResourceName, type Location } from '../../shared/google/resource-names.ts';

/** What both kinds of snapshots have. */
interface Snapshot {
  readonly id: string;
}

interface LookedAt<S extends Snapshot> {
  readonly collection: 'builds' | 'customJobs';
  get(name: string): Promise<S>;
  /** All that are open in that place. */
  list(place: Location): Promise<readonly S[]>;
  /** Changes whenever there is something to see. */
  stateOf(snapshot: S): string;
  isOver(snapshot: S): boolean;
}

interface TickOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly tickMs: number;
}

/** While something changes, the next look comes sooner. */
const hurry = 3;
/** Lists lag, so one may still show as running what was seen to have ended. */
const overMs = 3_600_000;
/** After a cancellation lists are not believed for so many ticks. */
const touchedTicks = 3;

interface Listing<S> {
  readonly startedAt: number;
  readonly open: Promise<ReadonlyMap<string, S>>;
  freshMs: number;
}

export class SharedLooks<S extends Snapshot> {
  private readonly source: LookedAt<S>;
  private readonly options: TickOptions;
  /** The newest listing of each place. */
  private readonly listings = new Map<string, Listing<S>>();
  /** Until when a name is fetched instead. */
  private readonly alone = new Map<string, number>();

  constructor(source: LookedAt<S>, options: TickOptions) {
    this.source = source;
    this.options = options;
  }

  /** @throws {CloudError} */
  async get(name: string): Promise<S> {
    const { id, ...place } = parseResourceName(name, this.source.collection);
    if (this.now() >= (this.alone.get(name) ?? 0)) {
      const listed = (await this.listingOf(place).open).get(id);
      if (listed !== undefined) return listed;
    }
    const fetched = await this.source.get(name);
    if (this.source.isOver(fetched)) this.leaveAlone(name, overMs);
    return fetched;
  }

  /** We did something to it, which no earlier listing knows. */
  touched(name: string): void {
    this.leaveAlone(name, touchedTicks * this.options.tickMs);
  }

  private listingOf(place: Location): Listing<S> {
    const key = `${place.project}/${place.region}`;
    const newest = this.listings.get(key);
    const now = this.now();
    if (newest !== undefined && now - newest.startedAt < newest.freshMs) return newest;
    const next = { startedAt: now, open: this.list(place), freshMs: this.options.tickMs };
    this.listings.set(key, next);
    void this.hurryAfterChange(newest, next);
    return next;
  }

  private async list(place: Location): Promise<ReadonlyMap<string, S>> {
    try {
      const open = await this.source.list(place);
      return new Map(open.map((snapshot) => [snapshot.id, snapshot]));
    } catch (error) {
      // What passes, everybody waits for. Whoever may not list may still be allowed to fetch.
      if (!(error instanceof CloudError) || error.retryable) throw error;
      return new Map();
    }
  }

  private async hurryAfterChange(before: Listing<S> | undefined, after: Listing<S>): Promise<void> {
    try {
      const [was, is] = [await before?.open, await after.open];
      if (was !== undefined && this.differ(was, is)) after.freshMs = this.options.tickMs / hurry;
    } catch {
      // Whoever waits for the listing is told.
    }
  }

  private differ(was: ReadonlyMap<string, S>, is: ReadonlyMap<string, S>): boolean {
    if (was.size !== is.size) return true;
    for (const [id, snapshot] of is) {
      const earlier = was.get(id);
      if (earlier === undefined) return true;
      if (this.source.stateOf(earlier) !== this.source.stateOf(snapshot)) return true;
    }
    return false;
  }

  private leaveAlone(name: string, forMs: number): void {
    const now = this.now();
    for (const [one, until] of this.alone) if (until <= now) this.alone.delete(one);
    this.alone.set(name, now + forMs);
  }

  private now(): number {
    return this.options.clock.now().getTime();
  }
}
