/**
 * Whether the App may see a repository, as GitHub says now. A signed body proves that something happened once, and
 * anybody who has kept one can send it again: it is a hint to look, and what is found decides.
 */
import { CloudError } from '../../shared/errors.ts';
import type { Octokit, RepositoryName } from '../../shared/github/client.ts';
import { installationOf } from '../../shared/github/installations.ts';
import { getRepository, type RepositoryState } from '../../shared/github/repositories.ts';
import type { OctokitFor } from '../github-app.ts';

export interface InstalledContext {
  /** Acts as the App itself. */
  readonly octokitAsApp: Octokit;
  readonly octokitFor: OctokitFor;
}

interface InstalledRepository {
  readonly installationId: number;
  /** Its id is the one that was asked for. */
  readonly state: RepositoryState;
}

/**
 * The repository with that id under one of the names that it had; undefined when no installation covers it there.
 * Two requests for each name, and rarely more than one name.
 * @throws {CloudError} when GitHub cannot say now and may later
 */
export async function installedNow(
  id: number,
  names: readonly RepositoryName[],
  context: InstalledContext,
): Promise<InstalledRepository | undefined> {
  const distinct = new Map(names.map((name) => [`${name.owner}/${name.repo}`, name]));
  for (const name of distinct.values()) {
    const found = await installedUnder(name, context);
    // A name can lead to another repository by now.
    if (found?.state.id === id) return found;
  }
  return undefined;
}

async function installedUnder(
  name: RepositoryName,
  { octokitAsApp, octokitFor }: InstalledContext,
): Promise<InstalledRepository | undefined> {
  const installationId = await installationOf(octokitAsApp, name);
  if (installationId === undefined) return undefined;
  try {
    return { installationId, state: await getRepository(octokitFor(installationId), name) };
  } catch (error) {
    // It went away between the two questions.
    if (error instanceof CloudError && goneStatuses.has(error.status) && !error.retryable)
      return undefined;
    throw error;
  }
}

const goneStatuses: ReadonlySet<number> = new Set([403, 404, 410, 451]);
