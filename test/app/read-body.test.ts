/** What requests may hold together before anybody has signed them. */
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { expect, it } from '@jest/globals';
import { BodyReader, maxBodyBytes } from '../../app/webhooks/read-body.ts';

const mib = 1024 ** 2;

/** A request whose bytes come when they are written. */
function open(headers: Record<string, string> = {}): PassThrough & IncomingMessage {
  const stream = Object.assign(new PassThrough({ highWaterMark: 64 * mib }), { headers });
  return stream as unknown as PassThrough & IncomingMessage;
}

function sendMib(request: PassThrough, many: number): void {
  for (let sent = 0; sent < many; sent++) request.write(Buffer.alloc(mib));
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('gives the bytes', async () => {
  const request = open();
  request.write('ab');
  request.end('c');
  const body = await new BodyReader().read(request);
  expect(body).toEqual({ kind: 'read', bytes: Buffer.from('abc') });
});

it('refuses what is announced, or turns out, to be too large', async () => {
  const announced = open({ 'content-length': String(maxBodyBytes + 1) });
  expect(await new BodyReader().read(announced)).toEqual({ kind: 'too_large' });
  const growing = open();
  sendMib(growing, 26);
  expect(await new BodyReader().read(growing)).toEqual({ kind: 'too_large' });
});

it('holds so much of large ones and no more, takes small ones meanwhile, and large ones again after', async () => {
  const reader = new BodyReader();
  const large = [open(), open(), open()];
  const reads = large.map((request) => reader.read(request));
  for (const request of large) sendMib(request, 20);
  while (large.some(({ readableLength }) => readableLength > 0)) await turn();

  const fourth = open();
  sendMib(fourth, 20);
  expect(await reader.read(fourth)).toEqual({ kind: 'busy' });
  const small = open();
  small.end(Buffer.alloc(200 * 1024));
  expect((await reader.read(small)).kind).toBe('read');

  large[0]?.destroy(new Error('the client went away'));
  await expect(reads[0]).rejects.toThrow('went away');
  const next = open();
  sendMib(next, 20);
  next.end();
  expect((await reader.read(next)).kind).toBe('read');
  for (const request of large.slice(1)) request.end();
  expect((await Promise.all(reads.slice(1))).map(({ kind }) => kind)).toEqual(['read', 'read']);
});

it('does not wait for who has gone away', async () => {
  const before = open();
  before.destroy();
  await expect(new BodyReader().read(before)).rejects.toThrow('the connection broke');
  const meanwhile = open();
  const read = new BodyReader().read(meanwhile);
  meanwhile.write('half');
  meanwhile.destroy();
  await expect(read).rejects.toThrow('the connection broke');
});
