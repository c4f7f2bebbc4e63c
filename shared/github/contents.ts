/** Single files of a repository at a commit, small ones only. */
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { askOptional, inRepository, type Octokit, type RepositoryName } from './client.ts';

/** Above any configuration file; also where the contents API stops sending content. */
const maxBytes = 1024 ** 2;

/** A directory is answered with a list. */
const contentSchema = z.union([
  z.array(z.unknown()),
  z.object({
    type: z.string(),
    size: z.number(),
    encoding: z.string().optional(),
    content: z.string().optional(),
  }),
]);

/**
 * The file's text, or undefined when there is no such file (a directory, link or submodule is none).
 * @param ref a commit's sha; undefined means the default branch
 * @throws {UserError} `bad_config` when it is larger than 1 MiB
 */
export async function readTextFile(
  octokit: Octokit,
  repository: RepositoryName,
  path: string,
  ref?: string,
): Promise<string | undefined> {
  if (!isPlainPath(path)) return undefined;
  const file = await askOptional(
    octokit,
    {
      operation: 'repos.getContent',
      route: 'GET /repos/{owner}/{repo}/contents/{path}',
      parameters: { ...inRepository(repository), path, ...(ref === undefined ? {} : { ref }) },
    },
    contentSchema,
  );
  if (file === undefined || Array.isArray(file) || file.type !== 'file') return undefined;
  if (file.size > maxBytes || file.encoding !== 'base64') {
    throw new UserError(
      'bad_config',
      `\`${path}\` is larger than 1 MiB.`,
      'Name a smaller file: configuration is read from it, not data.',
    );
  }
  return Buffer.from(file.content ?? '', 'base64').toString('utf8');
}

/** The path goes into a URL, where `..` would lead to another endpoint. */
function isPlainPath(path: string): boolean {
  return (
    path !== '' &&
    path.length <= 1_024 &&
    // Half a character has no place in a URL.
    path.isWellFormed() &&
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}
