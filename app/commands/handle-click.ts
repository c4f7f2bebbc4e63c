/**
 * A click on one of a run's buttons in; the command that the button stands for performed, as if the person
 * had typed it. A click has no more rights than a comment: who clicked, on which of our runs, and whether
 * they may is found out anew.
 */
import { createHash } from 'node:crypto';
import { parseCommands } from '../../shared/command/parse.ts';
import type { RepositoryName } from '../../shared/github/client.ts';
import { getPermission } from '../../shared/github/pulls.ts';
import type { Run } from '../../shared/watch/run.ts';
import { newestRunOfCommit, runOfRepository } from '../store/runs.ts';
import { inComment } from './answer.ts';
import { cancelRun } from './cancel.ts';
import { carryOut } from './carry-out.ts';
import { perform } from './perform.ts';
import type { CommandContext, Outcome, Tell } from './request.ts';

/** A button, or GitHub's own Re-run of one check or of all checks of a commit. */
export type Clicked =
  | { readonly kind: 'button'; readonly identifier: string; readonly runId: string }
  | { readonly kind: 'rerun'; readonly runId: string }
  | { readonly kind: 'rerun_all'; readonly headSha: string };

export interface Click {
  readonly clicked: Clicked;
  readonly actor: { readonly id: number; readonly login: string };
  readonly repository: RepositoryName & { readonly id: number };
  readonly installationId: number;
  /** What GitHub signed: the same bytes are the same click, under whatever delivery id they come. */
  readonly body: Uint8Array;
  readonly receivedAt: Date;
  readonly attempt: number;
}

/** @throws {CloudError} when GitHub does not answer and another attempt makes sense */
export async function handleClick(click: Click, context: CommandContext): Promise<void> {
  const run = await clickedRun(click, context);
  if (run === undefined) return;
  const { actor, repository, installationId, receivedAt, attempt } = click;
  const { pullNumber } = run.plan.subject;
  const text = commandOf(click.clicked, run.plan.runId);
  const [line] = text === undefined ? [] : parseCommands(text);
  if (line?.kind !== 'command') return;
  const { command } = line;
  // There is nowhere to answer the others.
  if (pullNumber === undefined && command.kind !== 'cancel') return;
  const permission = await getPermission(context.octokit, repository, actor);
  const request = {
    actor,
    repository,
    installationId,
    attempt,
    permission,
    pullNumber,
    key: { repositoryId: repository.id, origin: originOf(click) },
    text: line.text,
    react: () => Promise.resolve(),
  };
  if (pullNumber === undefined)
    return perform(request, context, () => cancelRun(run, request, context), silently);
  // A click has no time of its own; one that GitHub could not deliver is not asked for again.
  const ofPull = { ...request, pullNumber, receivedAt, askedAt: receivedAt };
  const decide = (): Outcome | Promise<Outcome> => carryOut(command, ofPull, context);
  await perform(ofPull, context, decide, inComment(ofPull, context));
}

/** The check shows what becomes of its run. */
const silently: Tell = () => Promise.resolve();

/** Only a run of that very repository; a check's external id is text that others could have written. */
function clickedRun(
  { clicked, repository }: Click,
  { db }: CommandContext,
): Promise<Run | undefined> {
  return clicked.kind === 'rerun_all'
    ? newestRunOfCommit(db, repository.id, clicked.headSha)
    : runOfRepository(db, repository.id, clicked.runId);
}

function commandOf(clicked: Clicked, runId: string): string | undefined {
  if (clicked.kind !== 'button') return `/retry ${runId}`;
  const { identifier } = clicked;
  return ['cancel', 'retry', 'logs'].includes(identifier) ? `/${identifier} ${runId}` : undefined;
}

/**
 * The same person's second click on an unchanged check is the first one's: its bytes are the same. All checks of a
 * commit have no run of their own: the newest one is another one once the click has made it.
 */
function originOf({ clicked, body }: Click): string {
  const what = clicked.kind === 'button' ? clicked.identifier : 'rerun';
  const on = clicked.kind === 'rerun_all' ? clicked.headSha : clicked.runId;
  const digest = createHash('sha256').update(body).digest('hex');
  return `click/${on}/${what}/${digest.slice(0, 32)}`;
}
