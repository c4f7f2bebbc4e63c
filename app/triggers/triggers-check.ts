/** The check `trainyard/triggers`: what was done about a commit's declaration, or what a pull request's would do. */
import { ownCheck } from '../../shared/github/checks.ts';
import { commitPage } from '../../shared/github/pages.ts';
import { publishOne, type Published } from '../../shared/github/publish-one.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import { fit } from '../../shared/report/fit.ts';
import { codeSpan, escapeText, sentence } from '../../shared/report/markdown.ts';
import type { TriggerStep } from '../../shared/triggers/diff-triggers.ts';
import { planTitle, renderNotes, renderPlan } from '../../shared/triggers/render-triggers.ts';
import type { TriggersContext, TriggersSubject } from './context.ts';
import type { AppliedStep } from './keep-triggers.ts';

const triggersCheckName = 'trainyard/triggers';

/** Plain JSON: kept until GitHub has taken it. */
export interface TriggersCheck {
  readonly conclusion: 'success' | 'failure' | 'neutral';
  readonly title: string;
  readonly summary: string;
}

/** More than anybody reads. */
const maxRefusals = 30;

export function checkOfApplied(
  steps: readonly AppliedStep[],
  notes: readonly string[],
): TriggersCheck {
  const failed = steps.filter(({ failure }) => failure !== undefined);
  const isBlocked = steps.some(({ step }) => step.do === 'blocked');
  const done = steps.filter(({ failure }) => failure === undefined).map(({ step }) => step);
  const lines = failed.map(
    ({ step, failure = '' }) => `- **Refused** ${codeSpan(step.name)}: ${escapeText(failure)}`,
  );
  const title =
    failed.length === 0 ? appliedTitle(done) : `${failed.length} refused by Cloud Build`;
  return {
    conclusion: failed.length > 0 || isBlocked ? 'failure' : 'success',
    title,
    summary: fit([
      { text: lines.slice(0, maxRefusals).join('\n') },
      { text: renderPlan(done, { applied: true }), leaveOut: 1 },
      { text: renderNotes(notes), leaveOut: 2 },
    ]),
  };
}

function appliedTitle(steps: readonly TriggerStep[]): string {
  return planTitle(steps)
    .replace('to create', 'created')
    .replace('to change', 'changed')
    .replace('to delete', 'deleted');
}

export function checkOfPlan(
  steps: readonly TriggerStep[],
  notes: readonly string[],
): TriggersCheck {
  const isBlocked = steps.some((step) => step.do === 'blocked');
  return {
    conclusion: isBlocked ? 'failure' : 'success',
    title: planTitle(steps),
    summary: fit([
      { text: 'When this is merged:' },
      { text: renderPlan(steps, { applied: false }), leaveOut: 1 },
      { text: renderNotes(notes), leaveOut: 2 },
    ]),
  };
}

export function checkOfRefusal({ message, fix }: Refusal): TriggersCheck {
  return {
    conclusion: 'failure',
    title: 'The declaration is wrong',
    summary: `${sentence(message, 2_000)}\n\n${sentence(fix)}`,
  };
}

export function checkOfFailure(reference: string): TriggersCheck {
  return {
    conclusion: 'failure',
    title: 'The triggers could not be looked at',
    summary:
      'GitHub or Cloud Build did not answer as it should. This is tried again by itself; ' +
      `whoever runs Trainyard finds the cause under the reference \`${reference}\`.`,
  };
}

/** Nothing that was declared is wrong, and that is all that is said. */
export const validDeclaration: TriggersCheck = {
  conclusion: 'success',
  title: 'The triggers are well declared',
  summary:
    'This pull request comes from a fork, so what Cloud Build has is not shown here. ' +
    '`/trigger apply dry-run` on a branch of this repository shows what would change.',
};

/** Creates or edits the commit's one check. Does not throw: a failure is remembered in what is returned. */
export async function showCheck(
  known: Published,
  check: TriggersCheck,
  { octokit, repository, headSha }: TriggersSubject & { readonly headSha: string },
  { appId, githubUrl, clock, log }: Pick<TriggersContext, 'appId' | 'githubUrl' | 'clock' | 'log'>,
): Promise<Published> {
  const now = clock.now();
  const at = now.toISOString();
  const detailsUrl = commitPage({ githubUrl, ...repository }, headSha);
  const content = {
    ...check,
    status: 'completed' as const,
    startedAt: at,
    completedAt: at,
    detailsUrl,
  };
  const externalId = `triggers/${headSha}`;
  const where = { ...repository, headSha, name: triggersCheckName, externalId, appId };
  return publishOne(
    // It is complete each time, and may still have to say something else.
    { ...known, closed: false },
    // When it was completed is no news.
    { ...ownCheck(octokit, where, content), text: JSON.stringify(check) },
    {
      now,
      phase: check.conclusion,
      ended: true,
      intervalMs: 0,
      onFailure: (error) => {
        log.warn({ err: error, repository: repository.id }, 'GitHub did not take a check');
      },
    },
  );
}
