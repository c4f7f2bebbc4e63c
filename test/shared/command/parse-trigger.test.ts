import { describe, expect, it } from '@jest/globals';
import { parseApprove } from '../../../shared/command/parse-approve.ts';
import { parseTrigger } from '../../../shared/command/parse-trigger.ts';

const nothing = { kind: 'trigger', substitutions: {}, dryRun: false };
const sha = 'a1'.repeat(20);

describe('what follows /trigger', () => {
  it.each([
    ['list', { ...nothing, action: 'list' }],
    ['show deploy', { ...nothing, action: 'show', name: 'deploy' }],
    ['run deploy', { ...nothing, action: 'run', name: 'deploy' }],
    ['run deploy head', { ...nothing, action: 'run', name: 'deploy', ref: 'head' }],
    [
      `run deploy _ENV=prod ${sha} _NOTE="two words"`,
      {
        ...{ ...nothing, action: 'run', name: 'deploy', ref: sha },
        substitutions: { _ENV: 'prod', _NOTE: 'two words' },
      },
    ],
    ['apply', { ...nothing, action: 'apply' }],
    ['apply dry-run', { ...nothing, action: 'apply', dryRun: true }],
  ])('reads %s', (rest, command) => {
    expect(parseTrigger(` ${rest}`)).toEqual(command);
  });

  it.each([
    ['', '', /does not know \(nothing\)\. Write `list`/],
    ['lst', 'lst', /Did you mean `list`/],
    ['list all', 'all', /takes no `all`/],
    ['show', '', /needs the name of a trigger/],
    ['show ../x', '../x', /is no name of a trigger/],
    ['run deploy main other', 'other', /one too many/],
    ['run deploy _A=1 _A=2', '_A=2', /one too many/],
    ['run deploy SHORT_SHA=1', 'SHORT_SHA=1', /neither a branch/],
    ['apply now', 'now', /takes no `now`/],
    ['apply dry-run now', 'now', /takes no `now`/],
    ['run "deploy', 'run "deploy', /not closed/],
  ])('explains %j', (rest, token, message) => {
    const problem = parseTrigger(` ${rest}`);
    expect(problem).toMatchObject({ reason: 'bad_argument', token });
    expect('message' in problem && problem.message).toMatch(message);
    expect('example' in problem && parseTrigger(problem.example.slice(8))).toHaveProperty('kind');
  });
});

describe('what follows /approve', () => {
  it('is one whole commit', () => {
    expect(parseApprove(` ${sha} `)).toEqual({ kind: 'approve', sha });
  });

  it.each([
    ['', /is no commit/],
    ['a1a1a1a', /is a part of a commit/],
    [sha.toUpperCase(), /is no commit/],
    [`${sha} ${sha}`, /is no commit/],
    ['main', /is no commit/],
  ])('is not %j', (word, message) => {
    const problem = parseApprove(word);
    expect('message' in problem && problem.message).toMatch(message);
  });
});
