/**
 * `/trigger run`: asks for the facts, has them decided, and starts the build at most once for one command: the
 * request is on record before it is sent, and an attempt that finds it there looks for its build.
 */
import type { ProjectSettings } from '../../shared/config/project-settings.ts';
import {
  parseRepoConfig,
  repoConfigPath,
  type RepoConfig,
} from '../../shared/config/repo-config.ts';
import type { TriggerCommand } from '../../shared/command/command.ts';
import { readTextFile } from '../../shared/github/contents.ts';
import { getPull } from '../../shared/github/pulls.ts';
import { getRepository, type RepositoryState } from '../../shared/github/repositories.ts';
import { refuseActor, refuseRepository } from '../../shared/policy/decide.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import type { Policy } from '../../shared/policy/policy.ts';
import { policyOf } from '../../shared/policy/settings-of-tier.ts';
import { overBudget } from '../../shared/policy/usage.ts';
import type { TriggerPorts } from '../../shared/ports.ts';
import {
  decideTriggerRun,
  type AllowedTriggerRun,
} from '../../shared/triggers/decide-trigger-run.ts';
import type { DeclaredTrigger } from '../../shared/triggers/declaration.ts';
import { secondsBetween } from '../../shared/units.ts';
import { teamsOf } from '../commands/gather-facts.ts';
import { pinHead } from '../commands/pin-head.ts';
import { repositoryNotAllowed } from '../commands/plan-training.ts';
import type { CommandContext, CommandRequest } from '../commands/request.ts';
import { usageOf } from '../store/budget.ts';
import { appendEvent } from '../store/events.ts';
import { pusherOf } from '../store/heads.ts';
import {
  beginTriggerRun,
  endTriggerRun,
  keptTriggerNamed,
  type KeptTrigger,
} from '../store/triggers.ts';

type TriggerRunOutcome =
  | { readonly kind: 'started'; readonly buildId: string | undefined; readonly name: string }
  /** Sent before, and nobody can say what came of it. */
  | { readonly kind: 'unclear'; readonly name: string }
  | Refusal;

/** A command that waited longer than that has to be confirmed. */
const maxAgeSeconds = 600;
/** Clocks differ. */
const slackMs = 60_000;

/** @throws {CloudError} when a service does not answer */
export async function runTrigger(
  command: TriggerCommand,
  request: CommandRequest,
  context: CommandContext,
): Promise<TriggerRunOutcome> {
  if (secondsBetween(request.askedAt, context.now()) > maxAgeSeconds) return tooOld;
  const decision = await decide(command, request, context);
  if (decision.kind === 'rejected') return decision;
  const kept = await findKept(decision.trigger, request, context);
  const ports = context.launchers.ofRepository(request.repository.id);
  if (kept === undefined || ports === undefined) return notThereYet(decision.trigger.name);
  await request.react('eyes');
  return start(decision, kept, ports, request, context);
}

async function decide(
  command: TriggerCommand,
  request: CommandRequest,
  context: CommandContext,
): Promise<AllowedTriggerRun | Refusal> {
  const { octokit } = context;
  const { repository } = request;
  const [pull, now, config] = await Promise.all([
    getPull(octokit, repository, request.pullNumber),
    getRepository(octokit, repository),
    configOnDefaultBranch(request, context),
  ]);
  const settings = context.config.repositories.get(repository.id);
  if (settings === undefined) return repositoryNotAllowed(repository.id);
  const policy = policyOf(settings, config);
  const refusal = await refuseByPolicy(now, policy, settings, request, context);
  if (refusal !== undefined) return refusal;
  const headSha = await pinHead(request, pull, context.db);
  const place = { repositoryId: repository.id, pullNumber: request.pullNumber };
  const pusher = await pusherOf(context.db, { ...place, sha: headSha ?? pull.headSha });
  const isFork = pull.headRepositoryId !== pull.baseRepositoryId;
  const others = [pusher?.id, isFork ? pull.headOwnerId : undefined];
  return decideTriggerRun({
    name: command.name ?? '',
    declared: config?.triggers?.triggers ?? [],
    permission: request.permission,
    actorId: request.actor.id,
    ref: command.ref,
    substitutions: command.substitutions,
    defaultBranch: now.defaultBranch,
    takesForks: policy.forks === 'approved',
    pull: {
      state: pull.state,
      isForeign: isFork || pull.isAuthorBot || pusher?.isBot === true,
      authorId: pull.authorId,
      othersIds: others.filter((id) => id !== undefined),
      headSha,
    },
  });
}

/** A trigger can spend and deploy as a run can: whoever may not start runs here starts no trigger either. */
async function refuseByPolicy(
  now: RepositoryState,
  policy: Policy,
  { ownerId: requiredOwnerId }: Pick<ProjectSettings, 'ownerId'>,
  request: CommandRequest,
  context: CommandContext,
): Promise<Refusal | undefined> {
  const { actor, repository, permission } = request;
  const teams = await teamsOf(request, context, policy);
  const asks = { ...actor, isBot: actor.isBot === true, teams };
  const { id: idByName, isArchived, ownerId } = now;
  const refusal =
    refuseActor({ actor: asks, permission, policy }) ??
    refuseRepository({ id: repository.id, idByName, isArchived, ownerId, requiredOwnerId });
  if (refusal !== undefined) return refusal;
  const { pullNumber } = request;
  const owner = { repositoryId: repository.id, pullNumber, actorId: actor.id };
  // What the build may cost is not known before it begins, so it takes a month with something left.
  const usage = await usageOf(context.db, owner, context.now());
  return overBudget(policy.maxUsdPerMonth, usage, 0);
}

/** Undefined when the file says nothing that can be read. */
async function configOnDefaultBranch(
  { repository }: Pick<CommandRequest, 'repository'>,
  { octokit }: Pick<CommandContext, 'octokit'>,
): Promise<RepoConfig | undefined> {
  const text = await readTextFile(octokit, repository, repoConfigPath);
  const config = text === undefined ? undefined : parseRepoConfig(text, repoConfigPath);
  return config?.ok === true ? config.value : undefined;
}

/** Only what we keep is run: something else of that name may do something else. */
async function findKept(
  trigger: DeclaredTrigger,
  { repository }: CommandRequest,
  { db, config }: CommandContext,
): Promise<KeptTrigger | undefined> {
  const project = config.repositories.get(repository.id)?.project;
  if (project === undefined) return undefined;
  const kept = await keptTriggerNamed(db, repository.id, trigger.name);
  return kept.find(
    (one) => one.project === project && (trigger.region ?? one.region) === one.region,
  );
}

async function start(
  { trigger, source }: AllowedTriggerRun,
  kept: KeptTrigger,
  ports: Pick<TriggerPorts, 'triggers' | 'triggeredBuilds'>,
  { key, actor }: CommandRequest,
  { db, now }: CommandContext,
): Promise<TriggerRunOutcome> {
  const { project, region, id } = kept;
  const { name } = trigger;
  const begun = await beginTriggerRun(db, key, now());
  if (!begun.isNew) {
    const buildId = begun.buildId ?? (await findBuild(kept, begun.requestedAt, ports));
    return buildId === undefined ? { kind: 'unclear', name } : { kind: 'started', buildId, name };
  }
  const { buildId } = await ports.triggers.run({ project, region, id, source });
  await endTriggerRun(db, key, buildId);
  await appendEvent(db, now(), {
    kind: 'trigger_run',
    repositoryId: key.repositoryId,
    actorId: actor.id,
    detail: { project, region, id, name, source, buildId: buildId ?? null },
  });
  return { kind: 'started', buildId, name };
}

/** A build of that trigger since the command. One that a push started at the same time cannot be told apart. */
async function findBuild(
  { project, region, id }: KeptTrigger,
  requestedAt: Date,
  { triggeredBuilds }: Pick<TriggerPorts, 'triggeredBuilds'>,
): Promise<string | undefined> {
  const since = new Date(requestedAt.getTime() - slackMs);
  const builds = await triggeredBuilds.list({ project, region, triggerIds: [id], since });
  return builds.length === 1 ? builds[0]?.id : undefined;
}

const tooOld: Refusal = {
  kind: 'rejected',
  reason: 'stale_command',
  message: 'The comment was written more than ten minutes before it could be handled.',
  fix: 'If the trigger should still be run, comment the command again.',
};

function notThereYet(name: string): Refusal {
  return {
    kind: 'rejected',
    reason: 'bad_argument',
    message: `The trigger \`${name}\` is declared, but Cloud Build does not have it yet.`,
    fix: '`/trigger apply` says why, or creates it.',
  };
}
