/** `/help`: what there is to say. */
import type { HelpCommand } from '../../shared/command/command.ts';
import { commandRegistry } from '../../shared/command/command-registry.ts';
import { renderHelp } from '../../shared/report/help.ts';
import type { Answer } from './request.ts';

export function help({ topic }: HelpCommand): Answer {
  return { verdict: 'answered', reason: null, body: renderHelp(commandRegistry, topic) };
}
