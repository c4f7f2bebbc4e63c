/**
 * The sandbox's Google Cloud under Google's own host names and with tokens that end, for what a local endpoint
 * switches off: a process that is given these variables is sent here instead of to Google, over TLS. In: the
 * sandbox's endpoint and how long tokens live. Out: the variables, and who asked with which token.
 */
import { execFile } from 'node:child_process';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { promisify } from 'node:util';

/** Of the first token; those after it live for an hour. */
export interface TokenLife {
  /** What the client is told. */
  readonly saidSeconds: number;
  /** Whether it is refused for that path by now. */
  readonly isOver: (path: string) => boolean;
}

export interface GoogleOverTls {
  readonly env: Readonly<Record<string, string>>;
  /** The tokens of the requests that were answered, in their order. */
  readonly used: readonly string[];
  /** How many requests were refused for their token. */
  readonly refusals: () => number;
  /** GitHub's tokens that were exchanged for Google's. */
  readonly exchanged: readonly string[];
  close(): Promise<void>;
}

export async function startGoogleOverTls(target: string, life: TokenLife): Promise<GoogleOverTls> {
  const directory = await mkdtemp(join(tmpdir(), 'trainyard-tls-'));
  const { key, cert, path } = await certificate(directory);
  const isRefused = (token: string, path: string): boolean =>
    token === 'google-token-1' ? life.isOver(path) : !/^google-token-\d+$/.test(token);
  const used: string[] = [];
  const exchanged: string[] = [];
  let refusals = 0;

  /** @see https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token */
  const exchange = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const form = new URLSearchParams(await readText(incoming));
    exchanged.push(form.get('subject_token') ?? '');
    const token = `google-token-${exchanged.length}`;
    const expires_in = exchanged.length === 1 ? life.saidSeconds : 3_600;
    answer(outgoing, 200, {
      ...{ access_token: token, token_type: 'Bearer', expires_in },
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    });
  };

  const google = createTlsServer({ key, cert }, (incoming, outgoing) => {
    if (incoming.headers.host === 'sts.googleapis.com') return void exchange(incoming, outgoing);
    const token = incoming.headers.authorization?.replace('Bearer ', '') ?? '';
    if (isRefused(token, (incoming.url ?? '/').replace(/\?.*/, ''))) {
      refusals++;
      incoming.resume();
      return answer(outgoing, 401, unauthenticated);
    }
    used.push(token);
    forward(target, incoming, outgoing);
  });
  const github = createServer((incoming, outgoing) => {
    incoming.resume();
    answer(outgoing, 200, { value: `github-token-${exchanged.length + 1}` });
  });
  const proxy = createServer();
  // Whatever host is asked for.
  proxy.on('connect', (_request, socket) => {
    const upstream = connect((google.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const one of [socket, upstream]) one.on('error', () => one.destroy());
    socket.on('close', () => upstream.destroy());
  });
  const servers = [google, github, proxy];
  // A tunnel is no connection of HTTP's any more, so nobody else closes it.
  const sockets = new Set<Socket>();
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.on('connection', (socket: Socket) => sockets.add(socket));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    }),
  );
  return {
    env: {
      HTTPS_PROXY: `http://127.0.0.1:${ports[2]}`,
      NO_PROXY: '127.0.0.1',
      NODE_EXTRA_CA_CERTS: path,
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${ports[1]}/idtoken?api-version=2`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner-token',
    },
    used,
    exchanged,
    refusals: () => refusals,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** @see https://cloud.google.com/docs/authentication/troubleshoot-adc */
const unauthenticated = {
  error: {
    code: 401,
    message:
      'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
    status: 'UNAUTHENTICATED',
  },
};

function answer(outgoing: ServerResponse, status: number, json: object): void {
  outgoing.writeHead(status, { 'content-type': 'application/json' });
  outgoing.end(JSON.stringify(json));
}

function forward(target: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method = 'GET', url = '/' } = incoming;
  const headers = { ...incoming.headers, host: new URL(target).host };
  const forwarded = request(new URL(url, target), { method, headers }, (response) =>
    response.pipe(outgoing.writeHead(response.statusCode ?? 502, response.headers)),
  );
  forwarded.on('error', () => outgoing.destroy());
  incoming.pipe(forwarded);
}

/** For a day, and for those only who are told to trust it. */
async function certificate(
  directory: string,
): Promise<{ key: string; cert: string; path: string }> {
  const [keyPath, path] = ['key.pem', 'cert.pem'].map((name) => join(directory, name));
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-nodes', '-days', '1', '-newkey', 'ec'],
    ...['-pkeyopt', 'ec_paramgen_curve:prime256v1', '-subj', '/CN=Trainyard test'],
    ...['-addext', 'subjectAltName=DNS:*.googleapis.com'],
    ...['-keyout', keyPath!, '-out', path!],
  ]);
  const [key, cert] = await Promise.all([readFile(keyPath!, 'utf8'), readFile(path!, 'utf8')]);
  return { key, cert, path: path! };
}
