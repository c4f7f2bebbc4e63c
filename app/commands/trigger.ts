/** `/trigger`: nobody can give it while the command registry does not list it. */
import type { TriggerCommand } from '../../shared/command/command.ts';
import { control } from './control.ts';
import type { Answer, CommandContext, CommandRequest } from './request.ts';

export function trigger(
  _command: TriggerCommand,
  request: CommandRequest,
  context: CommandContext,
): Promise<Answer> {
  return control(request, context, () =>
    Promise.resolve({
      kind: 'rejected',
      reason: 'unknown_command',
      message: 'Triggers cannot be commanded in this installation of Trainyard.',
      fix: 'Run them in the Google Cloud console.',
    }),
  );
}
