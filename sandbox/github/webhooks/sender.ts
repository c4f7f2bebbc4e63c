/**
 * Sends the App's webhooks as GitHub does: signed, one after the other, ten seconds for each, and never a
 * second time unless somebody asks for it. What came of each is in the delivery log.
 * @see https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers
 */
import { createHmac, randomUUID } from 'node:crypto';
import type { PendingDelivery } from '../state/model.ts';
import type { Store } from '../state/store.ts';
import type { Delivery, DeliveryLog } from './delivery-log.ts';

export interface WebhookTarget {
  readonly url: string;
  readonly secret: string;
}
interface WebhookEvent {
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly installationId: number | null;
  readonly repositoryId: number | null;
}
interface SenderOptions {
  readonly target: WebhookTarget | undefined;
  readonly appId: number;
  readonly log: DeliveryLog;
  readonly store: Pick<Store, 'state' | 'newId' | 'save'>;
}

/** @see https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/troubleshooting-webhooks#timed-out */
const timeoutMs = 10_000;
/** Of an answer's body, which is shown to people only. */
const maxAnswerBytes = 64 * 1024;

export class Sender {
  target: WebhookTarget | undefined;
  private readonly options: SenderOptions;
  private readonly closing = new AbortController();
  private sending: Promise<void> | undefined;

  constructor(options: SenderOptions) {
    this.options = options;
    this.target = options.target;
  }

  /** Returns at once; the event is sent after those before it. Without a target nobody hears of it. */
  send(event: WebhookEvent): void {
    const { action } = event.payload;
    this.enqueue({
      guid: randomUUID(),
      redelivery: false,
      event: event.event,
      action: typeof action === 'string' ? action : null,
      installation_id: event.installationId,
      repository_id: event.repositoryId,
      body: JSON.stringify(event.payload),
    });
  }

  /** Sends the same bytes under the same guid again. */
  redeliver(delivery: Delivery): void {
    const { guid, event, action, installation_id, repository_id, request } = delivery;
    this.enqueue({
      guid,
      event,
      action,
      installation_id,
      repository_id,
      redelivery: true,
      body: request.body,
    });
  }

  /** Sends what an earlier process could not send any more. */
  resume(): void {
    this.sending ??= this.sendAll();
  }

  /** Resolves when everything sent so far has been answered or has failed. */
  async settled(): Promise<void> {
    await this.sending;
  }

  /** Stops; what was not answered yet stays in the outbox. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.sending;
  }

  private isClosing(): boolean {
    return this.closing.signal.aborted;
  }

  private enqueue(message: PendingDelivery): void {
    if (this.target === undefined) return;
    this.options.store.state.outbox.push(message);
    this.resume();
  }

  private async sendAll(): Promise<void> {
    const { store, log } = this.options;
    const { outbox } = store.state;
    try {
      // What an event tells of is on disk before anybody hears of it.
      await store.save();
      for (let message = outbox[0]; message !== undefined; message = outbox[0]) {
        if (this.target === undefined || this.isClosing()) return;
        const delivery = await this.deliver(this.target, message);
        if (this.isClosing() && delivery.status_code === noAnswer) return;
        await log.add(delivery);
        outbox.shift();
        await store.save();
      }
    } finally {
      // Not in a callback: nothing may be enqueued between the last look and this.
      this.sending = undefined;
    }
  }

  private async deliver(target: WebhookTarget, message: PendingDelivery): Promise<Delivery> {
    const { body, ...about } = message;
    const headers = this.headersOf(target, message);
    const startedAt = Date.now();
    const answer = await post(target.url, headers, body, this.closing.signal);
    return {
      id: this.options.store.newId(),
      ...about,
      delivered_at: new Date(startedAt).toISOString(),
      duration: (Date.now() - startedAt) / 1_000,
      status: answer.status,
      status_code: answer.code,
      url: target.url,
      request: { headers, body },
      response: { headers: answer.headers, body: answer.body },
    };
  }

  private headersOf(
    target: WebhookTarget,
    { event, guid, body }: PendingDelivery,
  ): Record<string, string> {
    const sign = (algorithm: 'sha1' | 'sha256'): string =>
      `${algorithm}=${createHmac(algorithm, target.secret).update(body).digest('hex')}`;
    return {
      Accept: '*/*',
      'Content-Type': 'application/json',
      'User-Agent': 'GitHub-Hookshot/5a4d0b0',
      'X-GitHub-Delivery': guid,
      'X-GitHub-Event': event,
      'X-GitHub-Hook-ID': String(this.options.appId),
      'X-GitHub-Hook-Installation-Target-ID': String(this.options.appId),
      'X-GitHub-Hook-Installation-Target-Type': 'integration',
      'X-Hub-Signature': sign('sha1'),
      'X-Hub-Signature-256': sign('sha256'),
    };
  }
}

/** The code of a delivery that nobody answered. */
const noAnswer = 0;

interface Answer {
  readonly code: number;
  readonly status: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  closing: AbortSignal,
): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      // GitHub does not follow redirects of webhooks.
      redirect: 'manual',
      signal: AbortSignal.any([closing, AbortSignal.timeout(timeoutMs)]),
    });
    const text = await beginningOf(response);
    return {
      code: response.status,
      status: response.ok ? 'OK' : `Invalid HTTP Response: ${response.status}`,
      headers: Object.fromEntries(response.headers),
      body: text,
    };
  } catch (error) {
    const isTimeout = error instanceof Error && error.name === 'TimeoutError';
    const status = isTimeout ? 'timed out' : 'failed to connect to host';
    return { code: noAnswer, status, headers: {}, body: '' };
  }
}

/** As much of a body as is kept; the rest is not waited for. */
async function beginningOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= maxAnswerBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxAnswerBytes).toString('utf8');
}
