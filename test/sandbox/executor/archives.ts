/** Archives for tests, honest and hostile ones. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';

export type TestEntry = Partial<Header> & { name: string; content?: string };

/** A .tgz with exactly these entries. */
export async function archive(entries: readonly TestEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...header } of entries) {
    if (content === undefined) tar.entry({ type: 'directory', ...header });
    else tar.entry(header, content);
  }
  tar.finalize();
  return gzipSync(await buffer(tar));
}

export function filesOf(files: Readonly<Record<string, string>>): TestEntry[] {
  return Object.entries(files).map(([name, content]) => ({ name, content, mode: 0o644 }));
}

export function streamOf(bytes: Buffer): NodeJS.ReadableStream {
  return Readable.from([bytes]);
}

export interface ZipEntry {
  readonly name: string;
  readonly content: string;
  /** Of Unix, with the file's type. */
  readonly mode?: number;
  readonly isStored?: boolean;
  /** What the archive says of it, where that is not so. */
  readonly claims?: { readonly size?: number; readonly crc?: number; readonly flags?: number };
}

/**
 * A .zip with exactly these entries.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT 4.3
 */
export function zip(entries: readonly ZipEntry[], comment = ''): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, mode = 0, isStored = false, claims = {} } of entries) {
    const plain = Buffer.from(content);
    const packed = isStored ? plain : deflateRawSync(plain);
    // From the flags to the length of the extra field, which both headers have.
    const common = Buffer.alloc(24);
    common.writeUInt16LE(claims.flags ?? 0, 0);
    common.writeUInt16LE(isStored ? 0 : 8, 2);
    common.writeUInt32LE(claims.crc ?? crc32(plain), 8);
    common.writeUInt32LE(packed.length, 12);
    common.writeUInt32LE(claims.size ?? plain.length, 16);
    common.writeUInt16LE(Buffer.byteLength(name), 20);
    const local = Buffer.concat([
      Buffer.from('PK\x03\x04\x14\0'),
      common,
      Buffer.from(name),
      packed,
    ]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(mode * 0x10000, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from('PK\x01\x02\x14\x03\x14\0'), common, rest, Buffer.from(name)]),
    );
    locals.push(local);
    offset += local.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(size, 8);
  end.writeUInt32LE(offset, 12);
  end.writeUInt16LE(Buffer.byteLength(comment), 16);
  return Buffer.concat([
    ...locals,
    ...directory,
    Buffer.from('PK\x05\x06'),
    end,
    Buffer.from(comment),
  ]);
}
