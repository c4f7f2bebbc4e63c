/**
 * One bare repository: names and ids in, commits, trees, blobs, differences and archives out. The caller
 * gives names as they came from outside; whatever is no name at all is simply not found.
 */
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { isRefName, isSha, isTreePath } from './names.ts';
import { git, gitEnvironment, gitText } from './run-git.ts';

export interface Signature {
  readonly name: string;
  readonly email: string;
  /** ISO 8601 in UTC. */
  readonly date: string;
}
export interface Commit {
  readonly sha: string;
  readonly treeSha: string;
  readonly parents: readonly string[];
  readonly author: Signature;
  readonly committer: Signature;
  readonly message: string;
}
export interface TreeEntry {
  readonly path: string;
  readonly mode: string;
  readonly type: 'blob' | 'tree' | 'commit';
  readonly sha: string;
  /** Bytes; blobs only. */
  readonly size?: number;
}
export interface Ref {
  /** In full, such as `refs/heads/main`. */
  readonly name: string;
  /** Of what it names: of the tag's own object where a tag is annotated. */
  readonly sha: string;
}
type ObjectType = 'commit' | 'tag' | 'tree' | 'blob';
export interface ChangedFile {
  readonly path: string;
  readonly status: 'added' | 'modified' | 'removed' | 'changed';
  /** Of the new content; of the old one when the file is removed. */
  readonly sha: string;
  readonly additions: number;
  readonly deletions: number;
}

const zeroSha = '0'.repeat(40);

export class GitRepository {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Makes the repository anew, whatever a creation that was interrupted has left. */
  async create(defaultBranch: string): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
    await git(this.directory, ['init', '--quiet', '--bare', `--initial-branch=${defaultBranch}`]);
  }

  /** Copies what that reference names, with everything that it needs, from another repository. */
  async fetch(from: GitRepository, refspec: string): Promise<void> {
    await git(this.directory, ['fetch', '--quiet', '--no-tags', from.directory, `+${refspec}`]);
  }

  /** The commit that a sha (also a short one), branch, tag or `refs/…` names. */
  async resolve(name: string): Promise<string | undefined> {
    // A full sha is never a branch's name: GitHub takes no such branches.
    if (isSha(name)) return this.verify(`${name}^{commit}`);
    if (!isRefName(name)) return undefined;
    const candidates = name.startsWith('refs/')
      ? [name]
      : [`refs/heads/${name}`, `refs/tags/${name}`, `refs/${name}`];
    if (name === 'HEAD') candidates.unshift('HEAD');
    if (/^[0-9a-f]{7,39}$/.test(name)) candidates.push(name);
    for (const candidate of candidates) {
      const sha = await this.verify(`${candidate}^{commit}`);
      if (sha !== undefined) return sha;
    }
    return undefined;
  }

  /** The tree that a tree's sha, or any name of a commit, stands for. */
  async resolveTree(name: string): Promise<string | undefined> {
    if (isSha(name)) return this.verify(`${name}^{tree}`);
    const commit = await this.resolve(name);
    return commit === undefined ? undefined : this.verify(`${commit}^{tree}`);
  }

  private async verify(expression: string): Promise<string | undefined> {
    const sha = await gitText(this.directory, [
      'rev-parse',
      '--verify',
      '--quiet',
      expression,
    ]).catch(() => undefined);
    return sha !== undefined && isSha(sha) ? sha : undefined;
  }

  /** All references whose full name begins so. */
  async refs(prefix = 'refs/'): Promise<Ref[]> {
    const text = await gitText(this.directory, [
      'for-each-ref',
      '--format=%(objectname) %(refname)',
    ]);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => ({ sha: line.slice(0, 40), name: line.slice(41) }))
      .filter(({ name }) => name.startsWith(prefix));
  }

  async typeOf(sha: string): Promise<ObjectType> {
    return (await gitText(this.directory, ['cat-file', '-t', sha])) as ObjectType;
  }

  async setRef(name: string, sha: string): Promise<void> {
    if (!isRefName(name) || !isSha(sha)) throw new Error(`not a reference: ${name}`);
    await git(this.directory, ['update-ref', name, sha]);
  }

  async commit(sha: string): Promise<Commit | undefined> {
    return (await this.log([sha], { limit: 1 })).at(0);
  }

  /** @param revisions shas, or exclusions as `^sha` */
  async log(
    revisions: readonly string[],
    options: {
      readonly limit: number;
      readonly path?: string;
      /** ISO 8601. */
      readonly since?: string;
      readonly until?: string;
    },
  ): Promise<Commit[]> {
    if (!revisions.every((revision) => isSha(revision.replace(/^\^/, '')))) return [];
    const fields = ['%H', '%T', '%P', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%B'];
    const output = await git(this.directory, [
      'log',
      '-z',
      `--format=${fields.join('%x01')}`,
      `--max-count=${options.limit}`,
      ...(options.since === undefined ? [] : [`--since=${options.since}`]),
      ...(options.until === undefined ? [] : [`--until=${options.until}`]),
      ...revisions,
      '--',
      ...(options.path === undefined ? [] : [options.path]),
    ]).catch(() => Buffer.alloc(0));
    return output
      .toString('utf8')
      .split('\0')
      .filter((record) => record !== '')
      .map(parseCommit);
  }

  async count(from: string, to: string): Promise<number> {
    return Number(await gitText(this.directory, ['rev-list', '--count', to, `^${from}`, '--']));
  }

  /** The first merge commit on the way to `to` that brought `sha` in; undefined when it was none. */
  async mergeOf(sha: string, to: string): Promise<string | undefined> {
    const range = [`${sha}..${to}`, '--'];
    const list = await gitText(this.directory, [
      ...['rev-list', '--ancestry-path', '--merges', '--topo-order', '--reverse'],
      ...range,
    ]);
    return list.split('\n').find(isSha);
  }

  async mergeBase(a: string, b: string): Promise<string | undefined> {
    return gitText(this.directory, ['merge-base', a, b]).catch(() => undefined);
  }

  /** Undefined when there is no such tree. */
  async tree(treeSha: string, recursive: boolean): Promise<TreeEntry[] | undefined> {
    const options = recursive ? ['-r', '-t'] : [];
    const output = await git(this.directory, ['ls-tree', '-z', '-l', ...options, treeSha]).catch(
      () => undefined,
    );
    return output
      ?.toString('utf8')
      .split('\0')
      .filter((record) => record !== '')
      .map(parseTreeEntry);
  }

  /** The entry at that path of a commit; undefined when there is none. The root is a tree. */
  async entry(commitSha: string, path: string): Promise<TreeEntry | undefined> {
    if (path === '') {
      const sha = await this.resolveTree(commitSha);
      return sha === undefined ? undefined : { path, mode: '040000', type: 'tree', sha };
    }
    if (!isTreePath(path)) return undefined;
    const output = await git(this.directory, ['ls-tree', '-z', '-l', commitSha, '--', path]);
    const record = output.toString('utf8').split('\0')[0] ?? '';
    return record === '' ? undefined : parseTreeEntry(record);
  }

  /** What `.gitmodules` of that commit says about the submodule at that path. */
  async submoduleUrl(commitSha: string, path: string): Promise<string | undefined> {
    const list = async (key: string): Promise<[string, string][]> => {
      const blob = `--blob=${commitSha}:.gitmodules`;
      const pattern = `^submodule\\..*\\.${key}$`;
      const output = await git(this.directory, ['config', blob, '-z', '--get-regexp', pattern])
        // There is no such file, or it is no configuration.
        .catch(() => Buffer.alloc(0));
      return output
        .toString('utf8')
        .split('\0')
        .filter((record) => record.includes('\n'))
        .map((record) => {
          const end = record.indexOf('\n');
          return [record.slice(0, end - key.length), record.slice(end + 1)];
        });
    };
    const section = (await list('path')).find(([, value]) => value === path)?.[0];
    return (await list('url')).find(([name]) => name === section)?.[1];
  }

  async blob(sha: string): Promise<Buffer | undefined> {
    if (!isSha(sha)) return undefined;
    return git(this.directory, ['cat-file', 'blob', sha]).catch(() => undefined);
  }

  /** What changed between two commits, or in all of the second one when there is no first. */
  async changedFiles(from: string | undefined, to: string): Promise<ChangedFile[]> {
    const output = await git(this.directory, [
      'diff-tree',
      '-r',
      '-z',
      '--root',
      '--no-commit-id',
      '--no-renames',
      '--raw',
      '--numstat',
      '--abbrev=40',
      ...(from === undefined ? [to] : [from, to]),
      '--',
    ]);
    return parseChanges(output.toString('utf8').split('\0'));
  }

  /** The hunks of one file's difference, without git's header; undefined for binary files. */
  async patch(from: string | undefined, to: string, path: string): Promise<string | undefined> {
    const range = from === undefined ? [to] : [from, to];
    const text = await gitText(this.directory, [
      'diff-tree',
      '-r',
      '-p',
      '--root',
      '--no-commit-id',
      '--no-renames',
      ...range,
      '--',
      path,
    ]);
    const hunks = text.indexOf('\n@@ ');
    return hunks < 0 ? undefined : text.slice(hunks + 1);
  }

  /** A tar.gz of the commit. Destroying the stream ends git. */
  archive(commitSha: string, prefix: string): Readable {
    const child = spawn('git', ['archive', '--format=tar.gz', `--prefix=${prefix}/`, commitSha], {
      env: gitEnvironment(this.directory),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child.on('error', (error) => child.stdout.destroy(error));
    child.stdout.on('close', () => child.kill());
    return child.stdout;
  }
}

function parseCommit(record: string): Commit {
  const [sha, treeSha, parents, an, ae, ad, cn, ce, cd, ...message] = record.split('\u0001');
  return {
    sha: sha ?? '',
    treeSha: treeSha ?? '',
    parents: (parents ?? '').split(' ').filter((parent) => parent !== ''),
    author: signature(an, ae, ad),
    committer: signature(cn, ce, cd),
    message: message.join('\u0001').replace(/\n+$/, ''),
  };
}

function signature(name = '', email = '', date = ''): Signature {
  const parsed = new Date(date);
  // Anybody can write any date into a commit.
  const valid = Number.isNaN(parsed.getTime()) ? new Date(0) : parsed;
  return { name, email, date: `${valid.toISOString().slice(0, 19)}Z` };
}

function parseTreeEntry(record: string): TreeEntry {
  const tab = record.indexOf('\t');
  const [mode, type, sha, size] = record.slice(0, tab).split(/ +/);
  const entry = {
    path: record.slice(tab + 1),
    mode: mode ?? '',
    type: (type ?? 'blob') as TreeEntry['type'],
    sha: sha ?? '',
  };
  return type === 'blob' ? { ...entry, size: Number(size) } : entry;
}

const statusNames: Readonly<Record<string, ChangedFile['status']>> = {
  A: 'added',
  M: 'modified',
  D: 'removed',
  T: 'changed',
};

/** First `:modes shas status`, path pairs, then `additions TAB deletions TAB path` records. */
function parseChanges(records: readonly string[]): ChangedFile[] {
  const counts = new Map<string, { additions: number; deletions: number }>();
  const raw: { path: string; status: ChangedFile['status']; sha: string }[] = [];
  for (let index = 0; index < records.length; index++) {
    const record = records[index] ?? '';
    if (record.startsWith(':')) {
      const [, , before, after, letter] = record.split(' ');
      const path = records[++index] ?? '';
      const sha = after === undefined || after === zeroSha ? before : after;
      raw.push({ path, status: statusNames[letter ?? ''] ?? 'modified', sha: sha ?? zeroSha });
      continue;
    }
    const numbers = /^(\d+|-)\t(\d+|-)\t([^]*)$/.exec(record);
    if (numbers === null) continue;
    const [, additions, deletions, path] = numbers;
    // Binary files are counted as `-`.
    counts.set(path ?? '', {
      additions: Number(additions) || 0,
      deletions: Number(deletions) || 0,
    });
  }
  return raw.map((file) => ({
    ...file,
    ...(counts.get(file.path) ?? { additions: 0, deletions: 0 }),
  }));
}
