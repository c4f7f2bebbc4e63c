/**
 * Where the API's tarball redirects to: codeload.github.com's part, at `/_codeload`. The archive of a private
 * repository is opened by a token in its address, which is good for five minutes.
 * @see https://docs.github.com/en/rest/repos/contents#download-a-repository-archive-tar
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { isPlainName, isSha } from './git/names.ts';
import { gitOf, type Hub } from './hub.ts';
import type { Repository } from './state/model.ts';

const tokenLifetimeMs = 300_000;

export function archiveAddress(hub: Hub, repository: Repository, sha: string): string {
  const address = `${hub.web}/_codeload/${hub.store.fullName(repository)}/legacy.tar.gz/${sha}`;
  if (repository.private !== true) return address;
  return `${address}?token=${tokenFor(hub, repository, sha, Date.now() + tokenLifetimeMs)}`;
}

/** Returns false for other paths. */
export async function serveArchive(hub: Hub, url: URL, response: ServerResponse): Promise<boolean> {
  const found = /^\/_codeload\/([^/]+)\/([^/]+)\/legacy\.tar\.gz\/([^/]+)$/.exec(url.pathname);
  if (found === null) return false;
  const [, owner = '', name = '', sha = ''] = found;
  const isPlain = isPlainName(owner) && isPlainName(name) && isSha(sha);
  const repository = isPlain ? hub.store.repositoryNamed(owner, name) : undefined;
  const isOpen =
    repository !== undefined && isOpened(hub, repository, sha, url.searchParams.get('token'));
  const commit = isOpen ? await gitOf(hub, repository).commit(sha) : undefined;
  if (repository === undefined || commit === undefined) {
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' });
    response.end('404: Not Found\n');
    return true;
  }
  const directory = `${owner}-${name}-${sha.slice(0, 7)}`;
  response.writeHead(200, {
    'content-type': 'application/x-gzip',
    'content-disposition': `attachment; filename=${directory}.tar.gz`,
  });
  await pipeline(gitOf(hub, repository).archive(sha, directory), response);
  return true;
}

function tokenFor(hub: Hub, repository: Repository, sha: string, expiresMs: number): string {
  const mac = createHmac('sha256', hub.archiveKey).update(`${repository.id} ${sha} ${expiresMs}`);
  return `${expiresMs}-${mac.digest('hex')}`;
}

function isOpened(hub: Hub, repository: Repository, sha: string, token: string | null): boolean {
  if (repository.private !== true) return true;
  const expiresMs = Number(/^(\d{1,15})-/.exec(token ?? '')?.[1] ?? 0);
  const wanted = Buffer.from(tokenFor(hub, repository, sha, expiresMs));
  const given = Buffer.from(token ?? '');
  return expiresMs > Date.now() && given.length === wanted.length && timingSafeEqual(given, wanted);
}
