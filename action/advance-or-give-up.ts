/**
 * `advance`, given up when the workflow is cancelled before anything was started: reading a large context or
 * sending it takes longer than the ten seconds that GitHub leaves a cancelled step.
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
 */
import { advance, type AdvanceOptions, type RunPorts } from '../shared/flow.ts';
import { postponementOf, type Run, type Tracked } from '../shared/watch/run.ts';
import { startedBy } from './started.ts';

type Advanced = Awaited<ReturnType<typeof advance>>;

/** What is given up can store nothing any more, and so buys nothing: its intent comes first. */
export async function advanceOrGiveUp(
  run: Run,
  ports: RunPorts,
  options: AdvanceOptions,
  interrupt: AbortSignal,
): Promise<Advanced> {
  if (interrupt.aborted) return advance(run, ports, options);
  let latest = run;
  let isGivenUp = false;
  const { promise, resolve } = Promise.withResolvers<Advanced>();
  const giveUp = (): void => {
    isGivenUp = true;
    resolve({ run: latest, waitMs: 0 });
  };
  const save = async (saved: Run): Promise<void> => {
    // A build that has just made its image, or a region that had no machine, is followed by another launch.
    if (interrupt.aborted && isAboutToLaunch(saved)) giveUp();
    if (isGivenUp) throw new Error('the workflow was cancelled meanwhile');
    latest = saved;
    await ports.save(saved);
  };
  const interrupted = (): void => {
    // What has begun to cost is seen to its end.
    if (startedBy(latest) === undefined) giveUp();
  };
  interrupt.addEventListener('abort', interrupted, { once: true });
  try {
    return await Promise.race([promise, advance(run, { ...ports, save }, options)]);
  } finally {
    interrupt.removeEventListener('abort', interrupted);
  }
}

/** True between an intent and the request that it is stored for. */
function isAboutToLaunch({ build, job }: Run): boolean {
  return [build, job].some((tracked) => tracked !== undefined && isOnlyMeant(tracked));
}

function isOnlyMeant({ name, intent }: Tracked<unknown>): boolean {
  return (
    name === undefined && intent.inDoubtSince === undefined && postponementOf(intent) === undefined
  );
}
