/**
 * Which webhooks mean something to us: event → its actions; the rest is acknowledged and dropped, our own
 * comments and checks coming back among them. An event without actions has the action ''.
 */
import { z } from 'zod';
import { mayHoldCommands } from '../../shared/command/parse.ts';

const handled: Readonly<Record<string, readonly string[]>> = {
  issue_comment: ['created'],
  pull_request: ['opened', 'reopened', 'synchronize'],
  check_run: ['requested_action', 'rerequested'],
  check_suite: ['rerequested'],
  push: [''],
  installation: ['created', 'deleted', 'suspend', 'unsuspend'],
  installation_repositories: ['added', 'removed'],
  repository: ['transferred', 'archived', 'deleted'],
};

const commentSchema = z.object({ comment: z.object({ body: z.string() }) });

export function isHandledEvent(event: string): boolean {
  return Object.hasOwn(handled, event);
}

/** @param payload a delivery's parsed body */
export function isHandled(event: string, payload: unknown): boolean {
  const given: unknown =
    typeof payload === 'object' && payload !== null && 'action' in payload ? payload.action : '';
  return isHandledEvent(event) && (handled[event] ?? []).some((action) => action === given);
}

/**
 * False for a comment that holds no command, as most do: it is kept like every delivery, and that is all.
 * @param payload a delivery's parsed body
 */
export function asksForSomething(event: string, payload: unknown): boolean {
  const comment = commentSchema.safeParse(event === 'issue_comment' ? payload : undefined);
  return !comment.success || mayHoldCommands(comment.data.comment.body);
}

/**
 * What is asked for again when it could not be delivered. A click is not: nobody can tell how long ago it
 * was, and who has seen nothing happen clicks again.
 */
export function isAskedForAgain(event: string): boolean {
  return isHandledEvent(event) && event !== 'check_run' && event !== 'check_suite';
}
