/** The buttons of a run's check: what can be done about the run now. Their identifiers come back as clicks. */
import { isOver, type Run } from '../watch/run.ts';

/** Each is a command on the check's own run. */
export const checkActionIdentifiers = ['cancel', 'retry', 'logs'] as const;
export type CheckActionIdentifier = (typeof checkActionIdentifiers)[number];

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
  const shown: readonly CheckActionIdentifier[] = isOver(run)
    ? ['retry', 'logs']
    : run.cancel === undefined
      ? ['cancel', 'logs']
      : ['logs'];
  return shown.map((identifier) => ({ ...buttons[identifier], identifier }));
}
