/**
 * `push` to the default branch: what it declares may have changed, so its triggers are looked at. Where the
 * repository is, and as whom it is read, is what GitHub says now: a push of long ago can be sent again.
 */
import type { Probot } from 'probot';
import { askForTriggers } from '../store/triggers.ts';
import type { TriggerWebhookContext } from './installation.ts';
import { installedNow } from './installed-now.ts';

/** Registers the handler. What it throws reaches whoever called `probot.receive`. */
export function onPush(probot: Probot, context: TriggerWebhookContext): void {
  probot.on('push', async ({ payload }) => {
    const { ref, repository, installation, deleted } = payload;
    if (deleted || ref !== `refs/heads/${repository.default_branch}`) return;
    const { id } = repository;
    if (installation === undefined || !context.config.repositories.has(id)) return;
    const owner = repository.owner?.login;
    if (owner === undefined) return;
    const found = await installedNow(id, [{ owner, repo: repository.name }], context);
    if (found === undefined) return;
    const { installationId, state } = found;
    await askForTriggers(context.db, { id, installationId, ...state.name }, context.now());
    context.wakeTriggers();
  });
}
