/** The buttons of a run's check: what can be done about the run now. Their identifiers come back as clicks. */
import { isOver, type Run } from '../watch/run.ts';

/** Each is a command on the check's own run. */
type CheckActionIdentifier = 'cancel' | 'retry' | 'logs';

interface Button {
  readonly label: string;
  readonly description: string;
}

const buttons: Readonly<Record<CheckActionIdentifier, Button>> = {
  cancel: { label: 'Cancel', description: 'Stop the run, its build and its job' },
  retry: { label: 'Retry', description: 'Train the same commit again' },
  logs: { label: 'Logs', description: 'Answer with the last lines of the log' },
};

/** @see https://docs.github.com/en/rest/checks/runs#create-a-check-run for the lengths that GitHub takes */
export function checkActions(
  run: Run,
): readonly (Button & { readonly identifier: CheckActionIdentifier })[] {
  return shownFor(run).map((identifier) => ({ ...buttons[identifier], identifier }));
}

function shownFor(run: Run): readonly CheckActionIdentifier[] {
  const stop: readonly CheckActionIdentifier[] =
    isOver(run) || run.cancel !== undefined ? [] : ['cancel'];
  // The others answer in a pull request.
  if (run.plan.subject.pullNumber === undefined) return stop;
  return isOver(run) ? ['retry', 'logs'] : [...stop, 'logs'];
}
