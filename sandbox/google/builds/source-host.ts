/** What Cloud Build reads of the GitHub repositories that are connected to it. */
import type { Readable } from 'node:stream';

export interface SourceHost {
  /** Undefined when there is no such repository. */
  find(owner: string, name: string): SourceRepository | undefined;
}

export interface SourceRepository {
  readonly owner: string;
  readonly name: string;
  /** The commit that a sha, a branch, a tag or `refs/…` names. */
  resolve(revision: string): Promise<string | undefined>;
  /** The commit's message; undefined when there is no such commit. */
  message(sha: string): Promise<string | undefined>;
  /** Paths of the files in which `head` differs from where it left `base`. */
  changedSince(base: string, head: string): Promise<readonly string[]>;
  /** Paths of the files in which two commits differ; all of the second one's without a first. */
  changedBetween(before: string | undefined, after: string): Promise<readonly string[]>;
  /** A file's content; undefined when there is none at that path. */
  readFile(sha: string, path: string): Promise<Buffer | undefined>;
  /** The names at the root of the commit. */
  rootNames(sha: string): Promise<readonly string[]>;
  /** A tar.gz of all files of the commit. */
  checkout(sha: string): Promise<Readable>;
  /** Whether that account may push. */
  canWrite(login: string): boolean;
  /** Undefined when there is no such pull request. */
  pull(number: number): SourcePull | undefined;
}

export interface SourcePull {
  readonly number: number;
  readonly isOpen: boolean;
  /** Login. */
  readonly author: string;
  readonly description: string;
  readonly headSha: string;
  readonly headBranch: string;
  readonly headRepository: { readonly owner: string; readonly name: string };
  readonly baseBranch: string;
}

/** Where production finds the repositories of github.com. */
export function remoteUri(owner: string, name: string): string {
  return `https://github.com/${owner}/${name}.git`;
}

export function parseRemoteUri(
  uri: string,
): { readonly owner: string; readonly name: string } | undefined {
  const found = /^https:\/\/github\.com\/([\w.-]{1,100})\/([\w.-]{1,100}?)(?:\.git)?\/?$/.exec(uri);
  const [, owner, name] = found ?? [];
  return owner === undefined || name === undefined ? undefined : { owner, name };
}
