/**
 * Whether somebody may run a trigger, and on what: facts asked for just now in, a source or a Refusal out.
 * Running a trigger is as dangerous as deploying, so it needs an opt-in of the default branch, more than write
 * access, and a commit that cannot move.
 */
import { quoteToken } from '../command/quote-token.ts';
import { reject, permissions, type Permission, type Refusal } from '../policy/decision.ts';
import { nearest, shortSha } from '../units.ts';
import type { TriggerRunSource } from './build-trigger.ts';
import type { DeclaredTrigger } from './declaration.ts';

const requiredPermission: Permission = 'maintain';

export interface TriggerRunFacts {
  readonly name: string;
  /** As the default branch declares them. */
  readonly declared: readonly DeclaredTrigger[];
  readonly permission: Permission;
  readonly actorId: number;
  /** Undefined, `head`, the default branch's name, or the head's full sha. */
  readonly ref: string | undefined;
  readonly substitutions: Readonly<Record<string, string>>;
  readonly defaultBranch: string;
  /** Whether the policy lets approved code of others run at all. */
  readonly takesForks: boolean;
  readonly pull: {
    readonly state: 'open' | 'closed';
    /** From a fork, or a bot's: code that nobody of the repository has written. */
    readonly isForeign: boolean;
    readonly authorId: number | undefined;
    /** Whoever else it may be of: who pushed it, who owns the fork. */
    readonly othersIds?: readonly number[];
    /** The head as it was when the command was written; undefined when that cannot be known. */
    readonly headSha: string | undefined;
  };
}

export interface AllowedTriggerRun {
  readonly kind: 'allowed';
  readonly trigger: DeclaredTrigger;
  readonly source: TriggerRunSource;
}

export function decideTriggerRun(facts: TriggerRunFacts): AllowedTriggerRun | Refusal {
  if (permissions.indexOf(facts.permission) < permissions.indexOf(requiredPermission)) {
    return reject(
      'no_permission',
      'Running a trigger can deploy, so it takes `maintain` access to this repository.',
      'Ask a maintainer to comment the command.',
    );
  }
  const trigger = facts.declared.find(({ name }) => name === facts.name);
  if (trigger === undefined) return unknownTrigger(facts.name, facts.declared);
  if (trigger.run === undefined) {
    return reject(
      'field_not_allowed',
      `The trigger ${quoteToken(trigger.name)} is not for running by hand.`,
      'Whoever may change `.github/trainyard.yml` can allow it with `run: {allowed: true}`.',
    );
  }
  if (trigger.disabled) {
    return reject(
      'field_not_allowed',
      `The trigger ${quoteToken(trigger.name)} is disabled.`,
      'Remove `disabled: true` from its declaration first.',
    );
  }
  const { substitutions: allowed } = trigger.run;
  const foreign = Object.keys(facts.substitutions).find((name) => !allowed.includes(name));
  if (foreign !== undefined) {
    const names = allowed.map(quoteToken).join(', ');
    return reject(
      'field_not_allowed',
      `The trigger ${quoteToken(trigger.name)} does not let ${quoteToken(foreign)} be set.`,
      names === '' ? 'Leave it out.' : `It lets be set: ${names}.`,
    );
  }
  const source = sourceOf(facts, trigger);
  if ('kind' in source) return source;
  const { substitutions } = facts;
  const given = Object.keys(substitutions).length === 0 ? {} : { substitutions };
  return { kind: 'allowed', trigger, source: { ...source, ...given } };
}

/** Also the answer of `/trigger show`. */
export function unknownTrigger(name: string, known: readonly { readonly name: string }[]): Refusal {
  const names = known.map((one) => one.name);
  const near = nearest(name, names);
  const fix =
    names.length === 0
      ? 'Declare one under `triggers:` in `.github/trainyard.yml` on the default branch.'
      : `There is ${names.slice(0, 10).map(quoteToken).join(', ')}.`;
  return reject(
    'bad_argument',
    `No trigger ${quoteToken(name)} is declared.`,
    near === undefined ? fix : `Did you mean ${quoteToken(near)}?`,
  );
}

function sourceOf(facts: TriggerRunFacts, trigger: DeclaredTrigger): TriggerRunSource | Refusal {
  const { ref, defaultBranch, pull } = facts;
  const standard = trigger.event.kind === 'pull_request' ? 'head' : defaultBranch;
  const wanted = ref ?? standard;
  if (wanted === defaultBranch) return { branchName: defaultBranch };
  const isSha = /^[0-9a-f]{40}$/.test(wanted);
  if (wanted !== 'head' && !isSha) {
    return reject(
      'bad_argument',
      `A trigger is not run on ${quoteToken(wanted)}.`,
      `Name \`head\`, this pull request's commit, or ${quoteToken(defaultBranch)}.`,
    );
  }
  if (trigger.run?.head !== true) {
    return reject(
      'field_not_allowed',
      `The trigger ${quoteToken(trigger.name)} runs on the default branch only.`,
      `Comment \`/trigger run ${trigger.name} ${defaultBranch}\`, or allow pull requests with \`run: {allowed: true, head: true}\`.`,
    );
  }
  if (pull.state !== 'open') {
    return reject('pull_closed', 'This pull request is closed.', 'Reopen it and comment again.');
  }
  if (pull.headSha === undefined || (isSha && wanted !== pull.headSha)) {
    const newest = pull.headSha === undefined ? 'its newest commit' : shortSha(pull.headSha);
    return reject(
      'head_moved',
      'A push may lie between the comment and now, so it is not clear which commit is meant.',
      `To run ${newest}, comment the command again.`,
    );
  }
  return pull.isForeign ? foreignSource(facts, wanted, pull.headSha) : { commitSha: pull.headSha };
}

/** Whoever brought the code from outside is not the one who lets it run. */
function foreignSource(
  { actorId, pull, name, takesForks }: TriggerRunFacts,
  wanted: string,
  headSha: string,
): TriggerRunSource | Refusal {
  const { authorId, othersIds = [] } = pull;
  if (!takesForks) {
    return reject(
      'fork_not_approved',
      'This pull request comes from a fork or a bot, and such code is not run here.',
      'Push the branch to this repository after reading it, or have `forks: approved` configured.',
    );
  }
  if (authorId === undefined || [authorId, ...othersIds].includes(actorId)) {
    return reject(
      'fork_not_approved',
      'This pull request comes from a fork or a bot, and its author cannot let it run.',
      'Ask another maintainer to read it and to comment the command.',
    );
  }
  if (wanted !== headSha) {
    return reject(
      'fork_not_approved',
      'This pull request comes from a fork or a bot: its code runs only when somebody names the commit that they have read.',
      `After reading it, comment \`/trigger run ${name} ${headSha}\`.`,
    );
  }
  return { commitSha: headSha };
}
