/**
 * Repositories that the App is installed on: their triggers are kept from now on, where GitHub shows them now and
 * under the name that they have now. What is lost is in access-lost.ts.
 */
import type { Kysely } from 'kysely';
import type { Probot } from 'probot';
import type { ServerConfig } from '../../shared/config/server-config.ts';
import type { Tables } from '../store/tables.ts';
import { askForTriggers } from '../store/triggers.ts';
import { askAgain } from './ask-again.ts';
import { installedNow, type InstalledContext } from './installed-now.ts';

export interface TriggerWebhookContext extends InstalledContext {
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

/** Registers the handlers. What they throw reaches whoever called `probot.receive`. */
export function onInstallation(probot: Probot, context: TriggerWebhookContext): void {
  probot.on(['installation.created', 'installation.unsuspend'], ({ id, payload }) =>
    install(payload.repositories ?? [], id, context),
  );
  probot.on('installation_repositories.added', ({ id, payload }) =>
    install(payload.repositories_added, id, context),
  );
}

async function install(
  repositories: readonly Installed[],
  deliveryId: string,
  context: TriggerWebhookContext,
): Promise<void> {
  const { db, config, now, wakeTriggers } = context;
  let isAllThere = true;
  for (const { id, full_name } of repositories) {
    const [owner, repo] = (full_name ?? '').split('/');
    if (owner === undefined || repo === undefined || !config.repositories.has(id)) continue;
    const found = await installedNow(id, [{ owner, repo }], context);
    isAllThere &&= found !== undefined;
    if (found === undefined) continue;
    const { installationId, state } = found;
    await askForTriggers(db, { id, installationId, ...state.name }, now());
  }
  wakeTriggers();
  if (!isAllThere) await askAgain(db, deliveryId);
}
