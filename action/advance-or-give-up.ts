/**
 * `advance`, given up when the workflow is cancelled before anything was started: reading a large context or
 * sending it takes longer than the ten seconds that GitHub leaves a cancelled step.
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
 */
import { advance, type AdvanceOptions, type RunPorts } from '../shared/flow.ts';
import type { Run } from '../shared/watch/run.ts';
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
  const save = async (saved: Run): Promise<void> => {
    if (isGivenUp) throw new Error('the workflow was cancelled meanwhile');
    latest = saved;
    await ports.save(saved);
  };
  const { promise, resolve } = Promise.withResolvers<Advanced>();
  const giveUp = (): void => {
    // What has begun to cost is seen to its end.
    if (startedBy(latest) !== undefined) return;
    isGivenUp = true;
    resolve({ run: latest, waitMs: 0 });
  };
  interrupt.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([promise, advance(run, { ...ports, save }, options)]);
  } finally {
    interrupt.removeEventListener('abort', giveUp);
  }
}
