/**
 * Resumable uploads: sessions that take an object's content in pieces, survive broken connections and a
 * restart of the sandbox, and say how far they are.
 * @see https://cloud.google.com/storage/docs/performing-resumable-uploads
 */
import { randomBytes } from 'node:crypto';
import { rm, stat, truncate, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { jsonSchema } from '../wire/json.ts';
import { readBytes, spool } from '../http.ts';
import { Documents } from '../state/documents.ts';
import { invalid, StorageError } from './storage-error.ts';

const sessionSchema = z.object({
  id: z.string(),
  bucket: z.string(),
  name: z.string(),
  fields: z.record(z.string(), jsonSchema),
  preconditions: z.object({
    generationMatch: z.string().optional(),
    generationNotMatch: z.string().optional(),
    metagenerationMatch: z.string().optional(),
    metagenerationNotMatch: z.string().optional(),
  }),
  /** What the object's metadata promised, to be held against the content. */
  expected: z.object({ md5Hash: z.string().optional(), crc32c: z.string().optional() }),
  createdAtMs: z.number(),
  /** Set when the object is there: a client that missed the answer asks again and gets it. */
  generation: z.string().optional(),
});
export type UploadSession = z.infer<typeof sessionSchema>;

/** How a PUT to a session ended. */
type PutOutcome =
  | { readonly kind: 'incomplete'; readonly receivedBytes: number }
  /** All is here: the file at `path` is the content. */
  | { readonly kind: 'complete'; readonly path: string };

/** Every piece but the last must be a multiple of this. */
const chunkBytes = 256 * 1024;
/** @see https://cloud.google.com/storage/docs/resumable-uploads#session-uris (a week) */
const validMs = 7 * 24 * 3_600_000;

export class UploadSessions {
  readonly #directory: string;
  readonly #sessions: Documents<UploadSession>;

  private constructor(directory: string, sessions: Documents<UploadSession>) {
    this.#directory = directory;
    this.#sessions = sessions;
  }

  static async open(directory: string): Promise<UploadSessions> {
    const sessions = await Documents.open(directory, (value) => sessionSchema.parse(value));
    return new UploadSessions(directory, sessions);
  }

  async begin(
    session: Omit<UploadSession, 'id' | 'createdAtMs' | 'generation'>,
    nowMs: number,
  ): Promise<UploadSession> {
    for (const old of this.#sessions.values()) {
      if (nowMs - old.createdAtMs > validMs) await this.end(old.id);
    }
    const begun = { ...session, id: randomBytes(24).toString('base64url'), createdAtMs: nowMs };
    await this.#sessions.put(begun.id, begun);
    return begun;
  }

  /** @throws StorageError 404 */
  get(id: string): UploadSession {
    const session = this.#sessions.get(id);
    if (session === undefined) {
      throw new StorageError(404, 'notFound', 'The upload session does not exist (any more).');
    }
    return session;
  }

  async end(id: string): Promise<void> {
    await this.#sessions.delete(id);
    await rm(this.#path(id), { force: true });
  }

  /** The session has made this generation of its object. */
  async finish(session: UploadSession, generation: string): Promise<void> {
    await this.#sessions.put(session.id, { ...session, generation });
    await rm(this.#path(session.id), { force: true });
  }

  /** Takes one piece, or answers how much there is. @throws StorageError 400 */
  async receive(session: UploadSession, request: IncomingMessage): Promise<PutOutcome> {
    const path = this.#path(session.id);
    const received = await sizeOf(path);
    const range = parseContentRange(request.headers['content-range']);
    if (range.kind === 'probe') {
      await readBytes(request, chunkBytes);
      return received === range.total
        ? await complete(path, received)
        : { kind: 'incomplete', receivedBytes: received };
    }
    if (range.start > received) {
      throw new StorageError(
        503,
        'backendError',
        `Bytes ${received} to ${range.start - 1} have not arrived yet.`,
      );
    }
    // What is sent again replaces what came before it.
    if (range.start < received) await truncate(path, range.start);
    await spool(request, path);
    const now = await sizeOf(path);
    if (range.end !== undefined && now !== range.end + 1) {
      await truncate(path, Math.min(now, received));
      throw invalid(`The body has not the length that Content-Range says.`);
    }
    if (range.total === undefined && range.end !== undefined) {
      checkChunk(now - range.start);
      return { kind: 'incomplete', receivedBytes: now };
    }
    if (range.total === undefined || now === range.total) return complete(path, now);
    if (now > range.total) {
      await truncate(path, received);
      throw invalid('More bytes were sent than Content-Range says.');
    }
    checkChunk(now - range.start);
    return { kind: 'incomplete', receivedBytes: now };
  }

  #path(id: string): string {
    return join(this.#directory, `${id}.part`);
  }
}

type ContentRange =
  | { readonly kind: 'probe'; readonly total: number | undefined }
  /** Without an end the piece reaches to the end of the body; without a total that is the object's end. */
  | {
      readonly kind: 'piece';
      readonly start: number;
      readonly end: number | undefined;
      readonly total: number | undefined;
    };

function parseContentRange(header: string | undefined): ContentRange {
  if (header === undefined) return { kind: 'piece', start: 0, end: undefined, total: undefined };
  const probe = /^bytes \*\/(\d{1,15}|\*)$/.exec(header);
  if (probe !== null) return { kind: 'probe', total: numberOf(probe[1]) };
  const piece = /^bytes (\d{1,15})-(\d{1,15}|\*)\/(\d{1,15}|\*)$/.exec(header);
  if (piece === null) throw invalid(`Failed to parse Content-Range header: ${header}`);
  return {
    kind: 'piece',
    start: Number(piece[1]),
    end: numberOf(piece[2]),
    total: numberOf(piece[3]),
  };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined || text === '*' ? undefined : Number(text);
}

function checkChunk(bytes: number): void {
  if (bytes % chunkBytes === 0) return;
  throw invalid(
    `Invalid request. The number of bytes uploaded is required to be equal or greater than ${chunkBytes}, except for the final request (it's recommended to be the exact multiple of ${chunkBytes}). The received request contained ${bytes} bytes, which does not meet this requirement.`,
  );
}

async function complete(path: string, size: number): Promise<PutOutcome> {
  // An empty object has sent no byte yet.
  if (size === 0) await writeFile(path, '', { mode: 0o644 });
  return { kind: 'complete', path };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
