/**
 * A local HTTP server that answers as the test says and remembers what it was asked: routes in, an
 * endpoint and a list of requests out.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** `json` is sent as such; `drop` closes the connection without an answer. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: Buffer | string;
  readonly drop?: boolean;
}

export type Route = (request: SeenRequest) => Answer | undefined;

export interface LocalService {
  readonly endpoint: string;
  readonly requests: SeenRequest[];
  /** Replaces the behaviour and forgets what was asked. */
  behave(route: Route): void;
  close(): Promise<void>;
}

export async function startLocalService(): Promise<LocalService> {
  const requests: SeenRequest[] = [];
  let route: Route = () => undefined;
  const server = createServer((request, response) => {
    void receive(request).then((seen) => {
      requests.push(seen);
      send(response, route(seen) ?? googleError(404, 'NOT_FOUND', `no route for ${seen.path}`));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    behave: (next) => {
      requests.length = 0;
      route = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An error in the shape that Google's REST APIs use. */
export function googleError(
  status: number,
  name: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, headers, json: { error: { code: status, message, status: name } } };
}

async function receive(request: IncomingMessage): Promise<SeenRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const url = new URL(request.url ?? '/', 'http://local');
  return {
    method: request.method ?? '',
    path: decodeURIComponent(url.pathname),
    query: url.searchParams,
    headers: request.headers,
    body: Buffer.concat(chunks).toString('latin1'),
  };
}

function send(response: ServerResponse, answer: Answer): void {
  if (answer.drop) {
    response.socket?.destroy();
    return;
  }
  const body = answer.json === undefined ? (answer.body ?? '') : JSON.stringify(answer.json);
  response.writeHead(answer.status ?? 200, {
    'content-type': answer.json === undefined ? 'application/octet-stream' : 'application/json',
    ...answer.headers,
  });
  response.end(body);
}
