/** Files, trees, blobs, references and archives: git's objects as JSON. */
import { posix } from 'node:path';
import { archiveAddress } from '../../codeload.ts';
import type { Ref, TreeEntry } from '../../git/repository.ts';
import { gitOf } from '../../hub.ts';
import { nodeId } from '../../views/account.ts';
import { viewGitCommit } from '../../views/commit.ts';
import { repositoryPage, repositoryUrl } from '../../views/repository.ts';
import type { Call, Handler } from '../call.ts';
import { ApiError, notFound, ok, type Reply } from '../reply.ts';
import { commitAt } from './repositories.ts';

/** Larger files come without content. @see https://docs.github.com/en/rest/repos/contents#get-repository-content */
const maxInlineBytes = 1024 ** 2;
const maxRawBytes = 100 * 1024 ** 2;
/** "This API has an upper limit of 1,000 files for a directory." */
const maxDirectoryEntries = 1_000;
/** @see https://docs.github.com/en/rest/git/trees#get-a-tree */
const maxTreeEntries = 100_000;

async function contents(call: Call): Promise<Reply> {
  const git = gitOf(call.hub, call.repository);
  const path = (call.optionalText('path') ?? '').replace(/^\/+|\/+$/g, '');
  const ref = call.optionalText('ref') ?? call.repository.defaultBranch;
  const sha = await git.resolve(ref);
  if (sha === undefined) throw new ApiError(404, `No commit found for the ref ${ref}`);
  const entry = await git.entry(sha, path);
  if (entry === undefined) throw notFound();
  switch (typeOf(entry)) {
    case 'dir':
      return directoryReply(call, { ...entry, path }, ref);
    case 'submodule': {
      const url = await git.submoduleUrl(sha, path);
      return ok({ ...viewEntry(call, entry, ref), submodule_git_url: url ?? null });
    }
    case 'symlink':
      return symlinkReply(call, entry, { ref, sha });
    case 'file':
      return fileReply(call, entry, ref);
  }
}

async function directoryReply(call: Call, directory: TreeEntry, ref: string): Promise<Reply> {
  const children = (await gitOf(call.hub, call.repository).tree(directory.sha, false)) ?? [];
  const below = (name: string): string =>
    directory.path === '' ? name : `${directory.path}/${name}`;
  const entries = children
    .slice(0, maxDirectoryEntries)
    .map((child) => viewEntry(call, { ...child, path: below(child.path) }, ref))
    // "The value should be submodule. This behavior exists for backwards compatibility."
    .map((view) => (view.type === 'submodule' ? { ...view, type: 'file' as const } : view));
  if (!call.accept.includes('object')) return ok(entries);
  return ok({ ...viewEntry(call, directory, ref), entries });
}

/** A link to a file of the repository is answered with that file, any other link with itself. */
async function symlinkReply(
  call: Call,
  link: TreeEntry,
  at: { readonly ref: string; readonly sha: string },
): Promise<Reply> {
  const git = gitOf(call.hub, call.repository);
  const target = (await git.blob(link.sha))?.toString('utf8') ?? '';
  const path = posix.join(posix.dirname(link.path), target);
  const entry = target.startsWith('/') ? undefined : await git.entry(at.sha, path);
  if (entry !== undefined && typeOf(entry) === 'file') {
    return fileReply(call, { ...entry, path: link.path }, at.ref);
  }
  if (call.accept.includes('raw')) return rawReply(Buffer.from(target));
  return ok({ ...viewEntry(call, link, at.ref), target });
}

async function fileReply(call: Call, entry: TreeEntry, ref: string): Promise<Reply> {
  const size = entry.size ?? 0;
  if (size > maxRawBytes) {
    throw new ApiError(403, 'This API returns blobs up to 100 MB in size.');
  }
  const content = await gitOf(call.hub, call.repository).blob(entry.sha);
  if (content === undefined) throw notFound();
  if (call.accept.includes('raw')) return rawReply(content);
  const view = viewEntry(call, entry, ref);
  return ok(
    size > maxInlineBytes
      ? { ...view, encoding: 'none', content: '' }
      : { ...view, encoding: 'base64', content: wrapped(content) },
  );
}

function rawReply(content: Buffer): Reply {
  const type = 'application/vnd.github.raw+json; charset=utf-8';
  return { status: 200, raw: { type, content } };
}

/** Base64 in lines of 60 characters, as GitHub wraps it. */
function wrapped(content: Buffer): string {
  return content.toString('base64').replace(/.{1,60}/g, '$&\n');
}

function viewEntry(call: Call, entry: TreeEntry, ref: string) {
  const path = entry.path.split('/').map(encodeURIComponent).join('/');
  const url = `${repositoryUrl(call.hub, call.repository)}/contents/${path}?ref=${encodeURIComponent(ref)}`;
  const page = repositoryPage(call.hub, call.repository);
  const kind = entry.type === 'tree' ? 'tree' : 'blob';
  // A submodule's objects are somewhere else.
  const isHere = entry.type !== 'commit';
  const gitUrl = `${repositoryUrl(call.hub, call.repository)}/git/${kind}s/${entry.sha}`;
  const html = `${page}/${kind}/${encodeURIComponent(ref)}/${path}`;
  const links = { git: isHere ? gitUrl : null, html: isHere ? html : null };
  return {
    type: typeOf(entry),
    size: entry.size ?? 0,
    name: entry.path.split('/').at(-1) ?? '',
    path: entry.path,
    sha: entry.sha,
    url,
    git_url: links.git,
    html_url: links.html,
    download_url: entry.type === 'blob' ? `${page}/raw/${encodeURIComponent(ref)}/${path}` : null,
    _links: { self: url, ...links },
  };
}

function typeOf(entry: TreeEntry): 'dir' | 'file' | 'symlink' | 'submodule' {
  if (entry.type === 'tree') return 'dir';
  if (entry.type === 'commit') return 'submodule';
  return entry.mode === '120000' ? 'symlink' : 'file';
}

async function tree(call: Call): Promise<Reply> {
  const git = gitOf(call.hub, call.repository);
  const sha = await git.resolveTree(call.text('tree_sha'));
  // Any value of `recursive` means yes, also `0` and `false`.
  const entries =
    sha === undefined ? undefined : await git.tree(sha, call.input['recursive'] !== undefined);
  if (sha === undefined || entries === undefined) throw notFound();
  const url = `${repositoryUrl(call.hub, call.repository)}/git`;
  return ok({
    sha,
    url: `${url}/trees/${sha}`,
    tree: entries.slice(0, maxTreeEntries).map((entry) => ({
      path: entry.path,
      mode: entry.mode,
      type: entry.type,
      sha: entry.sha,
      ...(entry.size === undefined ? {} : { size: entry.size }),
      ...(entry.type === 'commit' ? {} : { url: `${url}/${entry.type}s/${entry.sha}` }),
    })),
    truncated: entries.length > maxTreeEntries,
  });
}

async function blob(call: Call): Promise<Reply> {
  const sha = call.text('file_sha');
  const content = await gitOf(call.hub, call.repository).blob(sha);
  if (content === undefined) throw notFound();
  if (call.accept.includes('raw')) return rawReply(content);
  return ok({
    sha,
    node_id: nodeId('Blob', call.repository.id),
    url: `${repositoryUrl(call.hub, call.repository)}/git/blobs/${sha}`,
    size: content.length,
    encoding: 'base64',
    content: wrapped(content),
  });
}

async function gitCommit(call: Call): Promise<Reply> {
  const sha = call.text('commit_sha');
  const commit = await gitOf(call.hub, call.repository).commit(sha);
  if (commit === undefined) throw notFound();
  return ok(viewGitCommit(call.hub, call.repository, commit));
}

async function ref(call: Call): Promise<Reply> {
  const name = `refs/${call.text('ref')}`;
  const found = (await gitOf(call.hub, call.repository).refs(name)).find(
    (one) => one.name === name,
  );
  if (found === undefined) throw notFound();
  return ok(await viewRef(call, found));
}

async function matchingRefs(call: Call): Promise<Reply> {
  const found = await gitOf(call.hub, call.repository).refs(`refs/${call.text('ref')}`);
  return ok(await Promise.all(found.map((one) => viewRef(call, one))));
}

async function viewRef(call: Call, { name, sha }: Ref) {
  const url = `${repositoryUrl(call.hub, call.repository)}/git`;
  const type = await gitOf(call.hub, call.repository).typeOf(sha);
  return {
    ref: name,
    node_id: nodeId('Ref', call.repository.id),
    url: `${url}/${name}`,
    object: { type, sha, url: `${url}/${type}s/${sha}` },
  };
}

/** A redirect, as on github.com, where codeload.github.com serves what is behind it. */
async function tarball(call: Call): Promise<Reply> {
  const name = call.text('ref') || call.repository.defaultBranch;
  const { sha } = await commitAt(call, name).catch(() => {
    throw notFound();
  });
  return { status: 302, headers: { location: archiveAddress(call.hub, call.repository, sha) } };
}

export const contentsOf = {
  'repos/get-content': contents,
  'repos/download-tarball-archive': tarball,
  'git/get-tree': tree,
  'git/get-blob': blob,
  'git/get-commit': gitCommit,
  'git/get-ref': ref,
  'git/list-matching-refs': matchingRefs,
} satisfies Record<string, Handler>;
