/** A way to a local service on which the answer to one request gets lost: the service has done what it was asked. */
import { createServer, request, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface LossyProxy {
  readonly endpoint: string;
  /** How often the request came whose answer is lost the first time. */
  readonly attempts: () => number;
  close(): Promise<void>;
}

/** @param loses tells the request whose first answer is lost */
export async function startLossyProxy(
  target: string,
  loses: (method: string, path: string) => boolean,
): Promise<LossyProxy> {
  let attempts = 0;
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/' } = incoming;
    // The service answers those only who have come to itself.
    const headers = { ...incoming.headers, host: new URL(target).host };
    const isLost = loses(method, url) && ++attempts === 1;
    const forwarded = request(new URL(url, target), { method, headers }, (answer) => {
      if (isLost) void lose(answer, () => outgoing.destroy());
      else answer.pipe(outgoing.writeHead(answer.statusCode ?? 502, answer.headers));
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    attempts: () => attempts,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Reads the answer to its end first, so that the service has certainly done its part. */
async function lose(answer: IncomingMessage, then: () => void): Promise<void> {
  answer.resume();
  await once(answer, 'end');
  then();
}
