/** A WEBHOOK_SECRET that is not the one at GitHub, as whoever is on call reads it. */
import { expect, it } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Kysely } from 'kysely';
import type { Logger } from '../../app/log.ts';
import type { Tables } from '../../app/store/tables.ts';
import { createReceiver } from '../../app/webhooks/receive-delivery.ts';
import { headersOf } from './deliveries.ts';

it('is said in the log, once a minute and without the body', async () => {
  let now = new Date('2026-03-04T05:06:07Z');
  const said: unknown[][] = [];
  const receive = createReceiver({
    ...{ secret: 'another secret than GitHub has', now: () => now },
    // Nothing is stored, and nobody woken.
    ...{ db: undefined as unknown as Kysely<Tables>, wake: () => Promise.reject(new Error()) },
    log: { warn: (...words: unknown[]) => said.push(words) } as unknown as Logger,
  });
  const send = async (id: string): Promise<number> => {
    const body = '{"action":"created"}';
    const request = Object.assign(Readable.from([Buffer.from(body)]), {
      headers: headersOf(body, { id }),
    });
    return (await receive(request as unknown as IncomingMessage)).status;
  };

  expect([await send('a'), await send('b')]).toEqual([401, 401]);
  now = new Date(now.getTime() + 60_000);
  expect(await send('c')).toBe(401);
  const words = 'the signature of a delivery does not fit WEBHOOK_SECRET';
  expect(said).toEqual([
    [{ delivery: 'a' }, words],
    [{ delivery: 'c' }, words],
  ]);
});
