/**
 * The story of a training run, in the order in which it happens. Start reading here.
 *
 *   comment / workflow inputs
 *     → parseCommands     text → Command                      command/parse.ts
 *     → decide            facts + policy → Decision           policy/decide.ts
 *     → planRun           Decision + config → Plan            plan/plan-run.ts
 *     → advance           (Run, the world) → Run, until done  here: nextStep + takeStep
 *         nextStep          Run → Step                        watch/next-step.ts
 *         takeStep          one Step through the ports        launch/take-step.ts
 *         readMetricsFiles  files → Metrics                   metrics/read-metrics.ts
 *     → renderCard        Run → Markdown                      report/render-card.ts
 *       renderCheck       Run → check output                  report/render-check.ts
 *
 * The Action and the App are two shells around these calls. A dry run stops after `planRun`.
 */
import { CloudError } from './errors.ts';
import type { Strange } from './launch/adopt.ts';
import type { ResourceMac } from './launch/resource-mac.ts';
import { takeStep } from './launch/take-step.ts';
import type { Plan } from './plan/plan.ts';
import type { Clock, CloudPorts, Source } from './ports.ts';
import type { Classification } from './watch/classify.ts';
import { isBehind, type LogCursor } from './watch/log-cursor.ts';
import { nextStep } from './watch/next-step.ts';
import type { Run } from './watch/run.ts';

export { newLogCursor, type LogCursor } from './watch/log-cursor.ts';

/** What `advance` needs of the world. */
export interface RunPorts extends CloudPorts {
  readonly clock: Clock;
  /** Keep one per run for as long as the process lives, so that no log line is given twice. */
  readonly logCursor: LogCursor;
  /** In [0, 1): spreads those who were refused together; `Math.random` unless told. */
  random?(): number;
  /** Opens the pinned commit's files; called when the image is to be built. */
  source(): Promise<Source>;
  /** Marks what is created and tells it from what others have labelled; undefined where there is no secret. */
  readonly mac?: ResourceMac;
  /** Told of resources that carry the run's label and are not the run's: left alone. */
  strangers?(found: readonly Strange[]): void;
  /** Told of a second job or build of the run that could not be cancelled: the run goes on with its first. */
  extraLeft?(name: string, error: CloudError): void;
  /** Why the run may not launch anything any more; undefined: it may. Asked for when its command is old. */
  whyNotAllowed?(run: Run): Promise<Classification | undefined>;
  /** Stores the run. Must be durable before it resolves: the next step may cost money. */
  save(run: Run): Promise<void>;
  /** New whole lines of the build's or job's log: hostile text. */
  log?(lines: readonly string[], stream: 'build' | 'job'): void;
  /** The log may not be read, for good; the run goes on without it. */
  logRefused?(error: CloudError, stream: 'build' | 'job'): void;
}

export interface AdvanceOptions {
  /** How long a created resource may be missing from Google's lists. */
  readonly settleMs: number;
  /** How long to wait between looks. */
  readonly pollMs: number;
  /** `image`: the run has what it is for once its image is known; nothing is launched. */
  readonly until?: 'image' | 'end';
  /** How long after a job's end its last log lines may still arrive; 20,000 unless told. */
  readonly drainMs?: number;
}

/** Cloud Logging shows lines late, and the last ones are those that say why a job failed. */
const defaultDrainMs = 20_000;

/** A new run of a plan, with nothing done yet. */
export function startRun(plan: Plan, now: Date): Run {
  return { plan, createdAt: now.toISOString() };
}

/**
 * Does everything that can be done for the run now, storing it after each change, and says in how many
 * milliseconds to call again; `waitMs` undefined means that the run has ended. Safe to call at any time,
 * by any process that holds the run, after any crash. To cancel, set `run.cancel` and call it.
 *
 * A look at the world that fails in passing (429, 5xx, reset) is not an error: the run waits.
 * @throws {CloudError} when a read is refused for good, and whatever `save` throws.
 */
export async function advance(
  run: Run,
  ports: RunPorts,
  options: AdvanceOptions,
): Promise<{ readonly run: Run; readonly waitMs: number | undefined }> {
  const taken = new Set<string>();
  for (;;) {
    if (options.until === 'image' && run.image !== undefined) return { run, waitMs: undefined };
    const step = nextStep(run, {
      ...options,
      drainMs: options.drainMs ?? defaultDrainMs,
      now: ports.clock.now(),
      logIsBehind: isBehind(ports.logCursor),
      taken,
    });
    if (step.do === 'done') return { run, waitMs: undefined };
    if (step.do === 'wait') return { run, waitMs: step.ms };
    taken.add('what' in step ? `${step.do} ${step.what}` : step.do);
    try {
      const next = await takeStep(step, run, ports);
      // Most looks find nothing new, and there is nothing to store then.
      if (JSON.stringify(next) !== JSON.stringify(run)) await ports.save(next);
      run = next;
    } catch (error) {
      if (!(error instanceof CloudError) || !error.retryable) throw error;
      const waitMs = Math.max(options.pollMs, (error.retryAfterSeconds ?? 0) * 1_000);
      return { run, waitMs };
    }
  }
}
