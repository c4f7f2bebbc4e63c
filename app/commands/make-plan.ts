/**
 * A command that is allowed in, its Plan or a Refusal out: what the pinned commit has is read, the keys that
 * stand for something else are looked up, and a command that cannot be planned is answered with one that can.
 */
import { randomBytes } from 'node:crypto';
import type { BuildCommand, RetryCommand, TrainCommand } from '../../shared/command/command.ts';
import { maxExampleLength } from '../../shared/command/parse-keys.ts';
import { renderCommand } from '../../shared/command/render-command.ts';
import type { ProjectSettings } from '../../shared/config/project-settings.ts';
import type { RepoConfig } from '../../shared/config/repo-config.ts';
import { readTextFile } from '../../shared/github/contents.ts';
import { advise } from '../../shared/plan/advise.ts';
import { countsForSummary } from '../../shared/plan/counts-for-summary.ts';
import { planImage } from '../../shared/plan/plan-image.ts';
import type { Plan } from '../../shared/plan/plan.ts';
import { planRun, type PlanInput } from '../../shared/plan/plan-run.ts';
import { remediesOf } from '../../shared/plan/remedies.ts';
import { newRunDirectory, newRunId } from '../../shared/plan/run-id.ts';
import { withTriedFix } from '../../shared/plan/tried-fix.ts';
import { withProfile } from '../../shared/plan/with-profile.ts';
import { formatUsd, nearest, typedDuration } from '../../shared/units.ts';
import type { Admitted } from '../../shared/policy/admit.ts';
import type { Refusal, TrustTier } from '../../shared/policy/decision.ts';
import { builtImage } from '../store/run-queries.ts';
import type { CommandContext, Request } from './request.ts';

/** What is settled once the command is allowed. */
interface Settled {
  /** As they are for the tier. */
  readonly settings: ProjectSettings;
  readonly repoConfig: RepoConfig;
  readonly headSha: string;
  /** What the default branch is called, where the commit is one of it. */
  readonly branch?: string;
  readonly tier: TrustTier;
  /** Holds a finished plan against policy and ceilings. */
  readonly admits: (plan: Plan) => Admitted | Refusal;
}

type PlanAnswer =
  { readonly kind: 'planned'; readonly plan: Plan; readonly admission: Admitted } | Refusal;

type Unjudged = ReturnType<typeof planRun>;

export async function makePlan(
  command: TrainCommand | BuildCommand,
  request: Request,
  context: CommandContext,
  settled: Settled,
): Promise<PlanAnswer> {
  const { repoConfig, headSha } = settled;
  const input = inputOf(request, context, settled);
  const read = (path: string): Promise<string | undefined> =>
    readTextFile(context.octokit, request.repository, path, headSha);
  if (command.kind === 'build') {
    const hasDockerfile = (await read(repoConfig.dockerfile)) !== undefined;
    const planned = planImage({ ...input, command, hasDockerfile });
    return withCommand(judge(planned, settled), command, repoConfig, request);
  }
  const meant = withProfile(command, repoConfig);
  if (meant.kind === 'rejected')
    return withNearProfile(meant, command, (near) => makePlan(near, request, context, settled), {
      request,
      repoConfig,
    });
  const image =
    meant.image === undefined ? undefined : await findImage(meant.image, request, context, settled);
  if (typeof image === 'object') return image;
  const path = meant.config ?? repoConfig.config;
  const [jobConfig, dockerfile] = await Promise.all([read(path), read(repoConfig.dockerfile)]);
  const attempt = planner({
    ...input,
    repoConfig,
    jobConfig: jobConfig === undefined ? undefined : { path, text: jobConfig },
    hasDockerfile: dockerfile !== undefined,
    ...(image === undefined ? {} : { image }),
  });
  const judged = (typed: TrainCommand): PlanAnswer => judge(attempt(typed), settled);
  const answer = judged(command);
  const { settings } = settled;
  if (answer.kind === 'planned') {
    const remedies = remediesOf(command, answer.plan, judged, settings);
    const plan = { ...answer.plan, remedies };
    return withCommand({ ...answer, plan }, command, repoConfig, request);
  }
  const advised = advise(command, answer, judged, settings);
  const example = advised && exampleOf(advised, command, request);
  if (advised === undefined || example === undefined) return withTriedFix(answer, command, judged);
  return withExample(answer, example, advised, judged(advised), settings);
}

/** A name that was misspelt is mended only if the rest of the command would be taken, too. */
async function withNearProfile(
  refusal: Refusal,
  command: TrainCommand,
  attempt: (near: TrainCommand) => Promise<PlanAnswer>,
  { request, repoConfig }: { readonly request: Request; readonly repoConfig: RepoConfig },
): Promise<Refusal> {
  const { profile = '' } = command;
  const near = nearest(profile, [...(repoConfig.profiles?.keys() ?? [])]);
  if (near === undefined) return refusal;
  const mended = { ...command, profile: near };
  const answer = await attempt(mended);
  const example = answer.kind === 'planned' ? exampleOf(mended, command, request) : answer.example;
  return example === undefined ? refusal : { ...refusal, example };
}

/** As it can be typed; what does a run again takes its other keys from there. */
function exampleOf(
  advised: TrainCommand,
  command: TrainCommand,
  { retries }: Request,
): string | undefined {
  const example =
    retries === undefined ? renderCommand(advised) : retryOf(retries.command, advised, command);
  return example !== undefined && example.length <= maxExampleLength ? example : undefined;
}

/** Undefined when a key of the run would have to go: a retry can only set them. */
function retryOf(
  asked: RetryCommand,
  advised: TrainCommand,
  command: TrainCommand,
): string | undefined {
  if (!Object.keys(command).every((key) => key in advised)) return undefined;
  const changed = Object.entries(advised).filter(
    ([key, value]) => value !== command[key as keyof TrainCommand],
  );
  const changes = { ...asked.changes, ...Object.fromEntries(changed) };
  return renderCommand({ ...asked, changes });
}

/** A plan and what it is let in on. */
function judge(answer: Unjudged, { admits }: Settled): PlanAnswer {
  if (answer.kind === 'rejected') return answer;
  const admission = admits(answer.plan);
  return admission.kind === 'rejected' ? admission : { ...answer, admission };
}

function inputOf(
  { repository, pullNumber, actor }: Request,
  { config }: CommandContext,
  { settings, repoConfig, headSha, branch, tier }: Settled,
): Omit<PlanInput, 'command' | 'jobConfig' | 'hasDockerfile'> {
  return {
    runId: newRunId((count) => randomBytes(count)),
    runDirectory: newRunDirectory((count) => randomBytes(count)),
    owner: config.owner,
    tier,
    subject: {
      repository: { id: repository.id, fullName: `${repository.owner}/${repository.repo}` },
      headSha,
      ...(pullNumber === undefined ? {} : { pullNumber }),
      ...(branch === undefined ? {} : { branch }),
      requestedBy: { id: actor.id, login: actor.login },
    },
    repoConfig,
    settings,
    authority: 'app',
  };
}

/** From what is typed, so that advice can be typed too. */
function planner(input: Omit<PlanInput, 'command'>): (command: TrainCommand) => Unjudged {
  return (command) => {
    const meant = withProfile(command, input.repoConfig);
    return meant.kind === 'rejected' ? meant : planRun({ ...input, command: meant });
  };
}

/** The plan keeps what was typed, so that a retry finds its profile as it is then. */
function withCommand(
  answer: PlanAnswer,
  command: TrainCommand | BuildCommand,
  { summaryCheck }: RepoConfig,
  { retries }: Request,
): PlanAnswer {
  if (answer.kind === 'rejected') return answer;
  const summary =
    summaryCheck === true && countsForSummary(command) ? { summary: true as const } : {};
  const { plan } = answer;
  const notes = retries?.note === undefined ? plan.notes : [retries.note, ...plan.notes];
  return { ...answer, plan: { ...plan, command, ...summary, notes } };
}

function withExample(
  refusal: Refusal,
  example: string,
  advised: TrainCommand,
  tried: PlanAnswer,
  { maxTimeoutSeconds }: Pick<ProjectSettings, 'maxTimeoutSeconds'>,
): Refusal {
  const { timeoutSeconds = 0 } = advised;
  // The limit that was met is not the narrowest: its own advice would meet the next one.
  const isCutByPrice = refusal.reason === 'timeout_too_long' && timeoutSeconds < maxTimeoutSeconds;
  if (!isCutByPrice || tried.kind === 'rejected') return { ...refusal, example };
  const { usdPerHour, ceilingUsd } = tried.plan.estimate;
  const fix = `By its price, est. ${formatUsd(usdPerHour)}/h, this machine may run for less still: ${typedDuration(timeoutSeconds)} can cost est. ${formatUsd(ceilingUsd)} in all.`;
  return { ...refusal, fix, example };
}

/** A digest that anybody could push proves nothing: it must be one that our own build reported. */
async function findImage(
  typed: string,
  { repository }: Request,
  { db }: CommandContext,
  { settings, tier }: Settled,
): Promise<string | Refusal> {
  const digest = typed.slice(typed.indexOf('sha256:'));
  const where = { repositoryId: repository.id, project: settings.project, tier, digest };
  const image = await builtImage(db, where);
  if (image !== undefined && (typed === digest || typed === image)) return image;
  return {
    kind: 'rejected',
    reason: 'field_not_allowed',
    message: `No run of this repository that may be used here has built the image \`${digest}\`.`,
    fix: "A run's card names its image under Parameters; `/build` makes one.",
  };
}
