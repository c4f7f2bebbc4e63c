/** `/compare`: the metrics of two runs side by side. */
import type { CompareCommand } from '../../shared/command/command.ts';
import { repoConfigPath } from '../../shared/config/repo-config.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import { baselineName, renderComparison } from '../../shared/report/comparison.ts';
import type { Run } from '../../shared/watch/run.ts';
import { newestBaseRecord } from '../store/run-queries.ts';
import { chooseRun, isRefused } from './choose-run.ts';
import { control } from './control.ts';
import type { Answer, CommandContext, CommandRequest } from './request.ts';

export function compare(
  { runId, other }: CompareCommand,
  request: CommandRequest,
  context: CommandContext,
): Promise<Answer> {
  return control(request, context, async () => {
    const run = await measuredRun(runId, request, context);
    if (isRefused(run)) return run;
    const isBase = other?.kind !== 'run';
    const against = isBase
      ? ((await newestBaseRecord(context.db, request.repository.id)) ?? noBase(run))
      : await measuredRun(other.runId, request, context);
    if (isRefused(against)) return against;
    const againstName = isBase ? baselineName(against.plan.subject) : undefined;
    return renderComparison({ run, against, againstName });
  });
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

function noBase({ plan }: Run): Refusal {
  return refuse(
    'No run of the default branch has metrics, so there is nothing to compare with.',
    `\`train_on_push: true\` in \`${repoConfigPath}\` has each push to it trained. To compare with another run: \`/compare ${plan.runId} RUN\`.`,
  );
}

function refuse(message: string, fix: string): Refusal {
  return { kind: 'rejected', reason: 'bad_argument', message, fix };
}
