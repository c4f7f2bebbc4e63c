/** A way to a local service that refuses some requests in its place: they never reach it. */
import { createServer, request } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface Refusal {
  readonly status: number;
  readonly json: object;
}

export interface RefusingProxy {
  readonly endpoint: string;
  /** The paths that were refused, in their order. */
  readonly refused: readonly string[];
  close(): Promise<void>;
}

export async function startRefusingProxy(
  target: string,
  refuse: (method: string, path: string) => Refusal | undefined,
): Promise<RefusingProxy> {
  const refused: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/' } = incoming;
    const refusal = refuse(method, url.replace(/\?.*/, ''));
    if (refusal !== undefined) {
      refused.push(url.replace(/\?.*/, ''));
      incoming.resume();
      outgoing.writeHead(refusal.status, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify(refusal.json));
      return;
    }
    // The service answers those only who have come to itself.
    const headers = { ...incoming.headers, host: new URL(target).host };
    const forwarded = request(new URL(url, target), { method, headers }, (answer) =>
      answer.pipe(outgoing.writeHead(answer.statusCode ?? 502, answer.headers)),
    );
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refused,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
