import { expect, it } from '@jest/globals';
import { isDatabaseAway } from '../../../app/store/database-away.ts';

function withCode(code: string): Error {
  return Object.assign(new Error('no'), { code });
}

it.each<[string, unknown, boolean]>([
  ['a server that shuts down', withCode('57P01'), true],
  ['one that starts', withCode('57P03'), true],
  ['one that has no connections left', withCode('53300'), true],
  ['one whose disk is full', withCode('53100'), true],
  ['a standby that is not promoted yet', withCode('25006'), true],
  ['a connection that failed', withCode('08006'), true],
  ['transactions that met', withCode('40P01'), true],
  ['nobody who listens', withCode('ECONNREFUSED'), true],
  [
    'nobody who listens, under two addresses',
    Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
    true,
  ],
  ['a connection that ended', new Error('Connection terminated unexpectedly'), true],
  [
    'one that had ended',
    new Error('Client has encountered a connection error and is not queryable'),
    true,
  ],
  ['a row that is there already', withCode('23505'), false],
  ['a statement that is none', withCode('42601'), false],
  ['a query that somebody cancelled', withCode('57014'), false],
  ['a file that is not there', withCode('ENOENT'), false],
  ['a bug', new TypeError('Connection is not a function'), false],
  ['no error', 'Connection terminated', false],
])('%s: %#', (_what, thrown, isAway) => {
  expect(isDatabaseAway(thrown)).toBe(isAway);
});
