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

/** More lines of one resource than this help nobody; the store stops there and says so. */
const maxEntriesPerResource = 200_000;

export class LogStore {
  readonly #directory: string;
  readonly #entries = new Map<string, LogEntry[]>();
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
        store.#of(resourceKey(entry)).push(entry);
      }
    }
    return store;
  }

  add(entry: LogEntry): void {
    const key = resourceKey(entry);
    const entries = this.#of(key);
    if (entries.length > maxEntriesPerResource) return;
    if (entries.length === maxEntriesPerResource) {
      entry = { ...entry, textPayload: 'The sandbox keeps no more lines of this resource.' };
    }
    entries.push(entry);
    this.#append(key, `${JSON.stringify(entry)}\n`);
  }

  /** In the order in which they came. */
  all(): LogEntry[] {
    return [...this.#entries.values()].flat();
  }

  async flush(): Promise<void> {
    await this.#writing;
  }

  #of(key: string): LogEntry[] {
    const entries = this.#entries.get(key) ?? [];
    this.#entries.set(key, entries);
    return entries;
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
