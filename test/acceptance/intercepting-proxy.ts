/** A way to a local service on which some requests are refused in its place, and some of its answers changed. */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { json as readJson } from 'node:stream/consumers';

export type JsonObject = Readonly<Record<string, unknown>>;

/** The request never reaches the service. */
export interface Refusal {
  readonly status: number;
  readonly json: object;
}

/** What the service has answered is told otherwise; what it refuses is passed on as it is. */
export interface Change {
  readonly change: (answer: JsonObject) => JsonObject;
}

/** Never answered, and never reaches the service. */
export const silence = 'silence';

/** The service does what it was asked to, and nobody hears of it. */
export const loss = 'loss';

export type Intercept = (
  method: string,
  path: string,
) => Refusal | Change | typeof silence | typeof loss | undefined;

export interface InterceptingProxy {
  readonly endpoint: string;
  /** The paths that were refused, in their order. */
  readonly refused: readonly string[];
  close(): Promise<void>;
}

export async function startInterceptingProxy(
  target: string,
  intercept: Intercept,
): Promise<InterceptingProxy> {
  const refused: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/' } = incoming;
    const path = url.replace(/\?.*/, '');
    const interception = intercept(method, path);
    if (interception === silence) return;
    if (typeof interception === 'object' && 'status' in interception) {
      refused.push(path);
      incoming.resume();
      sendJson(outgoing, interception.status, interception.json);
      return;
    }
    // The service answers those only who have come to itself.
    const headers = { ...incoming.headers, host: new URL(target).host };
    const forwarded = request(new URL(url, target), { method, headers }, (answer) => {
      if (interception === loss) void lose(answer, outgoing);
      else if (interception === undefined || isRefusal(answer)) pass(answer, outgoing);
      else void change(answer, outgoing, interception).catch(() => outgoing.destroy());
    });
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

function isRefusal({ statusCode = 502 }: IncomingMessage): boolean {
  return statusCode >= 300;
}

function pass(answer: IncomingMessage, outgoing: ServerResponse): void {
  answer.pipe(outgoing.writeHead(answer.statusCode ?? 502, answer.headers));
}

/** Reads the answer to its end first, so that the service has certainly done its part. */
async function lose(answer: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  answer.resume();
  await once(answer, 'end');
  outgoing.destroy();
}

async function change(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  interception: Change,
): Promise<void> {
  const told = interception.change((await readJson(answer)) as JsonObject);
  sendJson(outgoing, answer.statusCode ?? 200, told);
}

function sendJson(outgoing: ServerResponse, status: number, json: object): void {
  outgoing.writeHead(status, { 'content-type': 'application/json' });
  outgoing.end(JSON.stringify(json));
}
