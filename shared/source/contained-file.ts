/**
 * A small text file that is known by its name, in a directory that somebody else may have filled: where a link leads
 * out of the directory, or to no file, its text is not had.
 */
import { constants } from 'node:fs';
import { open, realpath, type FileHandle } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { quoteToken } from '../command/quote-token.ts';
import { UserError } from '../errors.ts';

/**
 * Whether it is what other steps leave in a workspace: tokens of git in `.git/config`, and the credentials of
 * google-github-actions/auth. No ignore file brings them back, and no link leads to them.
 * @param path from the directory on
 * @see https://github.com/google-github-actions/auth (create_credentials_file)
 */
export function holdsSecrets(path: string): boolean {
  return /(?:^|[\\/])(?:\.git|gha-creds-[^\\/]*\.json)(?:[\\/]|$)/i.test(path);
}

/** Far more than anybody writes by hand. */
const maxBytes = 1024 ** 2;

/**
 * @param path from `directory`; undefined comes out when nothing has that name
 * @throws {UserError} `bad_config` for what is no file, lies outside, is too large or may not be read
 */
export async function readContained(directory: string, path: string): Promise<string | undefined> {
  try {
    const target = await realpath(join(directory, path));
    if (!mayBeRead(await realpath(directory), target))
      throw notRead(path, "leads out of it, or to another step's secrets");
    // A pipe that nobody writes to would otherwise be waited for, for ever.
    const file = await open(target, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!(await file.stat()).isFile()) throw notRead(path, 'is no file');
      const content = await readAtMost(file, maxBytes + 1);
      if (content.length > maxBytes)
        throw notRead(path, `has more than ${maxBytes / 1024 ** 2} MiB`);
      return content.toString('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw notRead(path, `cannot be read (${code})`, error);
  }
}

/** Whether a file lies in the directory, and is none of other steps' secrets; both without links. */
export function mayBeRead(directory: string, target: string): boolean {
  return isWithin(directory, target) && !holdsSecrets(relative(directory, target));
}

/** Both without links. */
function isWithin(directory: string, target: string): boolean {
  const path = relative(directory, target);
  return path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}

/** The size that a file has said beforehand is no promise. */
async function readAtMost(file: FileHandle, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  let length = 0;
  while (length < bytes) {
    const { bytesRead } = await file.read(buffer, length, bytes - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

function notRead(path: string, why: string, cause?: unknown): UserError {
  return new UserError(
    'bad_config',
    `${quoteToken(path)} in the workspace ${why}.`,
    'Make it a plain file of the repository.',
    { cause },
  );
}
