/** Installations of the App as they are now, asked for as the App itself. */
import { z } from 'zod';
import { githubId } from '../config/policy-rules.ts';
import { askOptional, inRepository, type Octokit, type RepositoryName } from './client.ts';

const installationSchema = z.object({ id: githubId, suspended_at: z.string().nullish() });

/**
 * Whether an installation is there and not suspended.
 * @see https://docs.github.com/en/rest/apps/apps#get-an-installation-for-the-authenticated-app
 */
export async function isInstalled(app: Octokit, installationId: number): Promise<boolean> {
  const found = await askOptional(
    app,
    {
      operation: 'apps.getInstallation',
      route: 'GET /app/installations/{installation_id}',
      parameters: { installation_id: installationId },
    },
    installationSchema,
  );
  return found !== undefined && !found.suspended_at;
}

/**
 * The id of the installation that covers the repository of that name; undefined when none does, or when it is
 * suspended. An installation's own token does not tell: it reads everybody's public repositories.
 * @see https://docs.github.com/en/rest/apps/apps#get-a-repository-installation-for-the-authenticated-app
 */
export async function installationOf(
  app: Octokit,
  repository: RepositoryName,
): Promise<number | undefined> {
  const found = await askOptional(
    app,
    {
      operation: 'apps.getRepoInstallation',
      route: 'GET /repos/{owner}/{repo}/installation',
      parameters: { ...inRepository(repository) },
    },
    installationSchema,
  );
  return found === undefined || found.suspended_at ? undefined : found.id;
}
