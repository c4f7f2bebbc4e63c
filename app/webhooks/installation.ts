/**
 * Repositories that the App is installed on, or no longer: their triggers are kept from now on, or left as they
 * are.
 */
import type { Kysely } from 'kysely';
import type { Probot } from 'probot';
import type { ServerConfig } from '../../shared/config/server-config.ts';
import type { Tables } from '../store/tables.ts';
import { askForTriggers, forgetInstallation, forgetRepository } from '../store/triggers.ts';

export interface TriggerWebhookContext {
  readonly db: Kysely<Tables>;
  readonly config: ServerConfig;
  readonly now: () => Date;
  /** Something is due: no need to wait for the next tick. */
  readonly wakeTriggers: () => void;
}

interface Installed {
  readonly id: number;
  readonly full_name?: string;
}

/** Registers the handlers. */
export function onInstallation(probot: Probot, context: TriggerWebhookContext): void {
  const { db } = context;
  probot.on(['installation.created', 'installation.unsuspend'], ({ payload }) =>
    install(payload.repositories ?? [], payload.installation.id, context),
  );
  probot.on('installation_repositories.added', ({ payload }) =>
    install(payload.repositories_added, payload.installation.id, context),
  );
  probot.on(['installation.deleted', 'installation.suspend'], ({ payload }) =>
    forgetInstallation(db, payload.installation.id),
  );
  probot.on('installation_repositories.removed', async ({ payload }) => {
    for (const { id } of payload.repositories_removed) await forgetRepository(db, id);
  });
  probot.on(['repository.transferred', 'repository.deleted'], ({ payload }) =>
    forgetRepository(db, payload.repository.id),
  );
}

async function install(
  repositories: readonly Installed[],
  installationId: number,
  { db, config, now, wakeTriggers }: TriggerWebhookContext,
): Promise<void> {
  for (const { id, full_name } of repositories) {
    const [owner, repo] = (full_name ?? '').split('/');
    if (owner === undefined || repo === undefined) continue;
    if (config.repositories.has(id)) {
      await askForTriggers(db, { id, installationId, owner, repo }, now());
    }
  }
  wakeTriggers();
}
