/** What is needed to keep triggers: the repositories that are served, and whom to act as. */
import type { Kysely } from 'kysely';
import type { ProjectSettings } from '../../shared/config/project-settings.ts';
import type { ServerConfig } from '../../shared/config/server-config.ts';
import type { Octokit, RepositoryName } from '../../shared/github/client.ts';
import type { Clock } from '../../shared/ports.ts';
import type { OctokitFor } from '../github-app.ts';
import type { Launchers } from '../launchers.ts';
import type { Logger } from '../log.ts';
import type { Tables } from '../store/tables.ts';

export interface TriggersContext {
  readonly db: Kysely<Tables>;
  readonly clock: Clock;
  readonly config: ServerConfig;
  readonly launchers: Launchers;
  /** Acts as the App itself. */
  readonly octokitAsApp: Octokit;
  readonly octokitFor: OctokitFor;
  readonly appId: number;
  /** `https://github.com` */
  readonly githubUrl: string;
  readonly sandbox: boolean;
  /** Unique to this process life: who holds a lease. */
  readonly incarnation: string;
  readonly log: Logger;
}

/** A repository of the operator's configuration, and how to reach it. */
export interface TriggersSubject {
  readonly repository: RepositoryName & { readonly id: number };
  readonly octokit: Octokit;
  /** The commit that is looked at; undefined is the default branch's. */
  readonly headSha?: string;
}

/** Who may build for triggers; the first does unless a declaration names another one. */
export function triggerAccounts(settings: ProjectSettings): readonly string[] {
  const { builderServiceAccounts: tiers, triggerServiceAccounts: others = [] } = settings;
  // Branches and pull requests start triggers, so it is the builder of code that nobody has merged.
  const builder = tiers?.pull ?? settings.builderServiceAccount;
  return [...new Set([...(builder === undefined ? [] : [builder]), ...others])];
}

/** Where triggers may be; the first is where they are unless a declaration names another one. */
export function triggerRegions({ buildRegion, regions }: ProjectSettings): readonly string[] {
  return [...new Set([buildRegion, ...regions])];
}
