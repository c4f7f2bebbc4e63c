/** A receiver of webhooks: keeps the raw bytes that arrive, and answers what it is told to answer. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { verify } from '@octokit/webhooks-methods';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  /** Exactly as they came. */
  readonly bytes: Buffer;
  readonly event: string;
  readonly payload: Payload;
}
export interface Payload {
  readonly action?: string;
  readonly [name: string]: unknown;
}
export interface Receiver {
  readonly url: string;
  readonly secret: string;
  /** Oldest first. */
  readonly received: Received[];
  /** What it answers from now on; the default is 202. */
  answer: (response: ServerResponse) => void;
  /** `event.action` of everything since the last call. */
  take(): string[];
  /** The newest of that kind. */
  last(kind: string): Received;
  isSigned(one: Received): Promise<boolean>;
  /** Stops listening, as a receiver that is down. */
  close(): Promise<void>;
}

export async function startReceiver(secret: string): Promise<Receiver> {
  const received: Received[] = [];
  let taken = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const bytes = Buffer.concat(chunks);
      received.push({
        headers: request.headers,
        bytes,
        event: String(request.headers['x-github-event']),
        payload: JSON.parse(bytes.toString('utf8')) as Payload,
      });
      receiver.answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    secret,
    received,
    answer: (response) => response.writeHead(202).end('accepted'),
    take: () => {
      const kinds = received.slice(taken).map(kindOf);
      taken = received.length;
      return kinds;
    },
    last: (kind) => {
      const found = received.findLast((one) => kindOf(one) === kind);
      if (found === undefined) {
        throw new Error(`no ${kind} came, only ${received.map(kindOf).join(', ')}`);
      }
      return found;
    },
    isSigned: ({ headers, bytes }) =>
      verify(secret, bytes.toString('utf8'), String(headers['x-hub-signature-256'])),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

export function kindOf({ event, payload }: Received): string {
  return payload.action === undefined ? event : `${event}.${payload.action}`;
}
