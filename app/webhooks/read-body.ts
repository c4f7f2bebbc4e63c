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

export type Body =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  | { readonly kind: 'too_large' }
  /** Others hold too much at the moment. */
  | { readonly kind: 'busy' };

/** One for each server. */
export class BodyReader {
  private held = 0;

  async read(request: IncomingMessage): Promise<Body> {
    // Known from the header, before a byte is read, or else while it streams.
    if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) return { kind: 'too_large' };
    const chunks: Buffer[] = [];
    let bytes = 0;
    let mine = 0;
    try {
      for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        bytes += (chunk as Buffer).length;
        if (bytes > maxBodyBytes) return { kind: 'too_large' };
        const more = Math.max(0, bytes - freeBytes) - mine;
        if (this.held + more > sharedBytes) return { kind: 'busy' };
        mine += more;
        this.held += more;
        chunks.push(chunk as Buffer);
      }
      return { kind: 'read', bytes: Buffer.concat(chunks) };
    } finally {
      this.held -= mine;
    }
  }
}
