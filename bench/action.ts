/** The Action as a runner starts it: inputs in, the command out. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from './command.ts';

export const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');

interface Step {
  readonly workspace: string;
  readonly endpoint: string;
  readonly inputs: Readonly<Record<string, string>>;
}

export function action({ workspace, endpoint, inputs }: Step): Command {
  const named = Object.entries({ project_id: 'demo-project', ...inputs }).map(
    ([name, value]) => [`INPUT_${name.toUpperCase()}`, value] as const,
  );
  return {
    command: [process.execPath, join(dist, 'index.js')],
    env: {
      PATH: process.env['PATH'] ?? '',
      GITHUB_WORKSPACE: workspace,
      TRAINYARD_GOOGLE_ENDPOINT: endpoint,
      ...Object.fromEntries(named),
    },
    cwd: workspace,
  };
}
