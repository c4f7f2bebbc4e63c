/**
 * The entries of a zip archive that a stranger made, by its central directory: a path in, headers and
 * contents out. Only what archives of source have: stored and deflated entries, no encryption, no zip64.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT 4.3 and 4.4
 */
import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { pipeline, Readable, Transform, type TransformCallback } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { ArchiveError, type ArchiveEntry } from './archive-entry.ts';

const endSignature = 0x06054b50;
const endBytes = 22;
const maxCommentBytes = 0xffff;
const centralSignature = 0x02014b50;
const centralBytes = 46;
const localSignature = 0x04034b50;
const localBytes = 30;
/** 200,000 entries with long names; beyond, nobody packed source. */
const maxDirectoryBytes = 64 * 1024 ** 2;
const isEncrypted = 1;
/** What Unix keeps of a file's type in the upper half of the external attributes. */
const typeMask = 0o170000;
const symlinkType = 0o120000;

interface ZipRecord {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  readonly offset: number;
  /** Of Unix; 0 where it was made elsewhere. */
  readonly mode: number;
}

export function isZip(start: Uint8Array): boolean {
  return start[0] === 0x50 && start[1] === 0x4b;
}

/** Each content must be read before the next entry is asked for. @throws {ArchiveError} */
export async function* readZip(path: string): AsyncGenerator<ArchiveEntry> {
  const file = await open(path);
  try {
    for (const record of await readDirectory(file)) {
      const { name, size } = record;
      const isDirectory = name.endsWith('/');
      const header = { name, size, mode: modeOf(record.mode, isDirectory), linkname: null };
      const content = isDirectory ? Readable.from([]) : await openContent(path, file, record);
      if (isDirectory) yield { ...header, type: 'directory', content };
      else if ((record.mode & typeMask) !== symlinkType) yield { ...header, type: 'file', content };
      else yield { ...header, type: 'symlink', ...(await linkOf(record, content)) };
    }
  } finally {
    await file.close();
  }
}

function modeOf(mode: number, isDirectory: boolean): number {
  if (mode !== 0) return mode & 0o777;
  return isDirectory ? 0o755 : 0o644;
}

async function linkOf(
  { name, size }: ZipRecord,
  content: Readable,
): Promise<Pick<ArchiveEntry, 'linkname' | 'content'>> {
  if (size > 4_096) throw new ArchiveError(`${name}: a link's target of ${size} bytes`);
  const target = Buffer.concat(await content.toArray());
  return { linkname: target.toString(), content: Readable.from([]) };
}

async function readDirectory(file: FileHandle): Promise<ZipRecord[]> {
  const { size } = await file.stat();
  const tail = await readAt(file, Math.max(0, size - endBytes - maxCommentBytes), size);
  const at = findEnd(tail);
  const count = tail.readUInt16LE(at + 10);
  const bytes = tail.readUInt32LE(at + 12);
  const offset = tail.readUInt32LE(at + 16);
  if (count === 0xffff || offset === 0xffffffff) {
    throw new ArchiveError('the zip archive is a zip64 one, which the sandbox does not read');
  }
  if (bytes > maxDirectoryBytes || offset + bytes > size) throw damaged('its directory');
  const directory = await readAt(file, offset, offset + bytes);
  const records: ZipRecord[] = [];
  let next = 0;
  for (let index = 0; index < count; index++) {
    const { record, length } = readRecord(directory, next);
    records.push(record);
    next += length;
  }
  return records;
}

/** The end record is behind everything but a comment, which may hold anything. */
function findEnd(tail: Buffer): number {
  for (let at = tail.length - endBytes; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== endSignature) continue;
    if (at + endBytes + tail.readUInt16LE(at + 20) === tail.length) return at;
  }
  throw damaged('its end');
}

function readRecord(directory: Buffer, at: number): { record: ZipRecord; length: number } {
  if (at + centralBytes > directory.length) throw damaged('its directory');
  if (directory.readUInt32LE(at) !== centralSignature) throw damaged('its directory');
  const nameEnd = at + centralBytes + directory.readUInt16LE(at + 28);
  const length = nameEnd - at + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  if (at + length > directory.length) throw damaged('its directory');
  const name = directory.toString('utf8', at + centralBytes, nameEnd);
  if ((directory.readUInt16LE(at + 8) & isEncrypted) !== 0) {
    throw new ArchiveError(`${name}: it is encrypted`);
  }
  const record: ZipRecord = {
    name,
    method: directory.readUInt16LE(at + 10),
    crc: directory.readUInt32LE(at + 16),
    packedSize: directory.readUInt32LE(at + 20),
    size: directory.readUInt32LE(at + 24),
    mode: directory.readUInt16LE(at + 40),
    offset: directory.readUInt32LE(at + 42),
  };
  return { record, length };
}

async function openContent(path: string, file: FileHandle, record: ZipRecord): Promise<Readable> {
  const { name, method, packedSize, offset } = record;
  if (method !== 0 && method !== 8) {
    throw new ArchiveError(`${name}: packed by method ${method}, which the sandbox does not know`);
  }
  const local = await readAt(file, offset, offset + localBytes);
  if (local.length < localBytes || local.readUInt32LE(0) !== localSignature) throw damaged(name);
  // Its name and extra field may be others than the directory's.
  const start = offset + localBytes + local.readUInt16LE(26) + local.readUInt16LE(28);
  const packed =
    packedSize === 0
      ? Readable.from([])
      : createReadStream(path, { start, end: start + packedSize - 1 });
  const checked = new CheckedContent(record);
  const inflating = method === 8 && packedSize > 0 ? [createInflateRaw()] : [];
  // Whoever reads it hears of what goes wrong; an entry that nobody reads harms nobody.
  pipeline([packed, ...inflating, checked], () => undefined);
  checked.on('error', () => undefined);
  return checked;
}

/** The size and the checksum must be those that the directory promises: no more is unpacked than was counted. */
class CheckedContent extends Transform {
  readonly #record: ZipRecord;
  #size = 0;
  #crc = 0;

  constructor(record: ZipRecord) {
    super();
    this.#record = record;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#size += chunk.length;
    if (this.#size > this.#record.size) return done(damaged(this.#record.name));
    this.#crc = crc32(chunk, this.#crc);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    const { size, crc, name } = this.#record;
    done(this.#size === size && this.#crc === crc ? null : damaged(name));
  }
}

async function readAt(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.max(0, end - start));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
  return buffer.subarray(0, bytesRead);
}

function damaged(what: string): ArchiveError {
  return new ArchiveError(`the zip archive is damaged: ${what}`);
}
