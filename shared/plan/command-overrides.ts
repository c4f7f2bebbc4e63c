/** What a comment's keys set beside the job config: a TrainCommand in, JobOverrides out. */
import type { TrainCommand } from '../command/command.ts';
import { escapeExpansion } from './job-arguments.ts';
import type { JobOverrides } from './job-overrides.ts';

/** The label by which jobs of a name are found; ours begin so. */
const nameLabel = 'trainyard-name';

export function commandOverrides(command: TrainCommand): JobOverrides {
  const { replicas, spot, name, env } = command;
  return {
    ...(replicas === undefined ? {} : { replicaCount: replicas }),
    ...(spot === undefined ? {} : { spot }),
    ...(name === undefined ? {} : { displayName: name, labels: { [nameLabel]: name } }),
    ...(env === undefined ? {} : { env: literal(env) }),
  };
}

/** Vertex AI expands `$(NAME)` in variables too; a comment's words are meant as they are. */
function literal(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, escapeExpansion(value)]),
  );
}
