/**
 * The App was removed from a repository, suspended, or the repository changed hands or went away: nothing of
 * it is launched any more, and what runs is ended while its launcher can still do so.
 * What GitHub shows of it can no longer be written, so that is left as it is.
 */
import type { Kysely } from 'kysely';
import type { Probot } from 'probot';
import { openRunsOf } from '../store/run-queries.ts';
import { requestCancel } from '../store/runs.ts';
import type { Tables } from '../store/tables.ts';

export interface AccessLostContext {
  readonly db: Kysely<Tables>;
  readonly now: () => Date;
  readonly wakeRun: (runId: string) => Promise<void>;
}

/** Registers the handlers. */
export function onAccessLost(probot: Probot, context: AccessLostContext): void {
  probot.on(['installation.deleted', 'installation.suspend'], ({ payload }) =>
    endRuns({ installationId: payload.installation.id }, context),
  );
  probot.on('installation_repositories.removed', async ({ payload }) => {
    for (const { id } of payload.repositories_removed) {
      await endRuns({ repositoryId: id }, context);
    }
  });
  probot.on(
    ['repository.transferred', 'repository.archived', 'repository.deleted'],
    ({ payload }) => endRuns({ repositoryId: payload.repository.id }, context),
  );
}

async function endRuns(
  where: { readonly repositoryId: number } | { readonly installationId: number },
  { db, now, wakeRun }: AccessLostContext,
): Promise<void> {
  const ids = await openRunsOf(db, where);
  const cancel = {
    at: now().toISOString(),
    by: 'trainyard',
    because: 'no_longer_allowed',
  } as const;
  await requestCancel(db, ids, cancel, now());
  await Promise.all(ids.map((id) => wakeRun(id)));
}
