/** One sandbox per data directory: two would write over each other's files. The second one hears where the first is. */
import { lockDirectory, type DirectoryLock, type Holder } from '../shared/lock/directory-lock.ts';

/** Another sandbox has the directory. @internal */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning';
}

/** Makes the directory where it is missing. @throws {AlreadyRunning} */
export function lockData(directory: string): Promise<DirectoryLock> {
  return lockDirectory({ directory, name: 'sandbox', heldBy });
}

function heldBy({ pid, url }: Holder, directory: string): AlreadyRunning {
  const where = url === undefined ? 'is starting' : `is already running at ${url}`;
  return new AlreadyRunning(
    `a sandbox ${where} (process ${pid}, data in ${directory}). Open it, stop it, or choose another --data.`,
  );
}
