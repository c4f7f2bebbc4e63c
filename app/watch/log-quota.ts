/**
 * How often the logs of each project may still be read. Cloud Logging lets a project read 60 times a minute, whoever
 * asks and whatever is found, so all who read draw on one account: those who follow jobs, those who follow builds
 * that write to Cloud Logging, and people who ask.
 * @see https://cloud.google.com/logging/quotas
 */
import { CloudError } from '../../shared/errors.ts';
import type { Clock, LogReader } from '../../shared/ports.ts';
import { SlidingWindow } from '../../shared/sliding-window.ts';

/** The part of the quota that each leaves to those before it. */
const spareShares: Readonly<Record<LogReader, number>> = {
  question: 0,
  // They say why a job failed; whoever follows it asks again.
  last_lines: 0.05,
  progress: 0.15,
};

export class LogQuota {
  private readonly perMinute: number;
  private readonly clock: Pick<Clock, 'now'>;
  private readonly windows = new Map<string, SlidingWindow>();

  constructor(perMinute: number, clock: Pick<Clock, 'now'>) {
    this.perMinute = perMinute;
    this.clock = clock;
  }

  /** One read. @throws {CloudError} when nothing is left for such a reader: it says when to come back */
  take(project: string, reader: LogReader): void {
    const window = this.windowOf(project);
    const now = this.clock.now().getTime();
    if (window.waitMs(now, this.spareOf(reader)) > 0) throw this.refused(project, reader);
    window.take(now);
  }

  refused(project: string, reader: LogReader): CloudError {
    const now = this.clock.now().getTime();
    const seconds = Math.ceil(this.windowOf(project).waitMs(now, this.spareOf(reader)) / 1_000);
    return new CloudError('entries.list', 'the reads of this minute are used up', {
      status: 429,
      retryable: true,
      ambiguous: false,
      rateLimited: true,
      retryAfterSeconds: Math.max(1, seconds),
    });
  }

  private spareOf(reader: LogReader): number {
    return Math.floor(this.perMinute * spareShares[reader]);
  }

  private windowOf(project: string): SlidingWindow {
    const known = this.windows.get(project) ?? new SlidingWindow(this.perMinute, 60_000);
    this.windows.set(project, known);
    return known;
  }
}
