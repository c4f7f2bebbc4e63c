/** One entry of an archive, whatever kind of archive it is. */
import type { Readable } from 'node:stream';
import type { ExtractEvents } from 'tar-stream';

export interface ArchiveEntry {
  readonly name: string;
  /** As tar names them; only some may be unpacked. */
  readonly type: string;
  readonly size: number;
  readonly mode: number;
  readonly linkname: string | null;
  readonly content: Readable | ExtractEvents['entry'][1];
}

/** The archive is damaged, too large, or tries to write where it must not. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}
