/** `pull_request.synchronize`: cards of runs of older commits say from now on that they are. */
import type { Kysely } from 'kysely';
import type { Probot } from 'probot';
import { supersedeRuns } from '../store/runs.ts';
import type { Tables } from '../store/tables.ts';

export interface NewHeadContext {
  readonly db: Kysely<Tables>;
  readonly now: () => Date;
  readonly wakeRun: (runId: string) => Promise<void>;
}

/** Registers the handler. */
export function onNewHead(probot: Probot, { db, now, wakeRun }: NewHeadContext): void {
  probot.on('pull_request.synchronize', async ({ payload }) => {
    const { number: pullNumber, pull_request: pull, repository } = payload;
    const place = { repositoryId: repository.id, pullNumber, headSha: pull.head.sha };
    const superseded = await supersedeRuns(db, place, now());
    await Promise.all(superseded.map((id) => wakeRun(id)));
  });
}
