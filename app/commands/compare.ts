/** `/compare`: the metrics of two runs side by side. */
import type { CompareCommand } from '../../shared/command/command.ts';
import { quoteToken } from '../../shared/command/quote-token.ts';
import { repoConfigPath } from '../../shared/config/repo-config.ts';
import { getRepository } from '../../shared/github/repositories.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import { baselineName, renderComparison } from '../../shared/report/comparison.ts';
import type { Run } from '../../shared/watch/run.ts';
import { newestBaseRecord } from '../store/run-queries.ts';
import { runOfRepository, runsOfPull } from '../store/runs.ts';
import { chooseRun, isRefused } from './choose-run.ts';
import { control } from './control.ts';
import type { Answer, CommandContext, CommandRequest } from './request.ts';

/** More runs of one pull request than anybody looks at. */
const maxRuns = 200;

export function compare(
  command: CompareCommand,
  request: CommandRequest,
  context: CommandContext,
): Promise<Answer> {
  return control(request, context, async () => {
    const meant = await asMeant(command, request, context);
    if (meant.kind === 'rejected') return meant;
    const { runId, other } = meant;
    const run = await measuredRun(runId, request, context);
    if (isRefused(run)) return run;
    if (other?.kind === 'run') {
      const against = await measuredRun(other.runId, request, context);
      return isRefused(against) ? against : renderComparison({ run, against });
    }
    const notBase =
      other?.name === undefined ? undefined : await refuseBranch(other.name, request, context);
    if (notBase !== undefined) return notBase;
    const against = await newestBaseRecord(context.db, request.repository.id);
    if (against === undefined) return noBase(run, await measuredBeside(run, request, context));
    return renderComparison({ run, against, againstName: baselineName(against.plan.subject) });
  });
}

/** The last word may be a branch's name although it looks like a run's id, as `mainline` does. */
async function asMeant(
  command: CompareCommand,
  { repository }: CommandRequest,
  { db, octokit }: CommandContext,
): Promise<CompareCommand | Refusal> {
  const { runId, other } = command;
  const word = other === undefined ? runId : other.kind === 'run' ? other.runId : undefined;
  if (word === undefined) return command;
  if ((await runOfRepository(db, repository.id, word)) !== undefined) return command;
  const { defaultBranch } = await getRepository(octokit, repository);
  if (word !== defaultBranch) return neither(word, defaultBranch);
  const base = { kind: 'compare', other: { kind: 'base', name: word } } as const;
  return other === undefined || runId === undefined ? base : { ...base, runId };
}

function neither(word: string, defaultBranch: string): Refusal {
  return refuse(
    `This repository has no run ${quoteToken(word)}, and its default branch is called ${quoteToken(defaultBranch)}.`,
    '`/status` lists the runs, and `base` stands for the default branch.',
  );
}

function measuredRun(
  runId: string | undefined,
  request: CommandRequest,
  context: CommandContext,
): Promise<Run | Refusal> {
  return chooseRun(
    { runId, isFit: hasMetrics, unfit: noMetricsOf, none: noneMeasured },
    request,
    context,
  );
}

function hasMetrics({ metrics }: Run): boolean {
  return Object.keys(metrics?.values ?? {}).length > 0;
}

function noMetricsOf({ plan, end }: Run): Refusal {
  const yet = end === undefined ? ' yet' : '';
  return refuse(
    `The run \`${plan.runId}\` has no metrics${yet}.`,
    '`/status` lists the runs; a run has metrics when its code has written them.',
  );
}

const noneMeasured = refuse(
  'No run of this pull request has metrics.',
  'A run has metrics when its code has written them; `/train` starts one.',
);

async function refuseBranch(
  name: string,
  { repository }: CommandRequest,
  { octokit }: CommandContext,
): Promise<Refusal | undefined> {
  const { defaultBranch } = await getRepository(octokit, repository);
  return name === defaultBranch ? undefined : neither(name, defaultBranch);
}

/** Another run of the pull request that this one can be compared with. */
async function measuredBeside(
  { plan }: Run,
  { repository, pullNumber }: CommandRequest,
  { db }: CommandContext,
): Promise<Run | undefined> {
  const runs = await runsOfPull(db, { repositoryId: repository.id, pullNumber }, maxRuns);
  return runs.find((run) => hasMetrics(run) && run.plan.runId !== plan.runId);
}

function noBase({ plan }: Run, other: Run | undefined): Refusal {
  const beside =
    other === undefined
      ? 'It is the only run of this pull request that has any; `/train` starts another one.'
      : `\`/compare ${plan.runId} ${other.plan.runId}\` compares two runs of this pull request.`;
  return refuse(
    'No run of the default branch has metrics, so there is nothing to compare with.',
    `\`train_on_push: true\` in \`${repoConfigPath}\` has each push to it trained. ${beside}`,
  );
}

function refuse(message: string, fix: string): Refusal {
  return { kind: 'rejected', reason: 'bad_argument', message, fix };
}
