/** Whether a change in a repository fires a trigger of that repository: both in, the verdict out. */
import { objectAt, textAt, textsAt, type JsonObject } from '../wire/json.ts';
import { compilePathPattern } from './path-pattern.ts';
import { compileRe2 } from './re2.ts';

interface AnyChange {
  /** Of the head commit. */
  readonly message: string;
  /** Paths of the files that are not as they were. */
  readonly files: readonly string[];
}

interface Push extends AnyChange {
  readonly kind: 'push';
  readonly to: 'branch' | 'tag';
  /** Without `refs/heads/` or `refs/tags/`. */
  readonly name: string;
}

interface PullRequestChange extends AnyChange {
  readonly kind: 'pull request';
  readonly baseBranch: string;
  readonly description: string;
  readonly authorCanWrite: boolean;
  /** Somebody who can write has just commented `/gcbrun`. */
  readonly isAskedFor: boolean;
}

export type Change = Push | PullRequestChange;

export const runComment = '/gcbrun';

export function fires(trigger: JsonObject, change: Change): boolean {
  if (trigger['disabled'] === true) return false;
  const config = {
    ...objectAt(trigger, 'github'),
    ...objectAt(trigger, 'repositoryEventConfig'),
  };
  const filter = config[change.kind === 'push' ? 'push' : 'pullRequest'];
  if (filter === undefined) return false;
  const wanted = filter as JsonObject;
  const isAskedFor = change.kind === 'pull request' && change.isAskedFor;
  if (!isRefMatched(wanted, change)) return false;
  if (isSkipped(change.message) && !isAskedFor) return false;
  if (!areFilesMatched(trigger, change.files)) return false;
  return change.kind === 'push' || isLetIn(textAt(wanted, 'commentControl'), change);
}

/** A pull request is for its base: "the git reference where the pull request will be applied". */
function isRefMatched(filter: JsonObject, change: Change): boolean {
  const kind = change.kind === 'push' ? change.to : 'branch';
  if (filter[kind] === undefined) return false;
  const name = change.kind === 'push' ? change.name : change.baseBranch;
  return compileRe2(textAt(filter, kind))(name) !== (filter['invertRegex'] === true);
}

/** @see https://cloud.google.com/build/docs/automating-builds/create-manage-triggers#skipping_a_build_trigger */
function isSkipped(message: string): boolean {
  return message.includes('[skip ci]') || message.includes('[ci skip]');
}

/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.triggers#buildtrigger (ignoredFiles, includedFiles) */
function areFilesMatched(trigger: JsonObject, files: readonly string[]): boolean {
  const ignored = textsAt(trigger, 'ignoredFiles').map(compilePathPattern);
  const included = textsAt(trigger, 'includedFiles').map(compilePathPattern);
  if (ignored.length === 0 && included.length === 0) return true;
  const counted = files.filter((path) => !ignored.some((matches) => matches(path)));
  return counted.some((path) => included.length === 0 || included.some((matches) => matches(path)));
}

/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.triggers#commentcontrol */
function isLetIn(commentControl: string, change: PullRequestChange): boolean {
  if (change.isAskedFor) return true;
  switch (commentControl) {
    case 'COMMENTS_ENABLED':
      return change.authorCanWrite && change.description.includes(runComment);
    case 'COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY':
      return change.authorCanWrite;
    default:
      return true;
  }
}
