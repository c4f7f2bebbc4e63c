/** The shim as the job runs it: with a real shell and Python, against a metadata server and a Secret Manager. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { withEntryShim } from '../../../shared/launch/entry-shim.ts';

const version = 'projects/p/secrets/s/versions/1';
const empty = mkdtempSync(join(tmpdir(), 'trainyard-shim-'));
let server: Server;
let host = '';
let asked: string[] = [];
let access: (request: IncomingMessage, response: ServerResponse) => void;

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url?.endsWith(':access') === true) access(request, response);
    else if (request.headers['metadata-flavor'] !== 'Google') response.writeHead(403).end();
    else response.end(JSON.stringify({ access_token: 'tok', token_type: 'Bearer' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(empty, { recursive: true });
});
beforeEach(() => {
  asked = [];
  access = (request, response) => {
    const isOurs = request.headers.authorization === 'Bearer tok';
    response.end(JSON.stringify(isOurs ? payload('value') : {}));
  };
});

function payload(value: string | Buffer, dataCrc32c?: string): object {
  const data = Buffer.from(value).toString('base64');
  return { payload: { data, ...(dataCrc32c === undefined ? {} : { dataCrc32c }) } };
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(
  program: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly signal?: AbortSignal } = {},
): Promise<Ran> {
  const [command = '', ...args] = withEntryShim(program);
  const child = spawn(command, args, {
    cwd: empty,
    env: {
      PATH: process.env['PATH'] ?? '',
      GCE_METADATA_HOST: host,
      TRAINYARD_GOOGLE_ENDPOINT: `http://${host}`,
      TRAINYARD_SECRETS: JSON.stringify({ KEY: version }),
      ...options.env,
    },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  options.signal?.addEventListener('abort', () => child.kill('SIGKILL'));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

const show = ['/bin/sh', '-c', 'printf "%s|" "$KEY" "${TRAINYARD_SECRETS-none}" "$@"', 'sh'];

describe('the entry shim', () => {
  it('becomes the program, with its arguments as they are and the values in its environment', async () => {
    const words = ['a b', '', "'", '$HOME', '--flag=ü'];
    const answer = await run([...show, ...words]);
    expect(answer).toEqual({ code: 0, out: ['value', 'none', ...words, ''].join('|'), err: '' });
    expect(asked).toEqual([
      '/computeMetadata/v1/instance/service-accounts/default/token',
      `/v1/${version}:access`,
    ]);
  });

  it('finds the program on the PATH, and ends as it ends', async () => {
    expect(await run(['sh', '-c', 'exit 7'])).toMatchObject({ code: 7 });
    expect(await run(['no-such-program'])).toMatchObject({
      code: 127,
      err: expect.stringContaining('cannot start no-such-program: No such file'),
    });
  });

  it('leaves the signals as a program expects them', async () => {
    // Status 141 of the writer is SIGPIPE; with the signal ignored it would complain instead.
    const script =
      'import subprocess; p = subprocess.run(["sh", "-c", "yes | head -n 1"]); print(p.stderr)';
    expect((await run(['python3', '-c', script])).err).toBe('');
    const ignored = await run(['sh', '-c', 'grep SigIgn /proc/self/status']);
    expect(Number.parseInt(ignored.out.replace(/\D*/, ''), 16)).toBe(0);
  });

  it('is not disturbed by modules that lie where the program starts, nor by variables for Python', async () => {
    for (const name of ['json.py', 'urllib.py', 'base64.py', 'sitecustomize.py'])
      writeFileSync(join(empty, name), 'raise SystemExit("shadowed")\n');
    const answer = await run(show, { env: { PYTHONPATH: empty, PYTHONSTARTUP: '/nonexistent' } });
    expect(answer).toMatchObject({ code: 0, out: 'value|none|' });
  });

  it.each(['', 'https://127.0.0.1:1', 'http://evil.example', 'http://127.0.0.1:1@evil.example'])(
    'asks Google itself for secrets where the endpoint is %j, and no proxy for metadata',
    async (endpoint) => {
      const proxy = `http://${host}`;
      const env = {
        TRAINYARD_GOOGLE_ENDPOINT: endpoint,
        http_proxy: 'http://127.0.0.1:1',
        https_proxy: proxy,
      };
      const connected = once(server, 'connect') as Promise<[IncomingMessage, Duplex]>;
      const stop = new AbortController();
      const ended = run(show, { env, signal: stop.signal });
      const [request, socket] = await connected;
      stop.abort();
      socket.destroy();
      expect(request.url).toBe('secretmanager.googleapis.com:443');
      expect(await ended).toMatchObject({ code: null, out: '' });
    },
  );

  it.each<[string, (response: ServerResponse) => void, RegExp]>([
    [
      'a refusal',
      (response) =>
        response.writeHead(403).end(JSON.stringify({ error: { message: 'no access' } })),
      /could not get the secret KEY \(projects\/p\/secrets\/s\/versions\/1\) .*: HTTP 403: no access/,
    ],
    [
      'a redirect, which it does not follow',
      (response) => response.writeHead(302, { location: `http://${host}/elsewhere` }).end(),
      /HTTP 302/,
    ],
    [
      'a wrong checksum',
      (response) => response.end(JSON.stringify(payload('value', '1'))),
      /arrived damaged/,
    ],
    [
      'a zero byte',
      (response) => response.end(JSON.stringify(payload(Buffer.from('a\0b')))),
      /holds a zero byte/,
    ],
  ])('stops before the program at %s', async (_what, answer, says) => {
    access = (_request, response) => answer(response);
    const ended = await run(show);
    expect(ended).toMatchObject({ code: 1, out: '', err: expect.stringMatching(says) });
    expect(ended.err).toMatch(/^trainyard: .*\n$/);
    expect(asked).not.toContain('/elsewhere');
  });

  it('asks again when the service is busy, and verifies what comes', async () => {
    let times = 0;
    access = (_request, response) => {
      times++;
      if (times === 1) response.writeHead(503).end();
      // CRC32C of `value`, as Secret Manager has it.
      else response.end(JSON.stringify(payload('value', '3789554531')));
    };
    expect(await run(show)).toMatchObject({ code: 0, out: 'value|none|' });
    expect(times).toBe(2);
  });

  it('says that it needs Python where there is none', async () => {
    expect(await run(show, { env: { PATH: empty } })).toMatchObject({
      code: 127,
      out: '',
      err: expect.stringMatching(/^trainyard: secrets_env needs Python 3 in the image/),
    });
  });
});
