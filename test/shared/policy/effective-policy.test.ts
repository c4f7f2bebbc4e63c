/** The repository's file can make each rule stricter and none laxer. */
import { describe, expect, it } from '@jest/globals';
import { effectivePolicy, type Policy, type PolicyRules } from '../../../shared/policy/policy.ts';

const circle = { teams: ['ml'], users: [7] };
const other = { teams: ['ops'], users: [] };

describe('effectivePolicy', () => {
  it('is strict where nobody says anything', () => {
    expect(effectivePolicy({}, {})).toEqual({
      permission: 'write',
      members: [],
      bots: [],
      forks: 'never',
      openFields: [],
      cancelSuperseded: false,
    });
  });

  // Everything that the operator can say, what the repository says to it, and what then holds.
  it.each<[keyof Policy, PolicyRules, PolicyRules, unknown]>([
    ['permission', {}, { permission: 'triage' }, 'write'],
    ['permission', { permission: 'triage' }, {}, 'triage'],
    ['permission', { permission: 'triage' }, { permission: 'admin' }, 'admin'],
    ['permission', { permission: 'maintain' }, { permission: 'write' }, 'maintain'],
    ['members', { members: circle }, {}, [circle]],
    ['members', {}, { members: circle }, [circle]],
    ['members', { members: circle }, { members: other }, [circle, other]],
    ['bots', {}, { bots: [1] }, []],
    ['bots', { bots: [1, 2] }, {}, [1, 2]],
    ['bots', { bots: [1, 2] }, { bots: [2, 3] }, [2]],
    ['forks', {}, { forks: 'approved' }, 'never'],
    ['forks', { forks: 'approved' }, {}, 'approved'],
    ['forks', { forks: 'approved' }, { forks: 'never' }, 'never'],
    ['openFields', {}, { openFields: ['tensorboard'] }, []],
    ['openFields', { openFields: ['tensorboard'] }, {}, ['tensorboard']],
    ['openFields', { openFields: ['tensorboard'] }, { openFields: [] }, []],
    ['cancelSuperseded', {}, { cancelSuperseded: true }, true],
    ['cancelSuperseded', { cancelSuperseded: true }, { cancelSuperseded: false }, true],
    ...(['regions', 'machines', 'gpus'] as const).flatMap(
      (name): [keyof Policy, PolicyRules, PolicyRules, unknown][] => [
        [name, {}, {}, undefined],
        [name, {}, { [name]: ['a'] }, ['a']],
        [name, { [name]: ['a', 'b'] }, {}, ['a', 'b']],
        [name, { [name]: ['a', 'b'] }, { [name]: ['c', 'b'] }, ['b']],
        [name, { [name]: ['a'] }, { [name]: ['c'] }, []],
        [name, { [name]: [] }, { [name]: ['c'] }, []],
      ],
    ),
    ...(
      [
        ...['maxGpusPerRun', 'maxRunsPerPull', 'maxRunsPerUser', 'maxRunsPerRepository'],
        ...['maxUsdPerRun', 'maxUsdPerMonth'],
      ] as (keyof Policy)[]
    ).flatMap((name): [keyof Policy, PolicyRules, PolicyRules, unknown][] => [
      [name, {}, {}, undefined],
      [name, { [name]: 4 }, {}, 4],
      [name, {}, { [name]: 4 }, 4],
      [name, { [name]: 4 }, { [name]: 9 }, 4],
      [name, { [name]: 4 }, { [name]: 2 }, 2],
    ]),
  ])('%s: %j narrowed by %j', (name, operator, repository, expected) => {
    expect(effectivePolicy(operator, repository)[name]).toEqual(expected);
  });
});
