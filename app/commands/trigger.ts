/** `/trigger list | show NAME | run NAME | apply [dry-run]`: what is declared, what is there, and bringing it about. */
import type { TriggerCommand } from '../../shared/command/command.ts';
import { repoConfigPath } from '../../shared/config/repo-config.ts';
import { CloudError } from '../../shared/errors.ts';
import { readTextFile } from '../../shared/github/contents.ts';
import { permissions, type Refusal } from '../../shared/policy/decision.ts';
import { fit } from '../../shared/report/fit.ts';
import { codeSpan, escapeText } from '../../shared/report/markdown.ts';
import { unknownTrigger } from '../../shared/triggers/decide-trigger-run.ts';
import {
  planTitle,
  renderNotes,
  renderPlan,
  renderTrigger,
  renderTriggerList,
} from '../../shared/triggers/render-triggers.ts';
import { askForTriggers } from '../store/triggers.ts';
import { asRefusal, planTriggers, type TriggersPlan } from '../triggers/plan-triggers.ts';
import { runTrigger } from '../triggers/run-trigger.ts';
import { checkOfApplied } from '../triggers/triggers-check.ts';
import { control } from './control.ts';
import type { Answer, CommandContext, CommandRequest } from './request.ts';

export function trigger(
  command: TriggerCommand,
  request: CommandRequest,
  context: CommandContext,
): Promise<Answer> {
  return control(request, context, () => {
    switch (command.action) {
      case 'list':
        return list(request, context);
      case 'show':
        return show(command.name ?? '', request, context);
      case 'run':
        return run(command, request, context);
      case 'apply':
        return command.dryRun ? dryRun(request, context) : apply(request, context);
    }
  });
}

async function list(request: CommandRequest, context: CommandContext): Promise<string | Refusal> {
  const plan = await planNow(request, context);
  return plan.kind === 'rejected'
    ? plan
    : renderTriggerList(plan.declarations.triggers, plan.steps);
}

async function show(
  name: string,
  request: CommandRequest,
  context: CommandContext,
): Promise<string | Refusal> {
  const plan = await planNow(request, context);
  if (plan.kind === 'rejected') return plan;
  // Of what is there only this repository's: the project may have triggers of others.
  const ours = plan.steps.flatMap((step) =>
    step.do === 'create' || step.do === 'blocked' ? [] : [{ name: step.name, id: step.id }],
  );
  const wanted = ours.find((one) => one.name === name);
  const found = plan.actual.find(({ trigger: { id } }) => id !== undefined && id === wanted?.id);
  return found === undefined
    ? unknownTrigger(name, ours)
    : renderTrigger(found.trigger, found.region);
}

async function dryRun(request: CommandRequest, context: CommandContext): Promise<string | Refusal> {
  const plan = await planNow(request, context);
  if (plan.kind === 'rejected') return plan;
  return fit([
    { text: `**${planTitle(plan.steps)}**` },
    { text: renderPlan(plan.steps, { applied: false }), leaveOut: 1 },
    { text: renderNotes(plan.notes), leaveOut: 2 },
  ]);
}

async function apply(request: CommandRequest, context: CommandContext): Promise<string | Refusal> {
  const { db, now, keepTriggers } = context;
  const { repository, installationId } = request;
  // What is applied is the default branch's, whoever asks; still it is not for everybody to overwrite.
  if (permissions.indexOf(request.permission) < permissions.indexOf('maintain')) {
    return {
      kind: 'rejected',
      reason: 'no_permission',
      message: 'Applying triggers takes `maintain` access to this repository.',
      fix: 'They are applied with every push to the default branch anyway; `/trigger apply dry-run` shows how.',
    };
  }
  await askForTriggers(db, { ...repository, installationId }, now());
  const kept = await keepTriggers(repository.id);
  switch (kept.kind) {
    case 'rejected':
      return kept;
    case 'undeclared':
      return nothingDeclared;
    case 'busy':
      return 'The triggers are being applied just now; `/trigger list` shows how they are.';
    case 'failed':
      return `The triggers could not be looked at; this is tried again by itself (reference \`${kept.reference}\`).`;
    case 'applied': {
      const { title, summary } = checkOfApplied(kept.steps, kept.notes);
      return `**${title}**\n\n${summary}`;
    }
  }
}

async function run(
  command: TriggerCommand,
  request: CommandRequest,
  context: CommandContext,
): Promise<string | Refusal> {
  try {
    const outcome = await runTrigger(command, request, context);
    switch (outcome.kind) {
      case 'rejected':
        return outcome;
      case 'unclear':
        return `Whether ${codeSpan(outcome.name)} was started is not clear: Cloud Build did not answer. Look at its builds, and comment the command again if there is none.`;
      case 'started': {
        const build = outcome.buildId === undefined ? '' : ` as build ${codeSpan(outcome.buildId)}`;
        return `**Started** ${codeSpan(outcome.name)}${build}. A check on its commit follows it.`;
      }
    }
  } catch (error) {
    // Refused for good: people can do something about what the service says.
    if (!(error instanceof CloudError) || error.retryable || error.ambiguous) throw error;
    if (!error.operation.startsWith('triggers.')) throw error;
    return {
      kind: 'rejected',
      reason: 'bad_argument',
      message: `Cloud Build refused it: ${escapeText(error.message)}`,
      fix: 'Mend what it says and comment the command again.',
    };
  }
}

/** The default branch's declaration against what is there. */
async function planNow(
  { repository }: CommandRequest,
  context: CommandContext,
): Promise<TriggersPlan | Refusal> {
  const { octokit } = context;
  try {
    const text = await readTextFile(octokit, repository, repoConfigPath);
    const plan = await planTriggers({ repository, octokit }, text, context);
    return plan.kind === 'undeclared' ? nothingDeclared : plan;
  } catch (error) {
    return asRefusal(error);
  }
}

const nothingDeclared: Refusal = {
  kind: 'rejected',
  reason: 'no_config',
  message: 'The default branch declares no triggers, so none is looked at.',
  fix: `Declare them under \`triggers:\` in \`${repoConfigPath}\`.`,
};
