/**
 * A request's raw body, in bounded memory: nobody's signature is checked yet, so what all requests hold
 * together is bounded too, not only what each may hold.
 */
import type { IncomingMessage } from 'node:http';

/** GitHub's own limit for a payload. */
export const maxBodyBytes = 25 * 1024 ** 2;
/** What each request may hold without asking: nearly all payloads are smaller. */
const freeBytes = 256 * 1024;
/** What all larger ones may hold together. */
const sharedBytes = 64 * 1024 ** 2;

type Body =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  | { readonly kind: 'too_large' }
  /** Others hold too much at the moment. */
  | { readonly kind: 'busy' };

/** One for each server. */
export class BodyReader {
  private held = 0;

  /** @throws what broke the connection, if it broke */
  read(request: IncomingMessage): Promise<Body> {
    // Known from the header, before a byte is read, or else while it streams.
    if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) {
      return Promise.resolve({ kind: 'too_large' });
    }
    let mine = 0;
    // By events, because setting up an iterator costs as much as all else that happens to a small body.
    return new Promise<Body>((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const refuse = (kind: 'too_large' | 'busy'): void => {
        request.off('data', take).pause();
        resolve({ kind });
      };
      const take = (chunk: Buffer): void => {
        bytes += chunk.length;
        if (bytes > maxBodyBytes) return refuse('too_large');
        const more = Math.max(0, bytes - freeBytes) - mine;
        if (this.held + more > sharedBytes) return refuse('busy');
        mine += more;
        this.held += more;
        chunks.push(chunk);
      };
      const lose = (): void => reject(new Error('the connection broke before the body was there'));
      if (request.destroyed) return lose();
      request
        .once('end', () => resolve({ kind: 'read', bytes: joined(chunks) }))
        .once('error', reject)
        .once('close', lose)
        .on('data', take);
    }).finally(() => (this.held -= mine));
  }
}

/** Most bodies come in one piece; a copy of each would bring the next full garbage collection twice as soon. */
function joined(chunks: readonly Buffer[]): Buffer {
  const [first, ...more] = chunks;
  return first !== undefined && more.length === 0 ? first : Buffer.concat(chunks);
}
