/**
 * One process per data directory. PGlite does not lock its directory, and two processes on one lose
 * committed rows without an error.
 * @see https://github.com/electric-sql/pglite/issues/1106
 */
import { UserError } from '../../shared/errors.ts';
import { lockDirectory as takeLock, type Holder } from '../../shared/lock/directory-lock.ts';

/**
 * Takes the lock of a directory, which is made when it is missing.
 * @returns a function that gives the lock back
 * @throws {UserError} `bad_config` when another living process holds it
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const lock = await takeLock({ directory, name: 'app', heldBy });
  return () => lock.release();
}

function heldBy({ pid }: Holder, directory: string): UserError {
  return new UserError(
    'bad_config',
    `the data directory ${directory} is in use by process ${pid}.`,
    'Stop that process, choose another TRAINYARD_DATA, or use DATABASE_URL for several replicas.',
  );
}
