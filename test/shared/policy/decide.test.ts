import { describe, expect, it } from '@jest/globals';
import { decide, decideControl } from '../../../shared/policy/decide.ts';
import type { CommandFacts } from '../../../shared/policy/decision.ts';

const sha = 'a'.repeat(40);
const facts: CommandFacts = {
  actor: { id: 7, login: 'olivia', isBot: false },
  permission: 'write',
  ageSeconds: 2,
  pull: {
    number: 1,
    state: 'open',
    headRepositoryId: 1001,
    baseRepositoryId: 1001,
    headSha: sha,
    headShaAtComment: sha,
  },
};
const pull = (fields: Partial<CommandFacts['pull']>): CommandFacts => ({
  ...facts,
  pull: { ...facts.pull, ...fields },
});

describe('decide', () => {
  it.each(['write', 'maintain', 'admin'] as const)('allows %s', (permission) => {
    expect(decide({ ...facts, permission })).toEqual({ kind: 'allowed', tier: 'pull' });
  });

  it('allows the commit that was meant, though a newer one has come', () => {
    expect(decide(pull({ headSha: 'b'.repeat(40) })).kind).toBe('allowed');
  });

  it.each([
    ['nobody', { ...facts, permission: 'none' }, 'no_permission'],
    ['a reader', { ...facts, permission: 'read' }, 'no_permission'],
    ['a triager', { ...facts, permission: 'triage' }, 'no_permission'],
    ['a bot', { ...facts, actor: { ...facts.actor, isBot: true } }, 'no_permission'],
    ['a closed pull request', pull({ state: 'closed' }), 'pull_closed'],
    ['a fork', pull({ headRepositoryId: 2002 }), 'fork_not_approved'],
    ['a deleted head repository', pull({ headRepositoryId: null }), 'fork_not_approved'],
    ['a comment that came late', { ...facts, ageSeconds: 601 }, 'stale_command'],
    ['an unknown head', pull({ headShaAtComment: undefined }), 'head_moved'],
  ] as const)('refuses %s', (_, wrong, reason) => {
    expect(decide(wrong)).toMatchObject({ kind: 'rejected', reason });
  });

  it('is asked about runs that exist by permission alone', () => {
    expect(decideControl({ permission: 'write' })).toBeUndefined();
    expect(decideControl({ permission: 'triage' })).toMatchObject({ reason: 'no_permission' });
  });

  it('says how to confirm when the head is unknown', () => {
    const decision = decide(pull({ headShaAtComment: undefined }));
    expect(decision.kind === 'rejected' && decision.fix).toContain('`aaaaaaa`');
  });
});
