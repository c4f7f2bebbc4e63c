/** gzip in blocks: what comes out is one gzip stream that everybody reads, the same however it was fed. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { blockBytes, gzip } from '../../../shared/source/gzip.ts';

// eslint-disable-next-line @typescript-eslint/require-await -- a source in memory has nothing to wait for
async function* inPieces(content: Buffer, bytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += bytes) yield content.subarray(at, at + bytes);
}

const compress = (content: Buffer, bytes = 100_000): Promise<Buffer> =>
  buffer(gzip(inPieces(content, bytes)));

const text = Buffer.from('the same words again and again\n'.repeat(150_000));
const noise = randomBytes(3 * blockBytes + 1);

const contents: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  'a byte': Buffer.from('x'),
  'a block less one': text.subarray(0, blockBytes - 1),
  'a block': text.subarray(0, blockBytes),
  'a block and one': text.subarray(0, blockBytes + 1),
  'many blocks': text,
  'what does not compress': noise,
  'some of each': Buffer.concat([text, noise, text, noise.subarray(0, 7)]),
};

describe('gzip', () => {
  it.each(Object.entries(contents))('gives %s back', async (_what, content) => {
    expect(gunzipSync(await compress(content)).equals(content)).toBe(true);
  });

  it.each([1_000, 65_536, blockBytes, 10 * blockBytes])(
    'does not depend on the pieces: %d bytes',
    async (bytes) => {
      const content = contents['some of each']!;
      expect((await compress(content, bytes)).equals(await compress(content))).toBe(true);
    },
  );

  it('makes text small, and does not make larger what is small already', async () => {
    expect((await compress(text)).length).toBeLessThan(text.length / 20);
    expect((await compress(noise)).length).toBeLessThan(noise.length * 1.001);
  });

  it('is one member, which the gzip program finds whole', async () => {
    const archive = await compress(contents['some of each']!);
    const { status, stdout } = spawnSync('gzip', ['--decompress', '--stdout'], {
      input: archive,
      maxBuffer: 2 ** 30,
    });
    expect(status).toBe(0);
    expect(stdout.equals(contents['some of each']!)).toBe(true);
    // A member ends with the length of its content: this one with that of all.
    expect(archive.readUInt32LE(archive.length - 4)).toBe(contents['some of each']!.length);
  });

  it('takes no more than a few blocks before they are wanted, and lets go of what is not', async () => {
    let given = 0;
    let closed = false;
    async function* endless(): AsyncGenerator<Buffer> {
      try {
        for (; ; given++) yield await Promise.resolve(text.subarray(0, blockBytes));
      } finally {
        closed = true;
      }
    }
    const archive = gzip(endless());
    for (let taken = 0; taken < 20; taken++) await archive.next();
    expect(given).toBeLessThan(20 + 8);
    await archive.return(undefined);
    expect(closed).toBe(true);
  });

  it('gives the memory of large pieces back, and leaves parts of others alone', async () => {
    const piece = Buffer.alloc(blockBytes, 'x');
    const shared = Buffer.alloc(2 * blockBytes, 'y');
    async function* pieces(): AsyncGenerator<Buffer> {
      yield await Promise.resolve(piece);
      yield shared.subarray(0, blockBytes);
    }
    const content = Buffer.concat([piece, shared.subarray(0, blockBytes)]);
    expect(gunzipSync(await buffer(gzip(pieces()))).equals(content)).toBe(true);
    expect(piece.buffer.byteLength).toBe(0);
    expect(shared.every((byte) => byte === 'y'.charCodeAt(0))).toBe(true);
  });

  it('fails as its source fails', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield await Promise.resolve(Buffer.from(noise));
      throw new Error('disk on fire');
    }
    await expect(buffer(gzip(broken()))).rejects.toThrow('disk on fire');
  });
});
