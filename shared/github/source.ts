/**
 * The files of a commit, for a build: a repository and a sha in, a `Source` on temporary disk out.
 *
 * The archive that GitHub makes of a commit is not the commit: `export-ignore` leaves files out and
 * `export-subst` rewrites them, both under the control of the pull request. So every file is held against
 * the commit's own tree by its blob id, and what does not fit is refused.
 * @see https://git-scm.com/docs/gitattributes#_creating_an_archive
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import type { Source, SourceFile } from '../ports.ts';
import { ask, send, type Octokit, type RepositoryName } from './client.ts';

/** Far above any source tree, far below what would fill the App's disk. */
const commitLimits = { files: 50_000, bytes: 1024 ** 3 };

interface CommitSource {
  readonly source: Source;
  /** Removes the files; the source cannot be read afterwards. */
  dispose(): Promise<void>;
}

/** Downloading a gigabyte takes a while, hanging for ever is not an option. */
const downloadTimeoutMs = 300_000;
/** Links to links; git itself has no limit, people have. */
const maxLinkHops = 8;

/**
 * Downloads and verifies a commit.
 * @param sha 40 hex digits
 * @throws {UserError} `bad_config` when the archive is not the commit, too large, or holds what cannot be packed
 * @throws {CloudError} when GitHub does not give it
 */
export async function commitSource(
  octokit: Octokit,
  repository: RepositoryName,
  sha: string,
  limits: typeof commitLimits = commitLimits,
): Promise<CommitSource> {
  const tree = await readTree(octokit, repository, sha, limits);
  const archive = await openArchive(octokit, repository, sha);
  const directory = await mkdtemp(join(tmpdir(), 'trainyard-commit-'));
  const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const unpacked = await unpack(archive, directory, limits);
    const files = verified(tree, unpacked);
    return { source: { files: () => Readable.from(files) }, dispose };
  } catch (error) {
    archive.destroy();
    await dispose();
    throw error;
  }
}

interface TreeEntry {
  readonly path: string;
  readonly mode: string;
  readonly sha: string;
}

const treeSchema = z.object({
  truncated: z.boolean(),
  tree: z.array(
    z.object({ path: z.string(), mode: z.string(), type: z.string(), sha: z.string() }),
  ),
});

async function readTree(
  octokit: Octokit,
  { owner, repo }: RepositoryName,
  sha: string,
  limits: typeof commitLimits,
): Promise<readonly TreeEntry[]> {
  const { truncated, tree } = await ask(
    octokit,
    {
      operation: 'git.getTree',
      route: 'GET /repos/{owner}/{repo}/git/trees/{tree_sha}',
      parameters: { owner, repo, tree_sha: sha, recursive: '1' },
    },
    treeSchema,
  );
  // Submodules are `commit` entries: they are not part of this commit's files.
  const blobs = tree.filter(({ type }) => type === 'blob');
  if (truncated || blobs.length > limits.files) throw tooLarge(limits);
  return blobs;
}

async function openArchive(
  octokit: Octokit,
  { owner, repo }: RepositoryName,
  sha: string,
): Promise<Readable> {
  const { data } = await send(octokit, {
    operation: 'repos.downloadTarballArchive',
    route: 'GET /repos/{owner}/{repo}/tarball/{ref}',
    parameters: {
      owner,
      repo,
      ref: sha,
      // Streamed: an archive must not have to fit into memory.
      request: { parseSuccessResponseBody: false, signal: AbortSignal.timeout(downloadTimeoutMs) },
    },
  });
  if (!(data instanceof ReadableStream)) {
    throw new Error('repos.downloadTarballArchive: the answer has no body');
  }
  return Readable.fromWeb(data);
}

interface Unpacked {
  /** Repository path → where its content is, and which blob it is. */
  readonly files: ReadonlyMap<string, { file: string; size: number; blob: string }>;
  /** Repository path → what the symbolic link says. */
  readonly links: ReadonlyMap<string, string>;
}

/** Names in the archive never become names on disk, so none of them can lead out of the directory. */
async function unpack(
  archive: Readable,
  directory: string,
  limits: typeof commitLimits,
): Promise<Unpacked> {
  const files = new Map<string, { file: string; size: number; blob: string }>();
  const links = new Map<string, string>();
  const entries = extract();
  const read = async (): Promise<void> => {
    let bytes = 0;
    for await (const entry of entries) {
      const { type, name, linkname, size } = entry.header;
      // GitHub puts everything below `owner-repo-sha/`.
      const path = name.slice(name.indexOf('/') + 1);
      bytes += size;
      if (files.size + links.size > limits.files || bytes > limits.bytes) throw tooLarge(limits);
      if (type === 'file' || type === 'contiguous-file') {
        const file = join(directory, String(files.size));
        files.set(path, { file, size, blob: await store(entry, file, size) });
      } else {
        if (type === 'symlink') links.set(path, linkname);
        entry.resume();
      }
    }
  };
  try {
    await Promise.all([pipeline(archive, createGunzip(), entries), read()]);
  } catch (error) {
    entries.destroy();
    throw error;
  }
  return { files, links };
}

type Entry = ReturnType<typeof extract> extends AsyncIterable<infer E> ? E : never;

/** @returns the git blob id of what was written */
async function store(entry: Entry, file: string, size: number): Promise<string> {
  const hash = createHash('sha1').update(`blob ${size}\0`);
  const tee = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(entry, tee, createWriteStream(file, { mode: 0o600 }));
  return hash.digest('hex');
}

/** The tree's files with the archive's content; every one must be there, and be what the tree says. */
function verified(tree: readonly TreeEntry[], unpacked: Unpacked): SourceFile[] {
  return tree.map(({ path, mode, sha }) => {
    const isLink = mode === '120000';
    const blob = isLink ? linkBlob(unpacked.links.get(path)) : unpacked.files.get(path)?.blob;
    if (blob !== sha) {
      throw new UserError(
        'bad_config',
        `GitHub's archive of the commit differs from the commit at \`${path}\`.`,
        'Remove `export-ignore` and `export-subst` for it from .gitattributes.',
      );
    }
    const content = unpacked.files.get(isLink ? followLink(path, unpacked.links) : path);
    if (content === undefined || !isPlainPath(path)) {
      throw new UserError(
        'bad_config',
        `\`${path}\` is a link that does not lead to a file of this commit.`,
        'Remove it from the commit.',
      );
    }
    const { file, size } = content;
    return {
      path,
      executable: mode === '100755',
      size,
      open: () => createReadStream(file),
      read: () => readFile(file),
    };
  });
}

function linkBlob(target: string | undefined): string | undefined {
  if (target === undefined) return undefined;
  return createHash('sha1')
    .update(`blob ${Buffer.byteLength(target)}\0${target}`)
    .digest('hex');
}

/** A link is packed as the file that it names, as a working tree's are. */
function followLink(path: string, links: ReadonlyMap<string, string>): string {
  let at = path;
  for (let hop = 0; hop < maxLinkHops; hop++) {
    const target = links.get(at);
    if (target === undefined) return at;
    at = target.startsWith('/') ? target : posix.normalize(posix.join(posix.dirname(at), target));
  }
  return at;
}

function isPlainPath(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

function tooLarge(limits: typeof commitLimits): UserError {
  return new UserError(
    'bad_config',
    `the commit has more than ${limits.files} files or ${limits.bytes / 1024 ** 3} GiB.`,
    'Keep data in a bucket and out of the repository.',
  );
}
