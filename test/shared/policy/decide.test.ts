import { describe, expect, it } from '@jest/globals';
import { decideApproval, type ApprovalFacts } from '../../../shared/policy/decide-approval.ts';
import { decide, decideControl } from '../../../shared/policy/decide.ts';
import type { CommandFacts } from '../../../shared/policy/decision.ts';
import { effectivePolicy, type PolicyRules } from '../../../shared/policy/policy.ts';

const sha = 'a'.repeat(40);
const facts: CommandFacts = {
  actor: { id: 7, login: 'olivia', isBot: false, teams: [] },
  permission: 'write',
  policy: effectivePolicy({}, {}),
  ageSeconds: 2,
  repository: {
    id: 1001,
    idByName: 1001,
    isArchived: false,
    ownerId: 50,
    requiredOwnerId: undefined,
  },
  pull: {
    number: 1,
    state: 'open',
    author: { id: 9, isBot: false },
    headRepositoryId: 1001,
    forkOwnerId: undefined,
    headSha: sha,
    headShaAtComment: sha,
    pusher: { id: 9, isBot: false },
    isApproved: false,
    hasForkPlaces: true,
  },
  usage: { openRunsOfPull: 1, openRunsOfUser: 1, openRunsOfRepository: 1, monthUsd: 10 },
};
const pull = (fields: Partial<CommandFacts['pull']>, rules: PolicyRules = {}): CommandFacts => ({
  ...facts,
  policy: effectivePolicy(rules, {}),
  pull: { ...facts.pull, ...fields },
});
const repository = (fields: Partial<CommandFacts['repository']>): CommandFacts => ({
  ...facts,
  repository: { ...facts.repository, ...fields },
});
const policy = (rules: PolicyRules, changes: Partial<CommandFacts> = {}): CommandFacts => ({
  ...facts,
  ...changes,
  policy: effectivePolicy(rules, {}),
});
const bot = { ...facts.actor, isBot: true };
const fork = { headRepositoryId: 2002 };
const approved = { forks: 'approved' } as const;
const circle = { members: { teams: ['ml'], users: [12] } };

describe('decide', () => {
  it.each(['write', 'maintain', 'admin'] as const)('allows %s', (permission) => {
    expect(decide({ ...facts, permission })).toEqual({ kind: 'allowed', tier: 'pull' });
  });

  it.each<[string, CommandFacts, 'pull' | 'fork']>([
    [
      'the commit that was meant, though a newer one came',
      pull({ headSha: 'b'.repeat(40) }),
      'pull',
    ],
    [
      'triage where the policy says so',
      policy({ permission: 'triage' }, { permission: 'triage' }),
      'pull',
    ],
    ['a bot that is named', policy({ bots: [7] }, { actor: bot, permission: 'none' }), 'pull'],
    ['a member', policy(circle, { actor: { ...facts.actor, teams: ['ml'] } }), 'pull'],
    ['somebody who is named', policy(circle, { actor: { ...facts.actor, id: 12 } }), 'pull'],
    ['the owner that is required', repository({ requiredOwnerId: 50 }), 'pull'],
    ['one run less than may be', policy({ maxRunsPerPull: 2, maxUsdPerMonth: 11 }), 'pull'],
    ['an approved fork', pull({ ...fork, isApproved: true }, approved), 'fork'],
    [
      'an approved commit of a bot',
      pull({ author: { id: 3, isBot: true }, isApproved: true }, approved),
      'fork',
    ],
  ])('allows %s', (_, allowed, tier) => {
    expect(decide(allowed)).toEqual({ kind: 'allowed', tier });
  });

  it.each<[string, CommandFacts, string]>([
    ['nobody', { ...facts, permission: 'none' }, 'no_permission'],
    ['a reader', { ...facts, permission: 'read' }, 'no_permission'],
    ['a triager', { ...facts, permission: 'triage' }, 'no_permission'],
    [
      'a writer where maintainers are asked for',
      policy({ permission: 'maintain' }),
      'no_permission',
    ],
    ['a bot', { ...facts, actor: bot, permission: 'admin' }, 'no_permission'],
    [
      'another bot than the one that is named',
      policy({ bots: [8] }, { actor: bot }),
      'no_permission',
    ],
    ['whoever is in no team', policy(circle), 'no_permission'],
    ['a member without permission', policy(circle, { permission: 'read' }), 'no_permission'],
    [
      'a member of one circle of two',
      {
        ...facts,
        actor: { ...facts.actor, teams: ['ml'] },
        policy: effectivePolicy(circle, { members: { teams: ['ops'], users: [] } }),
      },
      'no_permission',
    ],
    ['a name that leads elsewhere', repository({ idByName: 1002 }), 'repository_not_allowed'],
    ['an archived repository', repository({ isArchived: true }), 'repository_not_allowed'],
    ['a transferred repository', repository({ requiredOwnerId: 51 }), 'repository_not_allowed'],
    [
      'an owner that is not known',
      repository({ requiredOwnerId: 50, ownerId: undefined }),
      'repository_not_allowed',
    ],
    ['a closed pull request', pull({ state: 'closed' }), 'pull_closed'],
    ['a fork', pull(fork), 'fork_not_approved'],
    ['a fork, approved or not', pull({ ...fork, isApproved: true }), 'fork_not_approved'],
    ['a deleted head repository', pull({ headRepositoryId: null }), 'fork_not_approved'],
    ['a pull request of a bot', pull({ author: { id: 3, isBot: true } }), 'fork_not_approved'],
    ['a push of a bot', pull({ pusher: { id: 3, isBot: true } }), 'fork_not_approved'],
    ['a fork that nobody approved', pull(fork, approved), 'fork_not_approved'],
    [
      'an approved commit after a push',
      pull({ ...fork, isApproved: true, headSha: 'b'.repeat(40) }, approved),
      'fork_not_approved',
    ],
    [
      'a fork without accounts of its own',
      pull({ ...fork, isApproved: true, hasForkPlaces: false }, approved),
      'fork_not_approved',
    ],
    [
      'an approved fork whose head is not known',
      pull({ ...fork, isApproved: true, headShaAtComment: undefined }, approved),
      'head_moved',
    ],
    ['a comment that came late', { ...facts, ageSeconds: 601 }, 'stale_command'],
    ['an unknown head', pull({ headShaAtComment: undefined }), 'head_moved'],
    ['a run too many of the pull request', policy({ maxRunsPerPull: 1 }), 'too_many_runs'],
    ['a run too many of the person', policy({ maxRunsPerUser: 1 }), 'too_many_runs'],
    ['a run too many of the repository', policy({ maxRunsPerRepository: 1 }), 'too_many_runs'],
    ['a month that is spent', policy({ maxUsdPerMonth: 10 }), 'over_budget'],
  ])('refuses %s', (_, wrong, reason) => {
    const decision = decide(wrong);
    expect(decision).toMatchObject({ kind: 'rejected', reason });
    expect(decision.kind === 'rejected' && decision.fix).toMatch(/^[A-Z].{15,}\.$/);
  });

  it('says how to confirm when the head is unknown', () => {
    const decision = decide(pull({ headShaAtComment: undefined }));
    expect(decision.kind === 'rejected' && decision.fix).toContain('`aaaaaaa`');
  });

  it('says what to approve', () => {
    const decision = decide(pull(fork, approved));
    expect(decision.kind === 'rejected' && decision.fix).toContain(`\`/approve ${sha}\``);
  });
});

describe('decideControl', () => {
  it.each([
    ['write', {}, undefined],
    ['triage', {}, 'no_permission'],
    ['triage', { permission: 'triage' }, undefined],
    ['read', { permission: 'triage' }, 'no_permission'],
    // Ending a run takes no more than it ever did.
    ['write', { permission: 'admin' }, undefined],
  ] as const)('%s, where %j', (permission, rules, reason) => {
    expect(decideControl({ permission }, rules)?.reason).toBe(reason);
  });
});

describe('decideApproval', () => {
  const asks: ApprovalFacts = pull({ ...fork, forkOwnerId: 9 }, approved);
  const ask = (changes: Partial<ApprovalFacts>): ApprovalFacts => ({ ...asks, ...changes });
  const askOf = (fields: Partial<CommandFacts['pull']>): ApprovalFacts =>
    ask({ pull: { ...asks.pull, ...fields } });

  it.each<[string, ApprovalFacts]>([
    ['a writer', asks],
    [
      'a commit of a bot in the repository itself',
      askOf({ headRepositoryId: 1001, pusher: { id: 3, isBot: true } }),
    ],
    ['a fork that was deleted', askOf({ headRepositoryId: null, forkOwnerId: undefined })],
  ])('lets %s be approved', (_, allowed) => {
    expect(decideApproval(allowed, sha)).toBeUndefined();
  });

  it.each<[string, ApprovalFacts, string]>([
    [
      'a triager',
      ask({
        permission: 'triage',
        policy: effectivePolicy({ ...approved, permission: 'triage' }, {}),
      }),
      'no_permission',
    ],
    [
      'a bot, named or not',
      ask({
        actor: bot,
        permission: 'admin',
        policy: effectivePolicy({ ...approved, bots: [7] }, {}),
      }),
      'no_permission',
    ],
    [
      'whoever is in no team',
      ask({ policy: effectivePolicy({ ...approved, ...circle }, {}) }),
      'no_permission',
    ],
    ['the author', askOf({ author: { id: 7, isBot: false } }), 'no_permission'],
    ['the pusher', askOf({ pusher: { id: 7, isBot: false } }), 'no_permission'],
    ['the owner of the fork', askOf({ forkOwnerId: 7 }), 'no_permission'],
    ['another commit', askOf({ headSha: 'b'.repeat(40) }), 'head_moved'],
    ['what needs no approval', askOf({ headRepositoryId: 1001 }), 'bad_argument'],
    ['where forks never run', ask({ policy: effectivePolicy({}, {}) }), 'fork_not_approved'],
    ['a closed pull request', askOf({ state: 'closed' }), 'pull_closed'],
    [
      'an archived repository',
      ask({ repository: { ...facts.repository, isArchived: true } }),
      'repository_not_allowed',
    ],
  ])('refuses %s', (_, wrong, reason) => {
    expect(decideApproval(wrong, sha)).toMatchObject({ kind: 'rejected', reason });
  });
});
