/**
 * Layers. In: the files of one layer, wherever they lie. Out: a tar.gz whose bytes depend on nothing but
 * their paths, modes and contents (no times, owners or order of arrival), and its two digests.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { PassThrough, Transform } from 'node:stream';
import { createGzip } from 'node:zlib';
import { pack, type Header, type Pack } from 'tar-stream';
import type { Descriptor } from '../registry/registry.ts';

/** One entry; paths are relative to the image's root, without a leading slash. */
export type LayerEntry =
  | { readonly type: 'directory'; readonly path: string; readonly mode: number }
  | {
      readonly type: 'file';
      readonly path: string;
      readonly mode: number;
      readonly size: number;
      readonly from: string;
    }
  | { readonly type: 'symlink'; readonly path: string; readonly target: string };

export interface PackedLayer extends Descriptor {
  /** The digest of the tar before compression, as image configs list it. */
  readonly diffId: string;
}

/** Writes the layer through `store`, which is given compressed bytes. */
export async function packLayer(
  entries: readonly LayerEntry[],
  store: (content: AsyncIterable<Uint8Array>) => Promise<Descriptor>,
): Promise<PackedLayer> {
  const tar = pack();
  const hash = createHash('sha256');
  const hasher = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const compressed = new PassThrough();
  const streaming = pipeline(tar, hasher, createGzip({ level: 6 }), compressed);
  const filling = fill(tar, entries).catch((error: unknown) => {
    tar.destroy(error as Error);
    throw error;
  });
  const [descriptor] = await Promise.all([store(compressed), streaming, filling]);
  return { ...descriptor, diffId: `sha256:${hash.digest('hex')}` };
}

async function fill(tar: Pack, entries: readonly LayerEntry[]): Promise<void> {
  const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  for (const entry of sorted) await add(tar, entry);
  tar.finalize();
}

async function add(tar: Pack, entry: LayerEntry): Promise<void> {
  const common = { uid: 0, gid: 0, uname: '', gname: '', mtime: new Date(0) };
  switch (entry.type) {
    case 'directory':
      await addWhole(tar, {
        ...common,
        name: `${entry.path}/`,
        type: 'directory',
        mode: entry.mode,
      });
      return;
    case 'symlink':
      await addWhole(tar, {
        ...common,
        name: entry.path,
        type: 'symlink',
        linkname: entry.target,
        mode: 0o777,
      });
      return;
    case 'file': {
      const header = { ...common, name: entry.path, mode: entry.mode, size: entry.size };
      // A file that grows while it is read would corrupt the archive: tar-stream then reports the mismatch.
      await pipeline(createReadStream(entry.from), tar.entry({ ...header, type: 'file' }));
    }
  }
}

function addWhole(tar: Pack, header: Partial<Header> & Pick<Header, 'name'>): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry(header, (error) => (error ? reject(error) : resolve()));
  });
}
