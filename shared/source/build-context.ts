/**
 * A build context: the files of a `Source` in, their content hash and a deterministic tar.gz out. The same
 * files give the same bytes whoever packs them and whenever, which is what lets an image be named by what
 * goes into it. The hash is known before a byte is packed, so a context whose image exists is only read.
 */
import { createHash } from 'node:crypto';
import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack as createTar, type Pack } from 'tar-stream';
import { UserError } from '../errors.ts';
import type { Source, SourceFile } from '../ports.ts';
import { gzip, release } from './gzip.ts';

/** Far above any source tree, far below what would hurt: data belongs in a bucket, not in an image. */
const contextLimits = { files: 50_000, bytes: 5 * 1024 ** 3 };

export interface BuildContext {
  /** In the order in which they are packed. */
  readonly files: readonly SourceFile[];
  /** Sum of the files' sizes. */
  readonly bytes: number;
  /** Hex sha256 of the tar before compression: of the files' names, modes and contents. */
  readonly contentHash: string;
}

/** @throws {UserError} `bad_config` when the context is empty or larger than `contextLimits`. */
export async function readContext(source: Source): Promise<BuildContext> {
  const files = keepSmall(await filesOf(source));
  const hash = createHash('sha256');
  const nowhere = new Writable({
    write(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      release(chunk);
      done();
    },
  });
  const tar = createTar();
  await Promise.all([pipeline(tar, nowhere), addFiles(tar, files)]);
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  return { files, bytes, contentHash: hash.digest('hex') };
}

/**
 * The archive, as it is made: nothing of it is kept in memory or on disk. Fails with a `UserError` when a
 * file is no longer what it was when the context was read: the image would not be what its name says.
 */
export function packContext(context: BuildContext): Readable {
  const hash = createHash('sha256');
  const guard = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      done(hash.digest('hex') === context.contentHash ? null : changedMeanwhile());
    },
  });
  const tar = createTar();
  // Errors of the streams before reach whoever reads the archive.
  const fail = (error: unknown): unknown => guard.destroy(error as Error);
  pipeline(tar, guard).catch(fail);
  addFiles(tar, context.files).catch(fail);
  const archive = Readable.from(gzip(guard), { objectMode: false });
  archive.once('close', () => guard.destroy());
  return archive;
}

/**
 * All files, in the order in which they are packed.
 * @throws {UserError} `bad_config` when there are none, or more than `contextLimits`
 */
export async function filesOf(source: Source): Promise<readonly SourceFile[]> {
  const files: SourceFile[] = [];
  let bytes = 0;
  for await (const file of source.files()) {
    files.push(file);
    bytes += file.size;
    if (files.length > contextLimits.files || bytes > contextLimits.bytes) {
      throw new UserError(
        'bad_config',
        `the build context has more than ${contextLimits.files} files or ${contextLimits.bytes / 1024 ** 3} GiB.`,
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

/** Files up to this size are read whole. */
const smallBytes = 64 * 1_024;
/** How many files are asked for together: one at a time, each would wake a sleeping thread. */
const batchFiles = 128;
/** How much of them is kept from reading the context to packing it: opening a file takes longer than its bytes. */
const keptBytes = 16 * 1024 ** 2;

/** The files, of which the first small ones are read only once. */
function keepSmall(files: readonly SourceFile[]): readonly SourceFile[] {
  let left = keptBytes;
  return files.map((file) => {
    if (file.size > Math.min(smallBytes, left)) return file;
    left -= file.size;
    let content: Promise<Buffer> | undefined;
    return { ...file, read: () => (content ??= file.read()) };
  });
}

async function addFiles(tar: Pack, files: readonly SourceFile[]): Promise<void> {
  try {
    for (let at = 0; at < files.length; at += batchFiles) {
      const batch = files.slice(at, at + batchFiles);
      const contents = await Promise.all(
        batch.map(async (file) => (file.size <= smallBytes ? file.read() : undefined)),
      );
      for (const [index, file] of batch.entries()) {
        const content = contents[index];
        if (content === undefined) await addLargeFile(tar, file);
        else await addSmallFile(tar, file, content);
      }
    }
    tar.finalize();
  } catch (error) {
    tar.destroy(error as Error);
    throw error;
  }
}

async function addSmallFile(tar: Pack, file: SourceFile, content: Buffer): Promise<void> {
  if (content.length !== file.size) throw changedMeanwhile();
  await new Promise<void>((resolve, reject) => {
    tar.entry(headerOf(file), content, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

async function addLargeFile(tar: Pack, file: SourceFile): Promise<void> {
  // The entry first: it cannot be had of an archive that was given up, and the file would stay open.
  const entry = tar.entry(headerOf(file));
  await pipeline(file.open(), exactly(file.size), entry);
}

/** Nothing in it depends on the machine or the day. */
function headerOf({ path, size, executable }: SourceFile): Parameters<Pack['entry']>[0] {
  const mode = executable ? 0o755 : 0o644;
  const nobody = { uid: 0, gid: 0, uname: '', gname: '' };
  return { name: path, size, mode, mtime: new Date(0), ...nobody };
}

/** An entry's header says how long it is before its content is read. */
function exactly(size: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > size) done(changedMeanwhile());
      else done(null, chunk);
    },
    flush(done) {
      done(bytes === size ? null : changedMeanwhile());
    },
  });
}

function changedMeanwhile(): UserError {
  return new UserError(
    'bad_config',
    'a file of the build context changed while it was packed.',
    'Let what writes into the context finish first, or list what it writes in .gcloudignore.',
  );
}
