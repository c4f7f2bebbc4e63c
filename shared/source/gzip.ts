/**
 * gzip on all processors: bytes in, one gzip member out. What comes in is cut into blocks of a fixed size,
 * which zlib's threads compress side by side, so the bytes that come out are the same on any machine and at
 * most a few blocks are in memory at a time. The blocks are joined as pigz does: each ends at a byte border.
 * @see https://www.rfc-editor.org/rfc/rfc1952 (gzip) https://www.rfc-editor.org/rfc/rfc1951 (deflate)
 * @see https://github.com/madler/pigz/blob/master/pigz.c
 */
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';

const deflate = promisify(deflateRaw);

/** @internal */
export const blockBytes = 1024 ** 2;
/** One for each of libuv's threads. */
const blocksAhead = 4;

/** No name, no time, unknown system. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** An empty last block. */
const lastBlock = Buffer.from([3, 0]);

/** @param chunks theirs no more: what was large is empty afterwards */
export async function* gzip(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield header;
  const compressed: Promise<Buffer>[] = [];
  const free: Buffer[] = [];
  let crc = 0;
  let size = 0;
  for await (const block of inBlocks(chunks, free)) {
    crc = crc32(block, crc);
    size += block.length;
    const next = compress(block).finally(() => free.push(block));
    // A failure is told to whoever waits for the block, and to nobody when the reader has gone.
    next.catch(() => undefined);
    compressed.push(next);
    const first = compressed.length > blocksAhead ? compressed.shift() : undefined;
    if (first !== undefined) yield await first;
  }
  for (const block of compressed) yield await block;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  yield Buffer.concat([lastBlock, trailer]);
}

/**
 * Whatever pieces they came in; only the last block may be shorter.
 * @param free blocks that may be filled again
 */
async function* inBlocks(chunks: AsyncIterable<Buffer>, free: Buffer[]): AsyncGenerator<Buffer> {
  const newBlock = (): Buffer => free.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
  let block = newBlock();
  let used = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const copied = chunk.copy(block, used, at);
      used += copied;
      at += copied;
      if (used === blockBytes) {
        yield block;
        block = newBlock();
        used = 0;
      }
    }
    release(chunk);
  }
  if (used > 0) yield block.subarray(0, used);
}

/** An archive is uploaded once: more effort would take longer than the bytes that it saves. */
const fast = 1;
const stored = 0;

async function compress(block: Buffer): Promise<Buffer> {
  const level = (await isCompressible(block)) ? fast : stored;
  const finishFlush = constants.Z_SYNC_FLUSH;
  // In one go: room for the block and a little more, for what does not become smaller.
  const chunkSize = Math.ceil(block.length * 1.02) + 64;
  return deflate(block, { level, finishFlush, chunkSize });
}

const samples = 4;
const sampleBytes = 4 * 1_024;
/** What is saved must be worth the time: models, pictures and archives become a percent smaller at best. */
const worthwhile = 0.95;

/** Told by a few places of the block, since trying all of it takes as long as compressing it. */
async function isCompressible(block: Buffer): Promise<boolean> {
  const step = Math.floor(block.length / samples);
  const sample = Buffer.concat(
    Array.from({ length: samples }, (_, at) =>
      block.subarray(at * step, at * step + Math.min(step, sampleBytes)),
    ),
  );
  return (await deflate(sample, { level: fast })).length < sample.length * worthwhile;
}

/** Smaller ones may be parts of a buffer that others use. */
const releasedBytes = 128 * 1_024;

/**
 * Gives the memory of a piece of a large file back at once: left to the collector, some 70 MB of them gather.
 * V8 looks at what is outside of its heap only after 64 MB more of it.
 */
export function release(chunk: Buffer): void {
  const { buffer } = chunk;
  const isWhole = chunk.length >= releasedBytes && chunk.length === buffer.byteLength;
  if (isWhole && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
