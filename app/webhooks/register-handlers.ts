/** Every event that the App does something about: a Probot and what the handlers need in, all of them registered. */
import type { Probot } from 'probot';
import type { TriggersContext } from '../triggers/context.ts';
import { onAccessLost } from './access-lost.ts';
import { onBasePush } from './base-run.ts';
import { onCheckClicks } from './check-run.ts';
import { onConfigChange } from './config-check.ts';
import { onInstallation } from './installation.ts';
import { onIssueComment } from './issue-comment.ts';
import { onNewHead } from './new-head.ts';
import { onPush } from './push.ts';
import { onCommitToSummarise } from './summary-check.ts';
import { onTriggerDeclaration } from './trigger-declaration.ts';
import type { WebhookContext } from './webhook-context.ts';

export function registerHandlers(
  probot: Probot,
  context: WebhookContext,
  triggers: TriggersContext & { readonly wakeTriggers: () => void },
): void {
  const hints = { ...context, wakeTriggers: triggers.wakeTriggers };
  onIssueComment(probot, context);
  onCheckClicks(probot, context);
  onNewHead(probot, context);
  onConfigChange(probot, context);
  onCommitToSummarise(probot, context);
  onAccessLost(probot, context);
  onBasePush(probot, context);
  onPush(probot, hints);
  onInstallation(probot, hints);
  onTriggerDeclaration(probot, triggers);
}
