/** `push` to the default branch: what it declares may have changed, so its triggers are looked at. */
import type { Probot } from 'probot';
import { askForTriggers } from '../store/triggers.ts';
import type { TriggerWebhookContext } from './installation.ts';

/** Registers the handler. */
export function onPush(probot: Probot, context: TriggerWebhookContext): void {
  probot.on('push', async ({ payload }) => {
    const { ref, repository, installation, deleted } = payload;
    if (deleted || ref !== `refs/heads/${repository.default_branch}`) return;
    if (installation === undefined || !context.config.repositories.has(repository.id)) return;
    const owner = repository.owner?.login;
    if (owner === undefined) return;
    const place = { id: repository.id, installationId: installation.id, owner };
    await askForTriggers(context.db, { ...place, repo: repository.name }, context.now());
    context.wakeTriggers();
  });
}
