/**
 * Makes a directory with those above it. Node's own way does not end where the system says that there is
 * nothing, below a directory that is there, as `/proc` does.
 * @see https://github.com/nodejs/node/blob/v24.0.0/src/node_file.cc (MKDirpAsync: ENOENT leads to the parent, and back)
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const mode = 0o700;

/** Does nothing where it is already. @throws the system's error */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await makeOne(path);
  } catch (error) {
    const isMissingAbove = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!isMissingAbove || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await makeOne(path);
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const isThere = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    // Whatever the error: of a root that cannot be written, some systems say that instead of EEXIST.
    if (!isThere) throw error;
  }
}
