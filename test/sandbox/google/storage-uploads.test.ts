/** Resumable and multipart uploads, and what becomes of them when the connection breaks. */
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startWorld, until, type Answer, type World } from './world.ts';

const chunk = 256 * 1024;
const content = Buffer.from(Array.from({ length: 3 * chunk + 100 }, (_, i) => (i * 7) % 251));
const total = content.length;

let world: World;
beforeEach(async () => {
  world = await startWorld();
  await world.call('POST', '/storage/v1/b?project=demo-project', { name: 'uploads' });
});
afterEach(() => world.close());

async function begin(query = '', metadata: object = {}): Promise<string> {
  const path = `/upload/storage/v1/b/uploads/o?uploadType=resumable&name=big${query}`;
  const { status, headers } = await world.call('POST', path, metadata, {
    'x-upload-content-type': 'application/x-tar',
  });
  expect(status).toBe(200);
  const location = new URL(headers.get('location')!);
  return location.pathname + location.search;
}
const send = (session: string, start: number, end: number, size: number | '*'): Promise<Answer> =>
  world.call('PUT', session, content.subarray(start, end), {
    'content-range': `bytes ${start}-${end - 1}/${size}`,
  });
const probe = (session: string, size: number | '*' = total): Promise<Answer> =>
  world.call('PUT', session, undefined, { 'content-range': `bytes */${size}` });
const stored = async (): Promise<Buffer> => {
  const answer = await fetch(`${world.endpoint}/storage/v1/b/uploads/o/big?alt=media`);
  return Buffer.from(await answer.arrayBuffer());
};

describe('a resumable upload', () => {
  it('takes pieces, says how far it is, and ends with the object', async () => {
    const session = await begin('', { metadata: { a: 'b' } });
    const empty = await probe(session);
    expect([empty.status, empty.headers.get('range')]).toEqual([308, null]);
    const first = await send(session, 0, chunk, '*');
    expect([first.status, first.headers.get('range')]).toEqual([308, `bytes=0-${chunk - 1}`]);
    expect((await send(session, chunk, 3 * chunk, '*')).headers.get('range')).toBe(
      `bytes=0-${3 * chunk - 1}`,
    );
    const last = await send(session, 3 * chunk, total, total);
    expect([last.status, last.body]).toEqual([
      200,
      expect.objectContaining({
        name: 'big',
        size: String(total),
        md5Hash: createHash('md5').update(content).digest('base64'),
        contentType: 'application/x-tar',
        metadata: { a: 'b' },
      }),
    ]);
    expect((await stored()).equals(content)).toBe(true);
    // The answer may have been lost: whoever asks again gets it again.
    expect((await probe(session)).body).toEqual(last.body);
    expect((await send(session, 3 * chunk, total, total)).body).toEqual(last.body);
  });

  it('takes everything in one request, with and without saying so', async () => {
    expect((await send(await begin(), 0, total, total)).status).toBe(200);
    expect((await world.call('PUT', await begin(), content)).status).toBe(200);
    expect((await stored()).equals(content)).toBe(true);
  });

  it('goes on where a broken connection left it', async () => {
    const session = await begin();
    await send(session, 0, chunk, '*');
    const broken = request(world.endpoint + session, {
      method: 'PUT',
      headers: {
        'content-range': `bytes ${chunk}-${total - 1}/${total}`,
        'content-length': total - chunk,
      },
    });
    broken.on('error', () => undefined);
    broken.write(content.subarray(chunk, 2 * chunk));
    const received = (answer: Answer): number =>
      Number(/bytes=0-(\d+)/.exec(answer.headers.get('range') ?? '')?.[1] ?? -1) + 1;
    await until(
      () => probe(session),
      (answer) => received(answer) >= 2 * chunk,
    );
    const closed = new Promise((resolve) => broken.on('close', resolve));
    broken.destroy();
    await closed;
    const at = received(await probe(session));
    expect((await send(session, at, total, total)).status).toBe(200);
    expect((await stored()).equals(content)).toBe(true);
  });

  it('goes on after the sandbox was restarted', async () => {
    const session = await begin();
    await send(session, 0, 2 * chunk, '*');
    world = await world.restart();
    expect((await probe(session)).headers.get('range')).toBe(`bytes=0-${2 * chunk - 1}`);
    expect((await send(session, 2 * chunk, total, total)).status).toBe(200);
    expect((await stored()).equals(content)).toBe(true);
  });

  it('takes again what was sent before, and nothing twice', async () => {
    const session = await begin();
    await send(session, 0, 2 * chunk, '*');
    expect((await send(session, chunk, total, total)).status).toBe(200);
    expect((await stored()).equals(content)).toBe(true);
  });

  it.each([
    ['a gap', { start: 2 * chunk, end: total, size: total }, 503],
    ['a piece that is no multiple of 256 KiB', { start: 0, end: 1_000, size: '*' as const }, 400],
    ['a piece that is longer than it says', { start: 0, end: total, size: total - 1 }, 400],
  ])('refuses %s, and can go on', async (_name, { start, end, size }, status) => {
    const session = await begin();
    expect((await send(session, start, end, size)).status).toBe(status);
    expect((await send(session, 0, total, total)).status).toBe(200);
    expect((await stored()).equals(content)).toBe(true);
  });

  it.each([
    ['a range that is none', 'bytes one-two/three'],
    ['a length that the body has not', `bytes 0-${2 * chunk - 1}/*`],
  ])('refuses %s', async (_name, range) => {
    const session = await begin();
    const answer = await world.call('PUT', session, content.subarray(0, chunk), {
      'content-range': range,
    });
    expect(answer.status).toBe(400);
  });

  it('refuses content that is not what the metadata promised', async () => {
    const session = await begin('', { md5Hash: 'AAAAAAAAAAAAAAAAAAAAAA==' });
    expect((await send(session, 0, total, total)).status).toBe(400);
    expect((await world.call('GET', '/storage/v1/b/uploads/o/big')).status).toBe(404);
    expect((await probe(session)).status).toBe(404);
  });

  it('holds its precondition until the end', async () => {
    const session = await begin('&ifGenerationMatch=0');
    await world.call('POST', '/upload/storage/v1/b/uploads/o?uploadType=media&name=big', 'faster');
    expect((await send(session, 0, total, total)).status).toBe(412);
    expect((await stored()).toString()).toBe('faster');
  });

  it.each(['ifGenerationMatch=0', 'ifGenerationMatch=1', 'ifMetagenerationNotMatch=1'])(
    'does not even begin when %s does not hold',
    async (precondition) => {
      await world.call('POST', '/upload/storage/v1/b/uploads/o?uploadType=media&name=big', 'first');
      const path = '/upload/storage/v1/b/uploads/o?uploadType=resumable&name=big';
      const answer = await world.call('POST', `${path}&${precondition}`, {});
      expect(answer.status).toBe(412);
      expect(answer.headers.get('location')).toBeNull();
      expect((await stored()).toString()).toBe('first');
    },
  );

  it('ends when it is cancelled', async () => {
    const session = await begin();
    await send(session, 0, chunk, '*');
    expect((await world.call('DELETE', session)).status).toBe(499);
    expect((await probe(session)).status).toBe(404);
  });

  it('refuses unknown metadata before anything is sent', async () => {
    const answer = await world.call('POST', '/upload/storage/v1/b/uploads/o?uploadType=resumable', {
      name: 'x',
      colour: 1,
    });
    expect(answer.status).toBe(400);
  });
});

describe('a multipart upload', () => {
  const body = (newline: string, boundary: string, parts: string[]): string =>
    `${parts.map((part) => `--${boundary}${newline}${part}`).join(newline)}${newline}--${boundary}--${newline}`;
  const metadata = (newline: string): string =>
    `Content-Type: application/json; charset=UTF-8${newline}${newline}{"name":"big"}`;
  const file = (newline: string): string =>
    `Content-Type: text/x${newline}${newline}--not the\r\n--boundary\n`;
  const upload = (text: string, contentType: string): Promise<Answer> =>
    world.call('POST', '/upload/storage/v1/b/uploads/o?uploadType=multipart', text, {
      'content-type': contentType,
    });

  it.each([
    ['CRLF and a bare boundary', '\r\n', 'multipart/related; boundary=xyz'],
    ['CRLF and a quoted boundary', '\r\n', 'multipart/related; boundary="xyz"'],
    ['LF and single quotes, as gcloud sends it', '\n', "multipart/related; boundary='xyz'"],
  ])('%s', async (_name, newline, type) => {
    const answer = await upload(body(newline, 'xyz', [metadata(newline), file(newline)]), type);
    expect(answer.body).toMatchObject({ name: 'big', contentType: 'text/x' });
    expect((await stored()).toString()).toBe('--not the\r\n--boundary\n');
  });

  it.each([
    [
      'without a boundary',
      body('\r\n', 'xyz', [metadata('\r\n'), file('\r\n')]),
      'multipart/related',
    ],
    ['of one part', body('\r\n', 'xyz', [metadata('\r\n')]), 'multipart/related; boundary=xyz'],
    [
      'that breaks off',
      '--xyz\r\nContent-Type: application/json\r\n\r\n{"name":"big"}\r\n--xyz\r\n\r\nhal',
      'multipart/related; boundary=xyz',
    ],
    [
      'with metadata that is no JSON',
      body('\r\n', 'xyz', ['a: b\r\n\r\n{', file('\r\n')]),
      'multipart/related; boundary=xyz',
    ],
    [
      'of another boundary',
      body('\r\n', 'abc', [metadata('\r\n'), file('\r\n')]),
      'multipart/related; boundary=xyz',
    ],
  ])('%s is refused', async (_name, text, type) => {
    expect((await upload(text, type)).status).toBe(400);
    expect((await world.call('GET', '/storage/v1/b/uploads/o/big')).status).toBe(404);
  });
});
