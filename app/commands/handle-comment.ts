/**
 * A new comment on a pull request in; for each command line in it exactly one of: a run, an answer, or
 * silence. May be called any number of times for the same comment, also after a crash anywhere inside.
 */
import type { Kysely } from 'kysely';
import type { Command, CommandLine } from '../../shared/command/command.ts';
import { commandRegistry } from '../../shared/command/command-registry.ts';
import { mayHoldCommands, parseCommands } from '../../shared/command/parse.ts';
import type { ServerConfig } from '../../shared/config/server-config.ts';
import { CloudError } from '../../shared/errors.ts';
import { startRun } from '../../shared/flow.ts';
import type { Octokit, RepositoryName } from '../../shared/github/client.ts';
import {
  getComment,
  react,
  type IssueComment,
  type Reaction,
} from '../../shared/github/comments.ts';
import { getPermission } from '../../shared/github/pulls.ts';
import { decideControl } from '../../shared/policy/decide.ts';
import { permissions, type Permission, type Refusal } from '../../shared/policy/decision.ts';
import { renderHelp } from '../../shared/report/help.ts';
import { renderPlan } from '../../shared/report/plan.ts';
import { renderProblem, renderRefusal } from '../../shared/report/refusal.ts';
import { renderStatus } from '../../shared/report/status.ts';
import type { Run } from '../../shared/watch/run.ts';
import { newReference, type Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import {
  countUnauthorised,
  decideCommand,
  registerCommand,
  type CommandKey,
} from '../store/commands.ts';
import { createRun, runsOfPull } from '../store/runs.ts';
import type { Tables } from '../store/tables.ts';
import { giveAnswer, type Answer } from './answer.ts';
import { cancelRuns } from './cancel-runs.ts';
import { planTraining } from './plan-training.ts';

/** A comment as its delivery tells of it. */
export interface NewComment {
  readonly id: number;
  readonly body: string;
  readonly createdAt: Date;
  readonly receivedAt: Date;
  /** How often its delivery was handled, this time included. */
  readonly attempt: number;
  readonly author: { readonly id: number; readonly login: string };
  readonly repository: RepositoryName & { readonly id: number };
  readonly pullNumber: number;
  readonly installationId: number;
}

export interface CommentContext {
  readonly db: Kysely<Tables>;
  readonly octokit: Octokit;
  readonly appId: number;
  readonly config: ServerConfig;
  readonly sandbox: boolean;
  readonly now: () => Date;
  readonly wakeRun: (runId: string) => Promise<void>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** After that many attempts the person is told, instead of being left to wait. */
export const maxAttempts = 6;
/** What `/status` lists. */
const shownRuns = 10;
/** What somebody without authority can make us write in an hour. */
const strangerLimit = { answers: 5, windowMs: 3_600_000 };

/** @throws {CloudError} when GitHub does not answer and another attempt makes sense */
export async function handleComment(comment: NewComment, context: CommentContext): Promise<void> {
  if (!mayHoldCommands(comment.body)) return;
  const { octokit } = context;
  const [current, permission] = await Promise.all([
    getComment(octokit, comment.repository, comment.id),
    getPermission(octokit, comment.repository, comment.author),
  ]);
  // The delivery could be forged by a replay under another name; what GitHub shows now counts.
  if (current?.author?.id !== comment.author.id || isWrittenByMachine(current)) return;
  const handler = new LineHandler(comment, permission, current.body !== comment.body, context);
  // Reading Markdown takes time, and nobody without authority has it for the asking.
  if (!(await handler.mayAsk())) return;
  for (const line of parseCommands(comment.body)) await handler.handle(line);
}

function isWrittenByMachine(comment: IssueComment): boolean {
  return comment.author?.isBot === true || comment.appId !== undefined;
}

/** What is to be done about one line, found out before anything is. */
type LineOutcome =
  Answer | { readonly verdict: 'run'; readonly run: Run; readonly metric: string | undefined };

class LineHandler {
  private readonly comment: NewComment;
  private readonly permission: Permission;
  private readonly isEdited: boolean;
  private readonly context: CommentContext;
  private readonly isAuthorised: boolean;

  constructor(
    comment: NewComment,
    permission: Permission,
    isEdited: boolean,
    context: CommentContext,
  ) {
    this.comment = comment;
    this.permission = permission;
    this.isEdited = isEdited;
    this.context = context;
    this.isAuthorised = permissions.indexOf(permission) >= permissions.indexOf('write');
  }

  /** False for those without authority who were answered often enough for now. */
  async mayAsk(): Promise<boolean> {
    return this.isAuthorised || !(await this.hasSaidEnough());
  }

  async handle(line: CommandLine): Promise<void> {
    const { comment, context } = this;
    const key = { repositoryId: comment.repository.id, commentId: comment.id, line: line.line };
    const record = await registerCommand(context.db, key, comment.author.id, context.now());
    if (record.answered || record.verdict === 'allowed') return;
    let outcome: LineOutcome;
    try {
      outcome = await this.decideLine(line);
    } catch (error) {
      if (error instanceof CloudError && error.retryable && comment.attempt < maxAttempts)
        throw error;
      outcome = this.failed(error);
    }
    if (outcome.verdict === 'run') return this.start(key, outcome.run, outcome.metric);
    context.metrics.command(outcome.reason ?? outcome.verdict);
    if (outcome.verdict === 'refused' && this.isAuthorised) await this.react('confused');
    await giveAnswer({ ...context, ...this.place() }, key, record.fresh, outcome);
  }

  private place() {
    const { repository, pullNumber, createdAt, author } = this.comment;
    return { repository, issueNumber: pullNumber, actorId: author.id, commentedAt: createdAt };
  }

  private async decideLine(line: CommandLine): Promise<LineOutcome> {
    if (!this.isAuthorised && (await this.hasSaidEnough())) {
      return { verdict: 'ignored', reason: 'no_permission', body: undefined };
    }
    if (this.isEdited) return this.refused(editedComment);
    if (line.kind === 'problem') {
      const { problem } = line;
      return { verdict: 'refused', reason: problem.reason, body: renderProblem(problem) };
    }
    return this.decideCommand(line.command, line.text);
  }

  private async decideCommand(command: Command, text: string): Promise<LineOutcome> {
    switch (command.kind) {
      case 'help':
        return {
          verdict: 'answered',
          reason: null,
          body: renderHelp(commandRegistry, command.topic),
        };
      case 'status':
        return this.control(async () => {
          const runs = await runsOfPull(this.context.db, this.pull(), shownRuns);
          return renderStatus(runs, this.context.now());
        }, text);
      case 'cancel':
        return this.control(async () => {
          const { db, now, wakeRun } = this.context;
          const context = { db, now: now(), actor: this.comment.author, ...this.pull() };
          const cancelled = await cancelRuns(command.target, context);
          if ('kind' in cancelled) return cancelled;
          await this.react('eyes');
          await Promise.all(cancelled.map((id) => wakeRun(id)));
          return undefined;
        }, text);
      case 'train': {
        const { comment, context, permission } = this;
        const outcome = await planTraining(
          {
            command,
            repository: comment.repository,
            pullNumber: comment.pullNumber,
            author: comment.author,
            permission,
            commentedAt: comment.createdAt,
            commentReceivedAt: comment.receivedAt,
            now: context.now(),
          },
          {
            db: context.db,
            octokit: context.octokit,
            owner: context.config.owner,
            settings: context.config.repositories.get(comment.repository.id),
            onAuthorised: () => this.react('eyes'),
          },
        );
        if (outcome.kind === 'rejected') return this.refused(outcome, text);
        if (!command.dryRun) {
          const run = startRun(outcome.plan, context.now());
          return { verdict: 'run', run, metric: outcome.metric };
        }
        const body = renderPlan(outcome.plan, { sandbox: context.sandbox });
        return { verdict: 'answered', reason: null, body };
      }
    }
  }

  private pull() {
    const { repository, pullNumber } = this.comment;
    return { repositoryId: repository.id, pullNumber };
  }

  /** Sees to runs that exist, for those who may. `act` gives the answer's text, a refusal, or nothing to say. */
  private async control(
    act: () => Promise<string | Refusal | undefined>,
    text: string,
  ): Promise<Answer> {
    const refusal = decideControl({ permission: this.permission });
    const outcome = refusal ?? (await act());
    if (typeof outcome === 'object') return this.refused(outcome, text, 'Not done');
    return { verdict: 'answered', reason: null, body: outcome };
  }

  /** Verdict and run are stored together; whoever finds them there already has nothing left to do. */
  private async start(key: CommandKey, run: Run, metric: string | undefined): Promise<void> {
    const { context, comment } = this;
    const { installationId } = comment;
    const created = { run, metric, key, installationId, now: context.now() };
    const isNew = await createRun(context.db, created);
    if (!isNew) return decideCommand(context.db, key, 'allowed', null);
    context.metrics.command('allowed');
    await context.wakeRun(run.plan.runId).catch((error: unknown) => {
      context.log.warn({ err: error, run: run.plan.runId }, 'no worker was woken; the sweep will');
    });
  }

  private refused(refusal: Refusal, command?: string, lead?: string): Answer {
    const { sandbox } = this.context;
    const options = { sandbox, ...(command && { command }), ...(lead && { lead }) };
    return { verdict: 'refused', reason: refusal.reason, body: renderRefusal(refusal, options) };
  }

  /** The log has the error, the public its reference. */
  private failed(error: unknown): Answer {
    const reference = newReference();
    this.context.log.error({ err: error, reference, comment: this.comment.id }, 'a command failed');
    this.context.metrics.bug();
    const body = this.isAuthorised
      ? `**Not started**: Trainyard could not handle this command, and nothing was created. ` +
        `Comment it again; if that does not help, give the reference \`${reference}\` to whoever runs Trainyard.`
      : undefined;
    return { verdict: 'failed', reason: null, body };
  }

  private async hasSaidEnough(): Promise<boolean> {
    const { context, comment } = this;
    const since = new Date(context.now().getTime() - strangerLimit.windowMs);
    return (await countUnauthorised(context.db, comment.author.id, since)) >= strangerLimit.answers;
  }

  /** A reaction is a courtesy: a run does not fail for want of one. */
  private async react(content: Reaction): Promise<void> {
    const { octokit, log } = this.context;
    await react(octokit, this.comment.repository, this.comment.id, content).catch(
      (error: unknown) => log.warn({ err: error }, 'could not react to a comment'),
    );
  }
}

const editedComment: Refusal = {
  kind: 'rejected',
  reason: 'bad_argument',
  message: 'The comment was edited before it was handled, so it is not clear what was meant.',
  fix: 'Write the command as a new comment.',
};
