/** Each command and the file that sees to it. A new kind of command does not compile until it is here. */
import type { Command } from '../../shared/command/command.ts';
import { approve } from './approve.ts';
import { cancel } from './cancel.ts';
import { compare } from './compare.ts';
import { cost } from './cost.ts';
import { help } from './help.ts';
import { logs } from './logs.ts';
import type { CommandContext, CommandRequest, Outcome } from './request.ts';
import { retry } from './retry.ts';
import { status } from './status.ts';
import { train } from './train.ts';
import { trigger } from './trigger.ts';

/** Decides what the command comes to; only what stops something has effects of its own here. */
export function carryOut(
  command: Command,
  request: CommandRequest,
  context: CommandContext,
): Outcome | Promise<Outcome> {
  switch (command.kind) {
    case 'train':
    case 'build':
      return train(command, request, context);
    case 'retry':
      return retry(command, request, context);
    case 'cancel':
      return cancel(command, request, context);
    case 'status':
      return status(request, context);
    case 'logs':
      return logs(command, request, context);
    case 'compare':
      return compare(command, request, context);
    case 'cost':
      return cost(request, context);
    case 'help':
      return help(command);
    case 'approve':
      return approve(command, request, context);
    case 'trigger':
      return trigger(command, request, context);
  }
}
