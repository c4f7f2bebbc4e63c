/**
 * Declared triggers against those that are there: both in, the steps out that make them the same. Pure, so that
 * a dry run, a pull request's check and the real thing show and do the same.
 */
import { isDeepStrictEqual } from 'node:util';
import type { BuildTrigger, TriggerRequest } from './build-trigger.ts';
import type { DeletedTrigger } from './declaration.ts';
import { markAsOurs, ownerOf, type Owner } from './to-trigger-request.ts';

/** A trigger that is there, and in which region. */
export interface ActualTrigger {
  readonly region: string;
  readonly trigger: BuildTrigger;
}

/** What was sent, and what the service made of it: it may fill in fields or spell them in another way. */
export interface WrittenTrigger {
  readonly sent: BuildTrigger;
  readonly answered: BuildTrigger;
}

export type TriggerStep =
  | { readonly do: 'create'; readonly name: string; readonly request: TriggerRequest }
  | {
      readonly do: 'update';
      readonly name: string;
      readonly id: string;
      readonly request: TriggerRequest;
      readonly changes: readonly FieldChange[];
      readonly updateMask: readonly string[];
      /** It was made by somebody else and is kept by us from now on. */
      readonly adopts: boolean;
    }
  | {
      readonly do: 'delete' | 'unchanged' | 'leave';
      readonly name: string;
      readonly region: string;
      readonly id: string;
    }
  /** Nothing can be done about it: the name is taken. */
  | {
      readonly do: 'blocked';
      readonly name: string;
      readonly region: string;
      readonly message: string;
    };

export interface FieldChange {
  /** Such as `github.push.branch`. */
  readonly path: string;
  /** JSON values; undefined: not set. */
  readonly was: unknown;
  readonly becomes: unknown;
  /** We had written something else: somebody has changed it since. */
  readonly byHand: boolean;
}

export interface TriggerFacts {
  readonly owner: Owner;
  readonly requests: readonly TriggerRequest[];
  readonly deleted: readonly DeletedTrigger[];
  readonly actual: readonly ActualTrigger[];
  /** What we last wrote, by the trigger's id. */
  readonly written: ReadonlyMap<string, WrittenTrigger>;
  readonly repository: { readonly owner: string; readonly repo: string };
  /** Names under which connections have this repository. */
  readonly connected: readonly string[];
}

/** Everything else of a trigger is the service's own, or of a kind that we do not declare. */
const managedFields = [
  ...['description', 'tags', 'disabled', 'substitutions', 'includedFiles', 'ignoredFiles'],
  ...['serviceAccount', 'approvalConfig', 'includeBuildLogs', 'filter', 'github'],
  ...['repositoryEventConfig', 'sourceToBuild', 'filename', 'build', 'gitFileSource', 'autodetect'],
];
/** Setting one of them unsets the others. */
const templates = ['filename', 'build', 'gitFileSource', 'autodetect'];

export function diffTriggers(facts: TriggerFacts): readonly TriggerStep[] {
  const { requests, actual, deleted } = facts;
  const taken = new Set<ActualTrigger>();
  const steps = requests.map((request, index): TriggerStep => {
    const isSame = (other: TriggerRequest): boolean =>
      other.region === request.region && other.trigger.name === request.trigger.name;
    if (requests.slice(0, index).some(isSame)) {
      const place = { name: request.trigger.name ?? '', region: request.region };
      return { do: 'blocked', ...place, message: 'it is declared twice for the same region' };
    }
    const found = actual.find(
      ({ region, trigger }) => region === request.region && trigger.name === request.trigger.name,
    );
    if (found !== undefined) taken.add(found);
    return stepFor(request, found, facts);
  });
  const others = actual.filter((one) => !taken.has(one) && isOfRepository(one.trigger, facts));
  for (const one of others) {
    const { region, trigger } = one;
    const named = deleted.some(
      (asked) => asked.name === trigger.name && (asked.region ?? region) === region,
    );
    const place = { name: trigger.name ?? '', region, id: trigger.id ?? '' };
    const blocker = ownerOf(trigger)?.owner;
    if (named && blocker !== undefined && blocker !== facts.owner.owner) {
      steps.push({ do: 'blocked', ...place, message: anotherInstallation(blocker) });
    } else steps.push({ do: named ? 'delete' : 'leave', ...place });
  }
  return steps;
}

function stepFor(
  request: TriggerRequest,
  found: ActualTrigger | undefined,
  facts: TriggerFacts,
): TriggerStep {
  const name = request.trigger.name ?? '';
  const { region } = request;
  if (found === undefined) {
    const trigger = markAsOurs(request.trigger, facts.owner);
    return { do: 'create', name, request: { ...request, trigger } };
  }
  const { trigger: actual } = found;
  const keeper = ownerOf(actual);
  if (keeper !== undefined && keeper.owner !== facts.owner.owner) {
    const message = anotherInstallation(keeper.owner ?? '');
    return { do: 'blocked', name, region, message };
  }
  const isForOther =
    keeper?.repositoryId !== undefined && keeper.repositoryId !== facts.owner.repositoryId;
  if (isForOther || (keeper === undefined && !isOfRepository(actual, facts))) {
    const message = 'another repository has a trigger of that name; choose another one';
    return { do: 'blocked', name, region, message };
  }
  const id = actual.id ?? '';
  const desired = markAsOurs(request.trigger, facts.owner, actual.tags);
  const changes = changesOf(actual, desired, facts.written.get(id));
  if (changes.length === 0) return { do: 'unchanged', name, region, id };
  const updateMask = maskOf(changes, desired);
  const adopts = keeper === undefined;
  return {
    do: 'update',
    name,
    id,
    request: { ...request, trigger: desired },
    changes,
    updateMask,
    adopts,
  };
}

function anotherInstallation(owner: string): string {
  return `it belongs to another installation of Trainyard (${owner})`;
}

/** By what starts it, by what it builds, or by our tag. */
function isOfRepository(trigger: BuildTrigger, facts: TriggerFacts): boolean {
  const keeper = ownerOf(trigger);
  if (keeper?.repositoryId !== undefined) return keeper.repositoryId === facts.owner.repositoryId;
  const { owner, repo } = facts.repository;
  const { github, repositoryEventConfig, sourceToBuild } = trigger;
  const same = (given: string | undefined, wanted: string): boolean =>
    given?.toLowerCase() === wanted.toLowerCase();
  if (github !== undefined) return same(github.owner, owner) && same(github.name, repo);
  const connected = repositoryEventConfig?.repository ?? sourceToBuild?.repository;
  if (connected !== undefined) return facts.connected.includes(connected);
  const uri = sourceToBuild?.uri?.replace(/(?:\.git)?\/?$/, '');
  return same(uri, `https://github.com/${owner}/${repo}`);
}

function changesOf(
  actual: BuildTrigger,
  desired: BuildTrigger,
  written: WrittenTrigger | undefined,
): FieldChange[] {
  const was = leavesOf(actual);
  const becomes = leavesOf(desired);
  const sent = written && leavesOf(written.sent);
  const answered = written && leavesOf(written.answered);
  const paths = [...new Set([...was.keys(), ...becomes.keys()])].sort();
  return paths.flatMap((path) => {
    const [before, after] = [was.get(path), becomes.get(path)];
    if (isDeepStrictEqual(before, after)) return [];
    const isAsAnswered = answered !== undefined && isDeepStrictEqual(before, answered.get(path));
    // The service has made this of what we still want: writing it again would change nothing, for ever.
    if (isAsAnswered && isDeepStrictEqual(after, sent?.get(path))) return [];
    return [{ path, was: before, becomes: after, byHand: written !== undefined && !isAsAnswered }];
  });
}

/** The managed fields down to their texts, numbers and lists; what equals the field's absence is left out. */
function leavesOf(trigger: BuildTrigger): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  const visit = (value: unknown, path: string): void => {
    if (Array.isArray(value)) {
      if (value.length > 0) leaves.set(path, path === 'tags' ? value.toSorted() : value);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) visit(item, `${path}.${key}`);
    } else if (!isDefault(path, value)) leaves.set(path, value);
  };
  for (const field of managedFields) visit(trigger[field], field);
  return leaves;
}

/** What the service fills in or leaves out as it likes. */
const defaults: Readonly<Record<string, unknown>> = {
  commentControl: 'COMMENTS_DISABLED',
  includeBuildLogs: 'INCLUDE_BUILD_LOGS_UNSPECIFIED',
};
const outputOnly = new Set(['installationId', 'repositoryType']);

function isDefault(path: string, value: unknown): boolean {
  const key = path.slice(path.lastIndexOf('.') + 1);
  if (outputOnly.has(key) || value === undefined || value === null || value === '') return true;
  return value === false || defaults[key] === value;
}

/** Whole top-level fields: what is not in the new one is gone then, whoever put it there. */
function maskOf(changes: readonly FieldChange[], desired: BuildTrigger): readonly string[] {
  const fields = new Set(changes.map(({ path }) => path.split('.')[0] ?? ''));
  const hasTemplate = templates.some((field) => desired[field] !== undefined);
  return [...fields]
    .filter((field) => !hasTemplate || !templates.includes(field) || desired[field] !== undefined)
    .sort();
}
