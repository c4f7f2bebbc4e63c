/**
 * How much may still happen in any period of a given length. Exact, unlike a bucket that refills: a service that
 * counts by the minute sees at most `limit` in whichever minute it looks at.
 */
export class SlidingWindow {
  private readonly limit: number;
  private readonly periodMs: number;
  /** When, oldest first. */
  private taken: number[] = [];

  constructor(limit: number, periodMs: number) {
    this.limit = limit;
    this.periodMs = periodMs;
  }

  /** What is left, and negative never. */
  left(nowMs: number): number {
    this.forget(nowMs);
    return Math.max(0, this.limit - this.taken.length);
  }

  take(nowMs: number): void {
    this.forget(nowMs);
    this.taken.push(nowMs);
  }

  /** Until more than `spare` is left; 0 when it is already. Infinity when there can never be so much. */
  waitMs(nowMs: number, spare = 0): number {
    this.forget(nowMs);
    const most = this.limit - spare - 1;
    if (most < 0) return Infinity;
    const last = this.taken.at(-1 - most);
    return last === undefined ? 0 : last + this.periodMs - nowMs;
  }

  private forget(nowMs: number): void {
    const first = this.taken.findIndex((at) => at > nowMs - this.periodMs);
    if (first !== 0) this.taken = first < 0 ? [] : this.taken.slice(first);
  }
}
