/** What happens on the pull request while somebody has its page open: a line as a run starts and one as it ends. */
import { setTimeout as pause } from 'node:timers/promises';
import { firstLineOf, hasEnded, isCard, type Comment, type DemoGitHub } from './demo-github.ts';

const lookMs = 1_000;
/** What was changed while it was asked for is asked for again. */
const overlapMs = 10_000;

/** Tells of each run, until the signal; runs that were there before are told of if they go on. */
export async function watchCards(
  github: Pick<DemoGitHub, 'answers'>,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const shown: ShownCards = new Map();
  let since = new Date();
  while (!signal.aborted) {
    const now = Date.now();
    for (const line of newsOf(await github.answers(since), shown)) tell(line);
    since = new Date(now - overlapMs);
    await pause(lookMs, undefined, { signal }).catch(() => undefined);
  }
}

/** By the comment's id. */
export type ShownCards = Map<number, 'started' | 'ended'>;

/** The first lines of cards that are new or have ended since they were shown last. @internal */
export function newsOf(comments: readonly Comment[], shown: ShownCards): readonly string[] {
  return comments.filter(isCard).flatMap((card) => {
    const state = hasEnded(card) ? 'ended' : 'started';
    if (shown.get(card.id) === state || shown.get(card.id) === 'ended') return [];
    shown.set(card.id, state);
    return [firstLineOf(card)];
  });
}
