/** Who may run which trigger on what. */
import { describe, expect, it } from '@jest/globals';
import { parseRepoConfig } from '../../../shared/config/repo-config.ts';
import {
  decideTriggerRun,
  type TriggerRunFacts,
} from '../../../shared/triggers/decide-trigger-run.ts';

const sha = 'a'.repeat(40);
const other = 'b'.repeat(40);

const parsed = parseRepoConfig(
  JSON.stringify({
    triggers: [
      {
        name: 'deploy',
        on: 'push',
        branch: '^main$',
        config: 'c',
        run: { allowed: true, substitutions: ['_ENV'] },
      },
      { name: 'test', on: 'pull_request', branch: '^main$', config: 'c', run: { allowed: true } },
      { name: 'closed', on: 'push', branch: '^main$', config: 'c' },
      {
        name: 'off',
        on: 'push',
        branch: '^main$',
        config: 'c',
        disabled: true,
        run: { allowed: true },
      },
    ],
  }),
  'trainyard.yml',
);
if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
const facts: TriggerRunFacts = {
  name: 'deploy',
  declared: parsed.value.triggers?.triggers ?? [],
  permission: 'maintain',
  actorId: 1,
  ref: undefined,
  substitutions: {},
  defaultBranch: 'main',
  takesForks: true,
  pull: { state: 'open', isForeign: false, authorId: 1, headSha: sha },
};
type Changes = Omit<Partial<TriggerRunFacts>, 'pull'> & {
  readonly pull?: Partial<TriggerRunFacts['pull']>;
};
const decide = ({ pull, ...changes }: Changes) =>
  decideTriggerRun({ ...facts, ...changes, pull: { ...facts.pull, ...pull } });

describe('allowed', () => {
  it.each<[string, Changes, object]>([
    ['a push trigger on the default branch', {}, { branchName: 'main' }],
    ['by its name', { ref: 'main' }, { branchName: 'main' }],
    ['by an admin', { permission: 'admin' }, { branchName: 'main' }],
    [
      'with what may be set',
      { substitutions: { _ENV: 'x' } },
      { branchName: 'main', substitutions: { _ENV: 'x' } },
    ],
    ['a pull request’s trigger on its commit', { name: 'test' }, { commitSha: sha }],
    ['by name', { name: 'test', ref: 'head' }, { commitSha: sha }],
    ['by sha', { name: 'test', ref: sha }, { commitSha: sha }],
    [
      'on the default branch of a closed pull request',
      { pull: { state: 'closed' } },
      { branchName: 'main' },
    ],
    [
      'on a fork’s commit that somebody else has named',
      { name: 'test', ref: sha, actorId: 2, pull: { isForeign: true } },
      { commitSha: sha },
    ],
    ['on the default branch beside a fork', { pull: { isForeign: true } }, { branchName: 'main' }],
  ])('%s', (_what, changes, source) => {
    expect(decide(changes)).toMatchObject({ kind: 'allowed', source });
  });
});

describe('refused', () => {
  it.each<[string, Changes, string, RegExp]>([
    ['a writer', { permission: 'write' }, 'no_permission', /maintain/],
    ['nobody', { permission: 'none' }, 'no_permission', /maintain/],
    ['a trigger that is not declared', { name: 'deplyo' }, 'bad_argument', /Did you mean `deploy`/],
    ['one without opt-in', { name: 'closed' }, 'field_not_allowed', /run: \{allowed: true\}/],
    ['one that is disabled', { name: 'off' }, 'field_not_allowed', /disabled/],
    [
      'a substitution that is not listed',
      { substitutions: { _SHELL: 'x' } },
      'field_not_allowed',
      /_SHELL/,
    ],
    [
      'any where none is',
      { name: 'test', substitutions: { _ENV: 'x' } },
      'field_not_allowed',
      /Leave it out/,
    ],
    [
      'a push trigger on a pull request',
      { ref: 'head' },
      'field_not_allowed',
      /default branch only/,
    ],
    ['a branch of somebody', { ref: 'evil' }, 'bad_argument', /not run on `evil`/],
    ['a branch that is called like one', { ref: 'refs/heads/main' }, 'bad_argument', /not run on/],
    ['another commit', { name: 'test', ref: other }, 'head_moved', /push may lie/],
    [
      'a head that nobody can know',
      { name: 'test', pull: { headSha: undefined } },
      'head_moved',
      /push may lie/,
    ],
    ['a closed pull request', { name: 'test', pull: { state: 'closed' } }, 'pull_closed', /closed/],
    [
      'a fork’s author',
      { name: 'test', ref: sha, pull: { isForeign: true } },
      'fork_not_approved',
      /its author/,
    ],
    [
      'whoever pushed a fork’s commit, or owns the fork',
      { name: 'test', ref: sha, actorId: 2, pull: { isForeign: true, othersIds: [3, 2] } },
      'fork_not_approved',
      /its author/,
    ],
    [
      'a fork where code of forks is not run',
      { name: 'test', ref: sha, actorId: 2, takesForks: false, pull: { isForeign: true } },
      'fork_not_approved',
      /not run here/,
    ],
    [
      'a fork whose author is unknown',
      { name: 'test', ref: sha, pull: { isForeign: true, authorId: undefined } },
      'fork_not_approved',
      /its author/,
    ],
    [
      'a fork’s commit that nobody has named',
      { name: 'test', actorId: 2, pull: { isForeign: true } },
      'fork_not_approved',
      /\/trigger run test a{40}/,
    ],
  ])('%s', (_what, changes, reason, words) => {
    const decision = decide(changes);
    if (decision.kind !== 'rejected') throw new Error('it is allowed');
    expect(decision.reason).toBe(reason);
    expect(`${decision.message} ${decision.fix}`).toMatch(words);
  });
});
