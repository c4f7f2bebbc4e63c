/** `/approve`: nobody can give it while the command registry does not list it. */
import type { ApproveCommand } from '../../shared/command/command.ts';
import { control } from './control.ts';
import type { Answer, CommandContext, CommandRequest } from './request.ts';

export function approve(
  _command: ApproveCommand,
  request: CommandRequest,
  context: CommandContext,
): Promise<Answer> {
  return control(request, context, () =>
    Promise.resolve({
      kind: 'rejected',
      reason: 'unknown_command',
      message: 'Forks cannot be approved in this installation of Trainyard.',
      fix: 'Push the branch to this repository after reading it, and open a pull request from there.',
    }),
  );
}
