/** `issue_comment.created`: the event in, `handleComment` called for comments of people on pull requests. */
import type { Probot } from 'probot';
import { handleComment } from '../commands/handle-comment.ts';
import { getDelivery } from '../store/deliveries.ts';
import type { WebhookContext } from './webhook-context.ts';

/** Registers the handler. What it throws reaches whoever called `probot.receive`. */
export function onIssueComment(probot: Probot, context: WebhookContext): void {
  probot.on('issue_comment.created', async ({ id: deliveryId, payload }) => {
    const { comment, issue, repository, installation, sender } = payload;
    if (issue.pull_request === undefined || installation === undefined) return;
    const author = comment.user;
    if (author === null || author.id !== sender.id) return;
    const bots = context.config.repositories.get(repository.id)?.policy?.bots ?? [];
    // Machines are not answered, ourselves least of all: two bots would talk for ever.
    const isPerson = author.type === 'User' && comment.performed_via_github_app == null;
    if (!isPerson && !(author.type === 'Bot' && bots.includes(author.id))) return;
    const delivery = await getDelivery(context.db, deliveryId);
    await handleComment(
      {
        id: comment.id,
        body: comment.body,
        createdAt: new Date(comment.created_at),
        receivedAt: delivery.receivedAt,
        attempt: delivery.attempts,
        author: { id: author.id, login: author.login, isBot: author.type === 'Bot' },
        repository: {
          id: repository.id,
          owner: repository.owner.login,
          repo: repository.name,
        },
        pullNumber: issue.number,
        installationId: installation.id,
      },
      { ...context, octokit: context.octokitFor(installation.id) },
    );
  });
}
