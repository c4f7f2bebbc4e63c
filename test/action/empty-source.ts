import { Readable } from 'node:stream';
import type { Source } from '../../shared/ports.ts';

/** A build context that holds a Dockerfile and nothing else. */
export const emptySource: Source = {
  async *files() {
    await Promise.resolve();
    yield {
      path: 'Dockerfile',
      executable: false,
      size: 12,
      open: () => Readable.from([Buffer.from('FROM scratch')]),
      read: () => Promise.resolve(Buffer.from('FROM scratch')),
    };
  },
};
