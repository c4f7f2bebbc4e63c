/** Clicks on our checks: `check_run` and `check_suite` events in, `handleClick` called for people's. */
import type { Probot } from 'probot';
import { handleClick, type Click, type Clicked } from '../commands/handle-click.ts';
import { getDelivery } from '../store/deliveries.ts';
import type { WebhookContext } from './webhook-context.ts';

/** What the payloads of these events have in common. */
interface Payload {
  readonly sender: { readonly id: number; readonly login: string; readonly type: string };
  readonly repository: { id: number; name: string; owner: { login: string } };
  readonly installation?: { readonly id: number } | undefined;
}

/** Registers the handlers. What they throw reaches whoever called `probot.receive`. */
export function onCheckClicks(probot: Probot, context: WebhookContext): void {
  probot.on('check_run.requested_action', async ({ id, payload }) => {
    const { check_run: check, requested_action: action } = payload;
    if (check.app?.id !== context.appId || action === undefined) return;
    const clicked = { kind: 'button', identifier: action.identifier, runId: check.external_id };
    await handle(id, clicked as Clicked, payload, context);
  });
  probot.on('check_run.rerequested', async ({ id, payload }) => {
    const { check_run: check } = payload;
    if (check.app?.id !== context.appId) return;
    const clicked = { kind: 'rerun', runId: check.external_id } as const;
    await handle(id, clicked, payload, context);
  });
  probot.on('check_suite.rerequested', async ({ id, payload }) => {
    const { check_suite: suite } = payload;
    if (suite.app.id !== context.appId) return;
    const clicked = { kind: 'rerun_all', headSha: suite.head_sha } as const;
    await handle(id, clicked, payload, context);
  });
}

async function handle(
  deliveryId: string,
  clicked: Clicked,
  { sender, repository, installation }: Payload,
  context: WebhookContext,
): Promise<void> {
  // Machines may press buttons too; ours are for people.
  if (sender.type !== 'User' || installation === undefined) return;
  const delivery = await getDelivery(context.db, deliveryId);
  const click: Click = {
    clicked,
    actor: { id: sender.id, login: sender.login },
    repository: { id: repository.id, owner: repository.owner.login, repo: repository.name },
    installationId: installation.id,
    body: delivery.body,
    receivedAt: delivery.receivedAt,
    attempt: delivery.attempts,
  };
  await handleClick(click, { ...context, octokit: context.octokitFor(installation.id) });
}
