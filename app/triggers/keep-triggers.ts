/**
 * One look at one repository's triggers: its id in, the triggers brought to what the default branch declares,
 * and shown there if anything was done or went wrong. Level-triggered: a push, an installation, a timer and a
 * command all call it; it does not matter which or how often. A trigger's name is unique in its place, so an
 * attempt whose answer was lost is found by the next look and not repeated.
 */
import { repoConfigPath } from '../../shared/config/repo-config.ts';
import { CloudError } from '../../shared/errors.ts';
import type { Octokit } from '../../shared/github/client.ts';
import { readTextFile } from '../../shared/github/contents.ts';
import { getBranchHead } from '../../shared/github/repositories.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import type { TriggerPorts } from '../../shared/ports.ts';
import type { TriggerStep, WrittenTrigger } from '../../shared/triggers/diff-triggers.ts';
import { newReference } from '../log.ts';
import { appendEvent } from '../store/events.ts';
import type { ShownCheck } from '../store/tables.ts';
import {
  forgetGoneTriggers,
  forgetUnlessAsked,
  leaseTriggers,
  recordTrigger,
  removeTrigger,
  returnTriggers,
  type HeldTriggers,
} from '../store/triggers.ts';
import { installedNow } from '../webhooks/installed-now.ts';
import type { TriggersContext, TriggersSubject } from './context.ts';
import { asRefusal, planTriggers, type NoTriggers, type TriggersPlan } from './plan-triggers.ts';
import {
  checkOfApplied,
  checkOfFailure,
  checkOfRefusal,
  showCheck,
  type TriggersCheck,
} from './triggers-check.ts';

/** Longer than applying a hundred triggers takes; a crashed process's repository is free again after it. */
const leaseMs = 5 * 60_000;
const hourMs = 3_600_000;
const firstBackoffMs = 30_000;
/** Looks that fail in a row before people hear of it: two minutes or so. */
const maxQuietFailures = 2;

export interface AppliedStep {
  readonly step: TriggerStep;
  /** What the service said against it, for people. */
  readonly failure?: string;
}

export type KeptTriggers =
  | {
      readonly kind: 'applied';
      readonly steps: readonly AppliedStep[];
      readonly notes: readonly string[];
    }
  | NoTriggers
  | Refusal
  | { readonly kind: 'busy' }
  /** For the log; nobody else is told more. */
  | { readonly kind: 'failed'; readonly reference: string };

/** Does not throw. */
export async function keepTriggers(
  repositoryId: number,
  context: TriggersContext,
): Promise<KeptTriggers> {
  const { db, clock, incarnation: holder } = context;
  const now = clock.now();
  const until = new Date(now.getTime() + leaseMs);
  const held = await leaseTriggers(db, repositoryId, { holder, now, until });
  if (held === undefined) return { kind: 'busy' };
  const { outcome, shown } = await look(held, context);
  const failed =
    outcome.kind === 'failed' ||
    (outcome.kind === 'applied' && outcome.steps.some(({ failure }) => failure !== undefined));
  const failures = failed ? held.failures + 1 : 0;
  const waitMs = failed
    ? Math.min(hourMs, firstBackoffMs * 2 ** Math.min(failures - 1, 10))
    : hourMs;
  const retryAt = Date.parse(shown?.pending === undefined ? '' : (shown.published.retryAt ?? ''));
  const lookAt = new Date(Math.min(clock.now().getTime() + waitMs, retryAt || Infinity));
  await returnTriggers(db, held, { holder, lookAt, failures, shown });
  return outcome;
}

async function look(
  held: HeldTriggers,
  context: TriggersContext,
): Promise<{ readonly outcome: KeptTriggers; readonly shown: ShownCheck | undefined }> {
  const { db, log } = context;
  const octokitFor = (id: number): Octokit => context.octokitFor(id, 'state');
  const octokit = octokitFor(held.installationId);
  const subject: TriggersSubject = { repository: held, octokit };
  let headSha: string | undefined;
  let isDeclared = false;
  let outcome: KeptTriggers;
  try {
    // What would have told that the App was removed may be lost, and anybody may read a public repository.
    const found = await installedNow(held.id, [held], { ...context, octokitFor });
    if (found?.installationId !== held.installationId) {
      await forgetUnlessAsked(db, held);
      return { outcome: { kind: 'undeclared' }, shown: held.shown };
    }
    headSha = await getBranchHead(octokit, held, found.state.defaultBranch);
    const text = await readTextFile(octokit, held, repoConfigPath, headSha);
    isDeclared = text?.includes('triggers') === true;
    const planned = await planTriggers({ ...subject, headSha }, text, context).catch(asRefusal);
    outcome =
      planned.kind === 'planned'
        ? {
            kind: 'applied',
            steps: await applySteps(planned, held, context),
            notes: planned.notes,
          }
        : planned;
  } catch (error) {
    const reference = newReference();
    log.error({ err: error, reference, repository: held.id }, 'triggers could not be looked at');
    outcome = { kind: 'failed', reference };
  }
  // An outage that passes is nobody's news, least of all where no trigger is declared.
  const isQuiet = outcome.kind === 'failed' && (!isDeclared || held.failures < maxQuietFailures);
  const shown = isQuiet ? held.shown : await show(outcome, headSha, subject, held, context);
  return { outcome, shown };
}

async function applySteps(
  { steps, project, actual }: TriggersPlan,
  { id: repositoryId }: HeldTriggers,
  context: TriggersContext,
): Promise<readonly AppliedStep[]> {
  const there = actual.flatMap(({ trigger: { id } }) => (id === undefined ? [] : [id]));
  await forgetGoneTriggers(context.db, repositoryId, there);
  const ports = context.launchers.ofRepository(repositoryId);
  if (ports === undefined) throw new Error('a plan was made for a repository without a launcher');
  const applied: AppliedStep[] = [];
  for (const step of steps) {
    try {
      await applyStep(step, project, repositoryId, ports, context);
      applied.push({ step });
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      context.log.warn({ err: error, repository: repositoryId }, 'a trigger could not be changed');
      applied.push({ step, failure: error.message });
    }
  }
  return applied;
}

async function applyStep(
  step: TriggerStep,
  project: string,
  repositoryId: number,
  { triggers }: Pick<TriggerPorts, 'triggers'>,
  { db, clock }: TriggersContext,
): Promise<void> {
  const record = async (
    place: { readonly region: string; readonly id: string; readonly name: string },
    written?: WrittenTrigger,
  ): Promise<void> => recordTrigger(db, { project, repositoryId, ...place }, written);
  const audit = async (
    kind: 'trigger_created' | 'trigger_updated' | 'trigger_deleted',
    detail: Readonly<Record<string, unknown>>,
  ): Promise<void> =>
    appendEvent(db, clock.now(), { kind, repositoryId, detail: { project, ...detail } });
  switch (step.do) {
    case 'create': {
      const { region, trigger } = step.request;
      const answered = await triggers.create(step.request);
      const { id } = answered;
      if (id === undefined) throw new Error('the service created a trigger without an id');
      await record({ region, id, name: step.name }, { sent: trigger, answered });
      return audit('trigger_created', { region, id, name: step.name, trigger });
    }
    case 'update': {
      const { name, id, request, updateMask, changes } = step;
      const answered = await triggers.update({ ...request, id, updateMask });
      await record({ region: request.region, id, name }, { sent: request.trigger, answered });
      return audit('trigger_updated', { region: request.region, id, name, changes });
    }
    case 'delete': {
      const { region, id, name } = step;
      await triggers.remove({ project, region, id });
      await removeTrigger(db, { project, region, id });
      return audit('trigger_deleted', { region, id, name });
    }
    case 'unchanged':
      return record(step);
    case 'leave':
    case 'blocked':
      return;
  }
}

/** A commit at which nothing was done and nothing went wrong has no check. */
async function show(
  outcome: KeptTriggers,
  headSha: string | undefined,
  subject: TriggersSubject,
  { shown }: HeldTriggers,
  context: TriggersContext,
): Promise<ShownCheck | undefined> {
  const news = headSha === undefined ? undefined : newsOf(outcome, headSha, shown);
  const check = news?.check ?? shown?.pending;
  const at = news === undefined ? shown?.headSha : headSha;
  if (check === undefined || at === undefined) return shown;
  const known = shown?.headSha === at ? shown.published : {};
  const published = await showCheck(known, check, { ...subject, headSha: at }, context);
  const isTaken = published.retryAt === undefined;
  return { headSha: at, published, ...(isTaken ? {} : { pending: check }) };
}

function newsOf(
  outcome: KeptTriggers,
  headSha: string,
  shown: ShownCheck | undefined,
): { readonly check: TriggersCheck } | undefined {
  switch (outcome.kind) {
    case 'applied': {
      // What was wrong at this commit and is mended since is said too; what was done at it stays said.
      const isMended = shown?.headSha === headSha && shown.published.phase === 'failure';
      const isNews = isMended || outcome.steps.some(isWorthSaying);
      return isNews ? { check: checkOfApplied(outcome.steps, outcome.notes) } : undefined;
    }
    case 'rejected':
      return { check: checkOfRefusal(outcome) };
    case 'failed':
      return { check: checkOfFailure(outcome.reference) };
    case 'undeclared':
    case 'busy':
      return undefined;
  }
}

function isWorthSaying({ step, failure }: AppliedStep): boolean {
  return failure !== undefined || ['create', 'update', 'delete', 'blocked'].includes(step.do);
}
