/** An error that ended the step in, the sentences for its log out. Pure. */
import { CloudError, UserError } from '../shared/errors.ts';
import { knownError } from '../shared/watch/known-errors.ts';
import { sentences } from './workflow-words.ts';

/** The log is the repository's own: a bug may show itself there. */
export function explain(error: unknown): string {
  if (error instanceof UserError) return sentences(error.message, error.fix);
  if (error instanceof CloudError) {
    const status = error.status === 0 ? '' : ` (HTTP ${error.status})`;
    return sentences(
      `Google Cloud refused ${error.operation}${status}: ${error.message}`,
      knownError(error.message)?.fix,
    );
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `Unexpected error, please report it: ${text}`;
}
