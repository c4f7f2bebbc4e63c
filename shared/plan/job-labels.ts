/** What a job says of itself in labels, and a build in tags, so that it can be told whose it is without any record. */
import type { Plan, Subject } from './plan.ts';

export const repositoryLabel = 'trainyard-repository';
export const shaLabel = 'trainyard-sha';
export const tierLabel = 'trainyard-tier';
/** The pull request's number. */
export const pullLabel = 'trainyard-pr';
/** Who asked for it, by id and login. Believed only where the mark covers it, as is the next one. */
const askerLabel = 'trainyard-asker';
/** Its commit's summary check shows it. */
export const summaryLabel = 'trainyard-summary';

/** What is on record of a run beside its job, so that it is not lost with the record. */
export function recordLabels({
  subject: { requestedBy },
  summary,
}: Pick<Plan, 'subject' | 'summary'>): Readonly<Record<string, string>> {
  return {
    [askerLabel]: labelValue(`${requestedBy.id}-${requestedBy.login}`),
    ...(summary === true ? { [summaryLabel]: 'true' } : {}),
  };
}

/** Of a job's labels those of `recordLabels`, which the mark covers where they are there. */
export function recordLabelsIn(
  labels: Readonly<Record<string, string>>,
): readonly (readonly [string, string])[] {
  return [askerLabel, summaryLabel].flatMap((key) => {
    const value = labels[key];
    return value === undefined ? [] : [[key, value] as const];
  });
}

/** Undefined where nobody is named. The login is written in small letters, which GitHub takes for the same. */
export function askerIn(
  labels: Readonly<Record<string, string>>,
): Subject['requestedBy'] | undefined {
  const [, id, login = ''] = /^([1-9]\d{0,15})-(.*)$/.exec(labels[askerLabel] ?? '') ?? [];
  return id === undefined ? undefined : { id: Number(id), login };
}

/** Labels hold lower-case letters, digits, `_` and `-`, at most 63 of them. */
export function labelValue(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '-')
    .slice(0, 63);
}
