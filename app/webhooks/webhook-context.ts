/** What the handlers of all events are given; each acts within the budget of the installation that it is about. */
import type { CommandContext } from '../commands/request.ts';
import type { OctokitFor } from '../github-app.ts';

export interface WebhookContext extends Omit<CommandContext, 'octokit'> {
  readonly octokitFor: OctokitFor;
}
