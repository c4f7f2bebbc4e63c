/** Archives for tests, honest and hostile ones. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
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
