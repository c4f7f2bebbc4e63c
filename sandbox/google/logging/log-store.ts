/**
 * Log entries of all resources: kept in memory and in one append-only file per resource. A last line that
 * a crash has cut off is dropped.
 */
import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { jsonSchema } from '../wire/json.ts';

const entrySchema = z.object({
  logName: z.string(),
  resource: z.object({ type: z.string(), labels: z.record(z.string(), z.string()) }),
  /** RFC 3339 with nanoseconds. */
  timestamp: z.string(),
  receiveTimestamp: z.string(),
  severity: z.string(),
  insertId: z.string(),
  labels: z.record(z.string(), z.string()).optional(),
  textPayload: z.string().optional(),
  jsonPayload: z.record(z.string(), jsonSchema).optional(),
  /** Milliseconds since 1970: before, nobody can read it. */
  visibleAtMs: z.number(),
});
export type LogEntry = z.infer<typeof entrySchema>;

/** More of one resource than this helps nobody, and all of it is in memory; the store stops there and says so. */
const maxEntriesPerResource = 200_000;
const maxBytesPerResource = 64 * 1024 ** 2;

interface ResourceLog {
  readonly entries: LogEntry[];
  /** Of its lines. */
  bytes: number;
  isFull: boolean;
}

export class LogStore {
  readonly #directory: string;
  readonly #logs = new Map<string, ResourceLog>();
  /** Lines on their way to disk, by file. */
  readonly #pending = new Map<string, string[]>();
  #writing: Promise<void> = Promise.resolve();

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(directory: string): Promise<LogStore> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const store = new LogStore(directory);
    for (const file of await readdir(directory)) {
      const lines = (await readFile(join(directory, file), 'utf8')).split('\n');
      for (const line of lines.slice(0, -1)) {
        const entry = entrySchema.parse(JSON.parse(line));
        store.#keep(entry);
      }
    }
    return store;
  }

  add(entry: LogEntry): void {
    if (this.#of(resourceKey(entry)).isFull) return;
    const kept = this.#keep(entry);
    this.#append(resourceKey(entry), `${JSON.stringify(kept)}\n`);
  }

  /** In the order in which they came. */
  all(): LogEntry[] {
    return [...this.#logs.values()].flatMap(({ entries }) => entries);
  }

  async flush(): Promise<void> {
    await this.#writing;
  }

  /** The entry, or the one that stands in its place and is the last. */
  #keep(entry: LogEntry): LogEntry {
    const log = this.#of(resourceKey(entry));
    const { jsonPayload, ...plain } = entry;
    log.bytes += Buffer.byteLength(entry.textPayload ?? JSON.stringify(jsonPayload ?? {}));
    log.isFull = log.entries.length >= maxEntriesPerResource || log.bytes > maxBytesPerResource;
    const textPayload = 'The sandbox keeps no more lines of this resource.';
    const kept = log.isFull ? { ...plain, textPayload } : entry;
    log.entries.push(kept);
    return kept;
  }

  #of(key: string): ResourceLog {
    const log = this.#logs.get(key) ?? { entries: [], bytes: 0, isFull: false };
    this.#logs.set(key, log);
    return log;
  }

  #append(key: string, line: string): void {
    const lines = this.#pending.get(key) ?? [];
    lines.push(line);
    if (this.#pending.has(key)) return;
    this.#pending.set(key, lines);
    const file = join(this.#directory, `${createHash('sha256').update(key).digest('hex')}.jsonl`);
    this.#writing = this.#writing.then(async () => {
      this.#pending.delete(key);
      await appendFile(file, lines.join(''), { mode: 0o600 });
    });
    // A full disk must not end the sandbox; what could not be written is still in memory.
    this.#writing = this.#writing.catch(() => undefined);
  }
}

function resourceKey({ resource }: Pick<LogEntry, 'resource'>): string {
  const { labels, type } = resource;
  return `${type}/${labels['job_id'] ?? labels['build_id'] ?? ''}`;
}
