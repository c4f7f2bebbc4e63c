/**
 * Drives one run from its Plan to its end on a runner: the loop around `advance`, the log, the state for
 * the post step, and what an interrupted workflow leaves time for.
 */
import { advance, newLogCursor, startRun, type RunPorts } from '../shared/flow.ts';
import type { GooglePorts } from '../shared/google/index.ts';
import type { Plan } from '../shared/plan/plan.ts';
import type { Clock, Source } from '../shared/ports.ts';
import { firstLine } from '../shared/report/headline.ts';
import type { Run } from '../shared/watch/run.ts';
import { milestones } from './milestones.ts';
import type { Trouble } from './trouble.ts';
import { LogPrinter, type Runner } from './runner.ts';
import { cancelStarted, startedBy, startedState } from './started.ts';

export interface FollowOptions {
  readonly pollMs: number;
  readonly settleMs: number;
  /** How long after the job's end its last log lines may still arrive. */
  readonly drainMs: number;
  /** Follow to the end, or only until the job is launched. */
  readonly wait: boolean;
  /** `image`: the run's job is not wanted, only what is built for it. */
  readonly until: 'image' | 'end';
  readonly cancelOnInterrupt: boolean;
}

export interface FollowPorts {
  readonly google: GooglePorts;
  readonly clock: Clock;
  readonly runner: Runner;
  readonly source: Source;
  readonly trouble: Trouble;
  /** Aborted when the runner asks us to stop. */
  readonly interrupt: AbortSignal;
}

/** Of the 10 s that a cancelled workflow leaves us, what goes into waiting for the cancellation. */
const cancelBudgetMs = 5_000;

/** A log that is silent for longer looks dead: the card's first line then says how far the run is. */
const maxSilenceMs = 60_000;

/**
 * Follows the run until it ends, or until nothing more is wanted of it; then `run.end` is undefined.
 * Whatever goes wrong on the way, nothing that was started is left running.
 */
export async function follow(plan: Plan, ports: FollowPorts, options: FollowOptions): Promise<Run> {
  const { clock, runner } = ports;
  const log = new LogPrinter(runner, clock);
  const announce = announcer(log);
  const remember = rememberer(runner);
  let run = startRun(plan, clock.now());
  let latest = run;
  const runPorts: RunPorts = {
    ...ports.google,
    clock,
    logCursor: newLogCursor(),
    source: () => Promise.resolve(ports.source),
    save: (saved) => {
      latest = saved;
      remember(saved);
      announce(saved);
      return Promise.resolve();
    },
    log: (lines, stream) => log.lines(stream === 'build' ? 'Build log' : 'Job log', lines),
  };
  const { pollMs, settleMs, drainMs, until } = options;
  const advanceOptions = { pollMs, settleMs, drainMs, until };
  let deadline = Infinity;
  announce(run);
  try {
    for (;;) {
      if (ports.interrupt.aborted && run.cancel === undefined) {
        if (!options.cancelOnInterrupt) break;
        run = withCancel(run, clock.now());
        announce(run);
        deadline = clock.now().getTime() + cancelBudgetMs;
      }
      const { run: next, waitMs } = await advance(run, runPorts, advanceOptions);
      run = next;
      if (waitMs !== undefined && startedBy(run) === undefined) ports.trouble.giveUpIfLasting();
      if (waitMs === undefined || isEnough(run, options)) break;
      if (clock.now().getTime() >= deadline) break;
      if (log.silentMs >= maxSilenceMs) log.event(firstLine(run, { now: clock.now() }));
      if (run.cancel === undefined) await clock.sleep(waitMs, ports.interrupt);
      else await clock.sleep(Math.min(waitMs, 1_000));
    }
  } catch (error) {
    log.close();
    await abandon(latest, ports);
    throw error;
  }
  log.close();
  forget(runner, run, options);
  return run;
}

function isEnough(run: Run, options: FollowOptions): boolean {
  if (options.until === 'image') return run.image !== undefined;
  return !options.wait && run.job?.name !== undefined;
}

function withCancel(run: Run, now: Date): Run {
  return { ...run, cancel: { at: now.toISOString(), by: 'the workflow run' } };
}

/** Prints each milestone once. */
function announcer(log: LogPrinter): (run: Run) => void {
  const printed = new Set<string>();
  return (run) => {
    for (const line of milestones(run)) {
      if (printed.has(line)) continue;
      printed.add(line);
      log.event(line);
    }
  };
}

/** Each saved value is appended to a file, so only what is new is saved: a run may be looked at for a week. */
function rememberer(runner: Runner): (run: Run) => void {
  let saved = '';
  return (run) => {
    const started = startedBy(run);
    const state = started === undefined ? '' : JSON.stringify(started);
    if (state === saved) return;
    saved = state;
    runner.saveState(startedState, state);
  };
}

/** A job that is meant to outlive the step is not the post step's to cancel. */
function forget(runner: Runner, run: Run, options: FollowOptions): void {
  const meantToGoOn = run.cancel === undefined && (run.end !== undefined || isEnough(run, options));
  const detached = run.cancel === undefined && !options.cancelOnInterrupt;
  if (meantToGoOn || detached) runner.saveState(startedState, '');
}

async function abandon(run: Run, { google, runner, clock }: FollowPorts): Promise<void> {
  const started = startedBy(run);
  if (started === undefined) return;
  const results = await cancelStarted(started, google, clock);
  for (const { line, failed } of results) {
    if (failed) runner.warning(line);
    else runner.info(line);
  }
  if (!results.some(({ failed }) => failed)) runner.saveState(startedState, '');
}
