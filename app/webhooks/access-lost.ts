/**
 * The App was removed from a repository, suspended, or the repository changed hands or went away: nothing of
 * it is launched any more, and what runs is ended while its launcher can still do so. Its triggers are left as they
 * are. What GitHub shows of it can no longer be written, so that is left too.
 *
 * An event only says where to look: what GitHub shows now decides.
 */
import type { Kysely } from 'kysely';
import type { Probot } from 'probot';
import type { RepositoryName } from '../../shared/github/client.ts';
import { isInstalled } from '../../shared/github/installations.ts';
import { openRunPlaces, openRunsOf } from '../store/run-queries.ts';
import { requestCancel } from '../store/runs.ts';
import type { Tables } from '../store/tables.ts';
import { forgetInstallation, forgetRepository, getTriggerRepository } from '../store/triggers.ts';
import { askAgain } from './ask-again.ts';
import { installedNow, type InstalledContext } from './installed-now.ts';

interface AccessLostContext extends InstalledContext {
  readonly db: Kysely<Tables>;
  readonly now: () => Date;
  readonly wakeRun: (runId: string) => Promise<void>;
}

/** Registers the handlers. What they throw reaches whoever called `probot.receive`. */
export function onAccessLost(probot: Probot, context: AccessLostContext): void {
  const { db } = context;
  probot.on(['installation.deleted', 'installation.suspend'], async ({ id, payload }) => {
    if (!(await lookAtInstallation(payload.installation.id, context))) await askAgain(db, id);
  });
  probot.on('installation_repositories.removed', async ({ id, payload }) => {
    let isAllLost = true;
    for (const one of payload.repositories_removed) {
      const names = nameIn((one as { readonly full_name?: string }).full_name);
      isAllLost = (await lookAtRepository(one.id, names, context)) && isAllLost;
    }
    if (!isAllLost) await askAgain(db, id);
  });
  probot.on(
    ['repository.transferred', 'repository.archived', 'repository.deleted'],
    async ({ id, payload: { repository } }) => {
      const name = { owner: repository.owner.login, repo: repository.name };
      if (!(await lookAtRepository(repository.id, [name], context))) await askAgain(db, id);
    },
  );
}

/** @returns false when it is there as ever */
async function lookAtInstallation(
  installationId: number,
  context: AccessLostContext,
): Promise<boolean> {
  if (await isInstalled(context.octokitAsApp, installationId)) return false;
  await endRuns(await openRunsOf(context.db, installationId), context);
  await forgetInstallation(context.db, installationId);
  return true;
}

/** @returns false when something of it goes on as ever */
async function lookAtRepository(
  repositoryId: number,
  told: readonly RepositoryName[],
  context: AccessLostContext,
): Promise<boolean> {
  const { db } = context;
  const runs = await openRunPlaces(db, repositoryId);
  const kept = await getTriggerRepository(db, repositoryId);
  // Nothing to end: GitHub is not asked about repositories that we have nothing to do with.
  if (runs.length === 0 && kept === undefined) return true;
  const names = [...told, ...(kept === undefined ? [] : [kept]), ...runs.flatMap(nameOfRun)];
  const found = await installedNow(repositoryId, names, context);
  const isLost = (installationId: number): boolean => found?.installationId !== installationId;
  const lost = runs.filter((run) => found?.state.isArchived === true || isLost(run.installationId));
  await endRuns(
    lost.map(({ id }) => id),
    context,
  );
  const isForgotten = kept !== undefined && isLost(kept.installationId);
  if (isForgotten) await forgetRepository(db, repositoryId);
  return found === undefined || found.state.isArchived || lost.length > 0 || isForgotten;
}

function nameOfRun({ fullName }: { readonly fullName: string }): readonly RepositoryName[] {
  return nameIn(fullName);
}

function nameIn(fullName: string | undefined): readonly RepositoryName[] {
  const [owner, repo] = fullName?.split('/') ?? [];
  return owner === undefined || repo === undefined ? [] : [{ owner, repo }];
}

async function endRuns(
  ids: readonly string[],
  { db, now, wakeRun }: AccessLostContext,
): Promise<void> {
  const cancel = {
    at: now().toISOString(),
    by: 'trainyard',
    because: 'no_longer_allowed',
  } as const;
  await requestCancel(db, ids, cancel, now());
  await Promise.all(ids.map((id) => wakeRun(id)));
}
