/** What the handlers of all events are given; each acts within the budget of the installation that it is about. */
import type { CommandContext } from '../commands/request.ts';
import type { InstalledContext } from './installed-now.ts';

export interface WebhookContext extends Omit<CommandContext, 'octokit'>, InstalledContext {}
