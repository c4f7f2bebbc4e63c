/**
 * The only thing that happens while GitHub waits: a delivery is bounded, verified over its raw bytes,
 * stored durably and acknowledged. What it means is found out later, from the store.
 * @see https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
import type { IncomingMessage } from 'node:http';
import type { Kysely } from 'kysely';
import { Webhooks } from '@octokit/webhooks';
import { z } from 'zod';
import type { Logger } from '../log.ts';
import { insertDelivery, type NewDelivery } from '../store/deliveries.ts';
import type { Tables } from '../store/tables.ts';
import { asksForSomething, isHandled, isHandledEvent } from './handled-events.ts';
import { flawOf } from './payload-shape.ts';
import { headReceiptOf } from './pull-request.ts';
import { BodyReader, maxBodyBytes } from './read-body.ts';

interface DeliveryReply {
  readonly status: number;
  readonly text: string;
  readonly result: 'accepted' | 'duplicate' | 'ignored' | 'refused' | 'failed';
}

export type ReceiveDelivery = (request: IncomingMessage) => Promise<DeliveryReply>;

interface ReceiveOptions {
  readonly secret: string;
  readonly db: Kysely<Tables>;
  readonly now: () => Date;
  /** Wakes a worker. The delivery is safe by then, so a failure here is not the sender's. */
  readonly wake: (deliveryId: string) => Promise<void>;
  readonly log: Logger;
}

const ignored: DeliveryReply = { status: 202, text: 'ignored', result: 'ignored' };

/** GitHub lists it as failed, from where it is asked for again. */
const busy: DeliveryReply = { status: 503, text: 'busy, deliver it again', result: 'failed' };

const headersSchema = z.object({
  // Guids, in practice; anything else that could be an id is stored as it is.
  'x-github-delivery': z.string().regex(/^[\w-]{1,100}$/),
  'x-github-event': z.string().regex(/^[a-z_]{1,50}$/),
  'x-hub-signature-256': z.string().regex(/^sha256=[0-9a-f]{64}$/),
  'content-type': z.string().regex(/^application\/json\s*(;|$)/i),
});

export function createReceiver(options: ReceiveOptions): ReceiveDelivery {
  const webhooks = new Webhooks({ secret: options.secret });
  const bodies = new BodyReader();
  const warnOfSignature = signatureWarning(options);
  return async (request) => {
    const headers = headersSchema.safeParse(request.headers);
    if (!headers.success) {
      const wrong = headers.error.issues.map(({ path }) => path.join('.')).join(', ');
      return refuse(400, `missing or unusable: ${wrong}`);
    }
    const read = await bodies.read(request);
    if (read.kind === 'too_large') return refuse(413, `larger than ${maxBodyBytes} bytes`);
    if (read.kind === 'busy') return busy;
    const { bytes: body } = read;
    // Bytes that are not UTF-8 change on the way through a string, and then the signature does not fit.
    const text = body.toString('utf8');
    if (!(await webhooks.verify(text, headers.data['x-hub-signature-256']))) {
      warnOfSignature(headers.data['x-github-delivery']);
      return refuse(401, 'the signature does not fit');
    }
    const event = headers.data['x-github-event'];
    if (!isHandledEvent(event)) return ignored;
    const payload = parseJson(text);
    if (payload === undefined) return refuse(400, 'the body is not JSON');
    if (!isHandled(event, payload)) return ignored;
    const flaw = flawOf(event, payload);
    if (flaw !== undefined) {
      options.log.warn({ delivery: headers.data['x-github-delivery'], event, flaw }, 'not usable');
      return ignored;
    }
    const head = event === 'pull_request' ? headReceiptOf(payload) : undefined;
    const delivery = { id: headers.data['x-github-delivery'], event, body };
    const isDone = !asksForSomething(event, payload);
    return store(options, { ...delivery, isDone, ...(head === undefined ? {} : { head }) });
  };
}

/** Strangers can send as many as they like. */
const warningMs = 60_000;

/** Says once a minute that signatures do not fit: most likely the secret is not the one that GitHub has. */
function signatureWarning({
  log,
  now,
}: Pick<ReceiveOptions, 'log' | 'now'>): (delivery: string) => void {
  let quietUntil = 0;
  return (delivery) => {
    const at = now().getTime();
    if (at < quietUntil) return;
    quietUntil = at + warningMs;
    log.warn({ delivery }, 'the signature of a delivery does not fit WEBHOOK_SECRET');
  };
}

async function store(
  options: ReceiveOptions,
  delivery: Omit<NewDelivery, 'receivedAt'>,
): Promise<DeliveryReply> {
  const { log, now, wake } = options;
  const { id } = delivery;
  let isNew: boolean;
  try {
    isNew = await insertDelivery(options.db, { ...delivery, receivedAt: now() });
  } catch (error) {
    log.error({ err: error, delivery: id }, 'a delivery could not be stored');
    // GitHub lists it as failed, from where it can be delivered again.
    return { status: 503, text: 'not stored, deliver it again', result: 'failed' };
  }
  if (!isNew) return { status: 202, text: 'known', result: 'duplicate' };
  if (delivery.isDone === true) return { status: 202, text: 'stored', result: 'accepted' };
  await wake(id).catch((error: unknown) =>
    log.warn({ err: error, delivery: id }, 'no worker was woken; the sweep will find the delivery'),
  );
  return { status: 202, text: 'accepted', result: 'accepted' };
}

function refuse(status: number, text: string): DeliveryReply {
  return { status, text, result: 'refused' };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
