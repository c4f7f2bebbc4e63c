/**
 * Drives one run from its start, or from where it is, to its end on a runner: the loop around `advance`, the log, the state for
 * the post step, and what an interrupted workflow leaves time for.
 */
import type { CloudError } from '../shared/errors.ts';
import { advance, newLogCursor, type RunPorts } from '../shared/flow.ts';
import type { Clock, CloudPorts, Source } from '../shared/ports.ts';
import { firstLine } from '../shared/report/headline.ts';
import type { Run } from '../shared/watch/run.ts';
import { formatDuration } from '../shared/units.ts';
import { advanceOrGiveUp } from './advance-or-give-up.ts';
import { milestones } from './milestones.ts';
import type { Trouble } from './trouble.ts';
import { LogPrinter, type Runner } from './runner.ts';
import { sentences } from './workflow-words.ts';
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
  /** After so long the step leaves a job to itself; undefined never does. */
  readonly detachAfterMs?: number;
  /** The run was there before the step, so what goes wrong here is no reason to end it. */
  readonly attached?: boolean;
}

interface FollowPorts {
  readonly google: CloudPorts;
  readonly clock: Clock;
  readonly runner: Runner;
  readonly source: () => Promise<Source>;
  readonly trouble: Trouble;
  /** Aborted when the runner asks us to stop. */
  readonly interrupt: AbortSignal;
  /** Told how far the run is, at each look; must neither throw nor take long. */
  readonly show?: (run: Run) => void;
}

/** Of the 10 s that a cancelled workflow leaves us, what goes into waiting for the cancellation. */
const cancelBudgetMs = 5_000;

/** A log that is silent for longer looks dead: the card's first line then says how far the run is. */
const maxSilenceMs = 60_000;

/**
 * Follows the run until it ends, or until nothing more is wanted of it; then `run.end` is undefined.
 * Whatever goes wrong on the way, nothing that the step has started is left running.
 */
export async function follow(start: Run, ports: FollowPorts, options: FollowOptions): Promise<Run> {
  const { clock, runner } = ports;
  const log = new LogPrinter(runner, clock);
  const announce = announcer(log);
  // What is meant to go on without the step is not the post step's to cancel.
  const remember = options.cancelOnInterrupt ? rememberer(runner) : () => undefined;
  let run = start;
  let latest = run;
  const runPorts = portsOf(ports, log, (saved) => {
    latest = saved;
    remember(saved);
    announce(saved);
  });
  const { pollMs, settleMs, drainMs, until } = options;
  const advanceOptions = { pollMs, settleMs, drainMs, until };
  const detachAt = clock.now().getTime() + (options.detachAfterMs ?? Infinity);
  let deadline = Infinity;
  remember(run);
  announce(run);
  try {
    for (;;) {
      if (ports.interrupt.aborted && run.cancel === undefined) {
        if (!options.cancelOnInterrupt) break;
        run = withCancel(run, clock.now());
        announce(run);
        deadline = clock.now().getTime() + cancelBudgetMs;
      }
      const { run: next, waitMs } = options.cancelOnInterrupt
        ? await advanceOrGiveUp(run, runPorts, advanceOptions, ports.interrupt)
        : await advance(run, runPorts, advanceOptions);
      run = next;
      if (waitMs !== undefined && startedBy(run) === undefined) ports.trouble.giveUpIfLasting();
      ports.show?.(run);
      if (waitMs === undefined || isEnough(run, options)) break;
      const now = clock.now().getTime();
      if (now >= deadline) break;
      if (now >= detachAt && canBeLeft(run)) {
        log.event(detached(run, options));
        break;
      }
      if (log.silentMs >= maxSilenceMs) log.event(firstLine(run, { now: clock.now() }));
      if (run.cancel === undefined)
        await clock.sleep(Math.min(waitMs, Math.max(detachAt - now, pollMs)), ports.interrupt);
      else await clock.sleep(Math.min(waitMs, 1_000));
    }
  } catch (error) {
    log.close();
    if (options.attached === true) leave(latest, ports);
    else await abandon(latest, ports);
    throw error;
  }
  log.close();
  if (isMeantToGoOn(run, options, clock.now().getTime() >= detachAt)) {
    runner.saveState(startedState, '');
  }
  return run;
}

function portsOf(
  { google, clock, source, runner }: FollowPorts,
  log: LogPrinter,
  save: (run: Run) => void,
): RunPorts {
  return {
    ...google,
    clock,
    logCursor: newLogCursor(),
    source,
    save: (run) => {
      save(run);
      return Promise.resolve();
    },
    log: (lines, stream) => log.lines(stream === 'build' ? 'Build log' : 'Job log', lines),
    logRefused: refusalReporter(runner),
    extraLeft: (name, error) => runner.warning(extraLeft(name, error)),
  };
}

/** A job has its own end; before it is launched the step is still needed. */
function canBeLeft(run: Run): boolean {
  if (run.cancel !== undefined) return false;
  return run.job?.name !== undefined || run.plan.job.machine.replicas === 0;
}

function detached(run: Run, { detachAfterMs = 0 }: FollowOptions): string {
  const name = run.job?.name ?? run.build?.name ?? '';
  return `The step ends here after ${formatDuration(detachAfterMs / 1_000)}, as \`detach_after\` says. The job goes on; a step with \`command: follow\` and \`job: ${name}\` picks it up.`;
}

/** Following does without a log that may not be read, and says so once. */
function refusalReporter(runner: Runner): NonNullable<RunPorts['logRefused']> {
  const said = new Set<string>();
  return (error, stream) => {
    if (said.has(stream)) return;
    said.add(stream);
    const role = error.operation.startsWith('objects.')
      ? '`roles/storage.objectViewer` on its bucket'
      : '`roles/logging.viewer`';
    runner.warning(
      sentences(
        `the ${stream}'s log cannot be read, so it is missing here: ${error.message}`,
        `Grant the step's account ${role}.`,
      ),
    );
  };
}

/** Nobody comes back to it when the step is over. */
function extraLeft(name: string, { message }: CloudError): string {
  return sentences(
    `${name} is a second one of this run, and could not be cancelled: ${message}`,
    'Cancel it by hand; the run goes on with its first.',
  );
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
function isMeantToGoOn(run: Run, options: FollowOptions, isDetached: boolean): boolean {
  if (run.cancel !== undefined) return false;
  if (run.end !== undefined || isDetached) return true;
  return isEnough(run, options) || !options.cancelOnInterrupt;
}

function leave(run: Run, { runner }: FollowPorts): void {
  const name = run.job?.name ?? run.build?.name ?? 'It';
  if (run.end === undefined) runner.warning(`${name} is left as it is; it may still be running.`);
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
