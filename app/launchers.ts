/**
 * As whom the App acts at Google: a repository's id and the operator's configuration in, the ports of that
 * repository's launcher out. Never from what a run, a comment or a pull request says.
 *
 * The App's own account may act as the launchers and is given nothing else, so that a mistake in what one
 * repository may do stays in its own project.
 */
import type { ServerConfig } from '../shared/config/server-config.ts';
import type { GoogleOptions, GooglePorts } from '../shared/google/index.ts';
import type { BulkPorts, JobDescriptions } from '../shared/ports.ts';

/** The ports as that service account; undefined: as the App itself. `onCall` is told of each request. */
export type GoogleAs = (
  launcher: string | undefined,
  onCall: NonNullable<GoogleOptions['onCall']>,
) => LauncherPorts;

/** What a run needs, and whoever looks for what no run sees to or what others have spent. */
export type LauncherPorts = GooglePorts &
  Pick<BulkPorts, 'openJobs' | 'openBuilds' | 'startedJobs'> & {
    readonly jobDescriptions: JobDescriptions;
  };

export interface Launchers {
  /** Undefined when the operator does not serve the repository. */
  ofRepository(repositoryId: number): LauncherPorts | undefined;
  /** Any launcher of the project, to look and to cancel on behalf of a repository that is no longer served. */
  ofProject(project: string): LauncherPorts | undefined;
}

/** Each launcher's clients and tokens are made once. */
export function createLaunchers(
  config: ServerConfig,
  googleAs: (launcher: string | undefined) => LauncherPorts,
): Launchers {
  const made = new Map<string | undefined, LauncherPorts>();
  const as = (launcher: string | undefined): LauncherPorts => {
    const ports = made.get(launcher) ?? googleAs(launcher);
    made.set(launcher, ports);
    return ports;
  };
  return {
    ofRepository: (id) => {
      const settings = config.repositories.get(id);
      return settings && as(settings.launcherServiceAccount);
    },
    ofProject: (project) => {
      const settings = [...config.repositories.values()].find((one) => one.project === project);
      return settings && as(settings.launcherServiceAccount);
    },
  };
}

/**
 * What is wrong with having no launcher: nothing with a single repository (`warning`), while several that
 * share the App's own account could each reach what the others may (`refusal`).
 */
export function missingLaunchers(
  config: ServerConfig,
): { readonly kind: 'warning' | 'refusal'; readonly text: string } | undefined {
  const without = [...config.repositories].filter(
    ([, settings]) => settings.launcherServiceAccount === undefined,
  );
  if (without.length === 0) return undefined;
  const ids = without.map(([id]) => id).join(', ');
  return config.repositories.size === 1
    ? {
        kind: 'warning',
        text: `repository ${ids} has no launcher_service_account: the App launches as itself`,
      }
    : {
        kind: 'refusal',
        text: `launcher_service_account is missing for the repositories ${ids}: with several repositories each needs one.`,
      };
}
