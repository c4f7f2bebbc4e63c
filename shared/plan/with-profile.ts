/** `profile=NAME`: a command and the default branch's profiles in, the command with that one's keys out. Pure. */
import type { TrainCommand } from '../command/command.ts';
import { mergeFields } from '../command/parse-keys.ts';
import { quoteToken } from '../command/quote-token.ts';
import type { RepoConfig } from '../config/repo-config.ts';
import type { Refusal } from '../policy/decision.ts';

/** What is typed beats what the profile says. */
export function withProfile(
  command: TrainCommand,
  { profiles }: Pick<RepoConfig, 'profiles'>,
): TrainCommand | Refusal {
  if (command.profile === undefined) return command;
  const profile = profiles?.get(command.profile);
  if (profile !== undefined) return mergeFields({ ...profile, dryRun: false }, command);
  const names = [...(profiles?.keys() ?? [])];
  return {
    kind: 'rejected',
    reason: 'bad_argument',
    message: `The default branch has no profile ${quoteToken(command.profile)}.`,
    fix:
      names.length === 0
        ? 'Declare it under `profiles:` in `.github/trainyard.yml` there.'
        : `Its profiles are ${names.slice(0, 10).map(quoteToken).join(', ')}.`,
  };
}
