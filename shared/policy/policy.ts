/**
 * Who may do what in a repository: the operator's rules and the repository's own in, the policy that holds out.
 * Pure. The repository's file can make each rule stricter and none laxer, so whoever may merge into the default
 * branch cannot help themselves to more than the operator gave.
 */
import { permissions, type Permission } from './decision.ts';

/** The least permission that may be asked for: below it are people who cannot even label an issue. */
export const commandPermissions = ['triage', 'write', 'maintain', 'admin'] as const;
type CommandPermission = (typeof commandPermissions)[number];

/** A circle of people; somebody is in it by one of its teams or by name. */
export interface Members {
  /** Slugs of teams of the organisation that owns the repository. */
  readonly teams: readonly string[];
  /** Numeric ids of people. */
  readonly users: readonly number[];
}

/** Numbers of runs and dollars that are not to be exceeded; undefined: no such ceiling. */
export interface Ceilings {
  readonly maxGpusPerRun?: number;
  /** Runs that have not ended, as the other two. */
  readonly maxRunsPerPull?: number;
  readonly maxRunsPerUser?: number;
  readonly maxRunsPerRepository?: number;
  readonly maxUsdPerRun?: number;
  /** Calendar months, UTC. */
  readonly maxUsdPerMonth?: number;
}

/** What one file says; what it leaves out it does not limit. */
export interface PolicyRules extends Ceilings {
  readonly permission?: CommandPermission;
  readonly members?: Members;
  /** Numeric ids of bots that may give commands. */
  readonly bots?: readonly number[];
  readonly forks?: 'never' | 'approved';
  readonly regions?: readonly string[];
  readonly machines?: readonly string[];
  /** As people type them, such as `T4`. */
  readonly gpus?: readonly string[];
  /** Fields of a job config that a pull request's own file may set, besides those that are always open. */
  readonly openFields?: readonly string[];
  readonly cancelSuperseded?: boolean;
}

export interface Policy extends Ceilings {
  readonly permission: CommandPermission;
  /** One must be in each of them; none: whoever has the permission may. */
  readonly members: readonly Members[];
  readonly bots: readonly number[];
  /** Whether code of a fork may run once somebody has approved its commit. */
  readonly forks: 'never' | 'approved';
  /** Undefined: all that the catalogue knows, as the next two. */
  readonly regions?: readonly string[];
  readonly machines?: readonly string[];
  readonly gpus?: readonly string[];
  readonly openFields: readonly string[];
  readonly cancelSuperseded: boolean;
}

export function effectivePolicy(operator: PolicyRules, repository: PolicyRules): Policy {
  return {
    permission: stricter(operator.permission ?? 'write', repository.permission),
    members: [operator.members, repository.members].filter((circle) => circle !== undefined),
    bots: inBoth(operator.bots ?? [], repository.bots),
    forks: operator.forks === 'approved' && repository.forks !== 'never' ? operator.forks : 'never',
    openFields: inBoth(operator.openFields ?? [], repository.openFields),
    cancelSuperseded: operator.cancelSuperseded === true || repository.cancelSuperseded === true,
    ...narrowLists(operator, repository),
    ...narrowCeilings(operator, repository),
  };
}

/** The permission that seeing to runs which exist takes: no more than starting them, and no more than write. */
export function controlPermission({ permission }: Pick<PolicyRules, 'permission'>): Permission {
  return permission === 'triage' ? 'triage' : 'write';
}

export function hasPermission(permission: Permission, least: Permission): boolean {
  return permissions.indexOf(permission) >= permissions.indexOf(least);
}

const lists = ['regions', 'machines', 'gpus'] as const;

function narrowLists(
  operator: PolicyRules,
  repository: PolicyRules,
): Partial<Record<(typeof lists)[number], readonly string[]>> {
  const entries = lists.flatMap((name) => {
    const [given, own] = [operator[name], repository[name]];
    const list = given === undefined ? own : inBoth(given, own);
    return list === undefined ? [] : [[name, list] as const];
  });
  return Object.fromEntries(entries);
}

const ceilings = [
  ...(['maxGpusPerRun', 'maxRunsPerPull', 'maxRunsPerUser', 'maxRunsPerRepository'] as const),
  ...(['maxUsdPerRun', 'maxUsdPerMonth'] as const),
] as const satisfies readonly (keyof Ceilings)[];

function narrowCeilings(operator: PolicyRules, repository: PolicyRules): Ceilings {
  const entries = ceilings.flatMap((name) => {
    const set = [operator[name], repository[name]].filter((value) => value !== undefined);
    return set.length === 0 ? [] : [[name, Math.min(...set)] as const];
  });
  return Object.fromEntries(entries);
}

/** The ceilings alone, for the record and for whoever reserves below them. */
export function ceilingsOf(policy: Ceilings): Ceilings {
  return narrowCeilings(policy, {});
}

function stricter(
  operator: CommandPermission,
  repository: CommandPermission | undefined,
): CommandPermission {
  const index = Math.max(
    commandPermissions.indexOf(operator),
    repository === undefined ? 0 : commandPermissions.indexOf(repository),
  );
  return commandPermissions[index] ?? 'admin';
}

function inBoth<T>(given: readonly T[], own: readonly T[] | undefined): readonly T[] {
  return own === undefined ? given : given.filter((one) => own.includes(one));
}
