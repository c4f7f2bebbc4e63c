/**
 * Packs a build context: the files of a `Source` in, a deterministic tar.gz on disk and its content hash
 * out. The same files give the same bytes whoever packs them and whenever, which is what lets an image
 * be named by what goes into it.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack as createTar, type Pack } from 'tar-stream';
import { UserError } from '../errors.ts';
import type { Source, SourceFile } from '../ports.ts';

/** Far above any source tree, far below what would hurt: data belongs in a bucket, not in an image. */
export const packLimits = { files: 50_000, bytes: 5 * 1024 ** 3 };

export interface PackedSource {
  /** Path of the tar.gz in a private temporary directory. */
  readonly path: string;
  /** Hex sha256 of the tar before compression. */
  readonly contentHash: string;
  readonly files: number;
  /** Sum of the files' sizes in bytes. */
  readonly bytes: number;
  /** Removes the archive. */
  dispose(): Promise<void>;
}

/** @throws {UserError} `bad_config` when the context is empty or larger than `packLimits`. */
export async function packSource(source: Source): Promise<PackedSource> {
  const files = await collect(source);
  const directory = await mkdtemp(join(tmpdir(), 'trainyard-source-'));
  const path = join(directory, 'source.tgz');
  const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const tar = createTar();
    const hash = createHash('sha256');
    const tee = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    // Level 6 is zlib's own balance; the archive is uploaded once and read once.
    const written = pipeline(tar, tee, createGzip({ level: 6 }), createWriteStream(path));
    await Promise.all([written, addFiles(tar, files)]);
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    return { path, contentHash: hash.digest('hex'), files: files.length, bytes, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function collect(source: Source): Promise<readonly SourceFile[]> {
  const files: SourceFile[] = [];
  let bytes = 0;
  for await (const file of source.files()) {
    files.push(file);
    bytes += file.size;
    if (files.length > packLimits.files || bytes > packLimits.bytes) {
      throw new UserError(
        'bad_config',
        `the build context has more than ${packLimits.files} files or ${packLimits.bytes / 1024 ** 3} GiB.`,
        'List what the image does not need in .dockerignore, and keep data in a bucket.',
      );
    }
  }
  if (files.length === 0) {
    throw new UserError(
      'bad_config',
      'the build context has no files.',
      'Check the context directory and the ignore files.',
    );
  }
  // Code units, not the locale: the order must be the same on every machine.
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function addFiles(tar: Pack, files: readonly SourceFile[]): Promise<void> {
  try {
    for (const file of files) {
      const entry = tar.entry({
        name: file.path,
        size: file.size,
        mode: file.executable ? 0o755 : 0o644,
        mtime: new Date(0),
        uid: 0,
        gid: 0,
        uname: '',
        gname: '',
      });
      await pipeline(file.open(), entry);
    }
    tar.finalize();
  } catch (error) {
    tar.destroy(error instanceof Error ? error : new Error('packing failed', { cause: error }));
    throw error;
  }
}
