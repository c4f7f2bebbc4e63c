/** The git processes that a sandbox has started, as Linux knows them. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Resolves when no http-backend serves that directory any more: told how much to read, it would read what
 * never comes, at full speed, for ever.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_environ.5.html
 */
export async function gitHasEnded(dataDir: string): Promise<void> {
  while ((await gitProcesses(dataDir)).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function gitProcesses(dataDir: string): Promise<string[]> {
  // Other systems have no such directory, and nothing is looked at there.
  const ids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const environments = await Promise.all(
    ids.map((id) => readFile(`/proc/${id}/environ`, 'utf8').catch(() => '')),
  );
  const ours = `GIT_PROJECT_ROOT=${join(dataDir, 'git')}\0`;
  return ids.filter((_, at) => environments[at]?.includes(ours) === true);
}
