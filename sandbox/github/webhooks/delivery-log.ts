/**
 * Every delivery that was tried, one file each, as the App's `hook/deliveries` operations show them.
 * Redelivering adds an entry of its own under the same guid.
 * @see https://docs.github.com/en/rest/apps/webhooks
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeUnfinished, writeWhole } from '../state/store.ts';

export interface Delivery {
  readonly id: number;
  /** X-GitHub-Delivery; the same for all tries of one event. */
  readonly guid: string;
  readonly delivered_at: string;
  readonly redelivery: boolean;
  /** Seconds. */
  readonly duration: number;
  /** `OK`, or what went wrong in words. */
  readonly status: string;
  /** 0 when no answer came. */
  readonly status_code: number;
  readonly event: string;
  readonly action: string | null;
  readonly installation_id: number | null;
  readonly repository_id: number | null;
  readonly url: string;
  readonly request: { readonly headers: Readonly<Record<string, string>>; readonly body: string };
  readonly response: { readonly headers: Readonly<Record<string, string>>; readonly body: string };
}

/** GitHub keeps three days; a sandbox keeps as many as a long demonstration makes. */
const maxDeliveries = 1_000;

export class DeliveryLog {
  private readonly directory: string;
  /** Newest last. */
  private readonly entries: Delivery[];

  private constructor(directory: string, entries: Delivery[]) {
    this.directory = directory;
    this.entries = entries;
  }

  static async open(directory: string): Promise<DeliveryLog> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await removeUnfinished(directory);
    const names = (await readdir(directory)).filter((name) => /^\d+\.json$/.test(name));
    const entries = await Promise.all(
      names.map(
        async (name) => JSON.parse(await readFile(join(directory, name), 'utf8')) as Delivery,
      ),
    );
    return new DeliveryLog(
      directory,
      entries.sort((a, b) => a.id - b.id),
    );
  }

  async add(delivery: Delivery): Promise<void> {
    this.entries.push(delivery);
    await writeWhole(this.pathOf(delivery.id), JSON.stringify(delivery));
    while (this.entries.length > maxDeliveries) {
      const oldest = this.entries.shift();
      if (oldest !== undefined) await rm(this.pathOf(oldest.id), { force: true });
    }
  }

  get(id: number): Delivery | undefined {
    return this.entries.find((one) => one.id === id);
  }

  /** Newest first. */
  list(): readonly Delivery[] {
    return this.entries.toReversed();
  }

  private pathOf(id: number): string {
    return join(this.directory, `${id}.json`);
  }
}
