import { expect, it } from '@jest/globals';
import { Writable } from 'node:stream';
import { createLog } from '../../app/log.ts';

function logged(err: unknown): string {
  let text = '';
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  createLog('info', destination).error({ err }, 'it failed');
  return text;
}

it.each<[string, unknown, string]>([
  ['an error', new Error('no answer'), 'no answer'],
  ['what the queue reports', { message: 'no answer', stack: 'at once', queue: 'run' }, 'no answer'],
  ['a word', 'no answer', 'no answer'],
])('says in words why something failed: %s', (_what, thrown, message) => {
  const { err } = JSON.parse(logged(thrown)) as { err: { message: string } };
  expect(err.message).toBe(message);
});

it('keeps of an error what is known to hold no secret', () => {
  const request = { headers: { authorization: 'token ghs_secret' } };
  const known = { request, token: 'ghs_secret' };
  expect(logged(Object.assign(new Error('Bad credentials'), known))).not.toContain('ghs_secret');
  expect(logged({ message: 'Bad credentials', ...known })).not.toContain('ghs_secret');
});
