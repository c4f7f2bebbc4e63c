/**
 * Repositories under other addresses: by id, and by a name that they had before.
 * @see https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
 */
import { apiRoot, type Hub } from '../hub.ts';
import type { Caller } from './authenticate.ts';
import { canSee } from './authorize.ts';
import type { Match } from './openapi.ts';
import { notFound, type Reply } from './reply.ts';

/**
 * `/repositories/<id>/…`, which redirects lead to, as the path with the name; other paths as they are.
 * @throws {ApiError} 404 when there is no such repository
 */
export function byId(hub: Hub, path: string): string {
  const [, id, rest = ''] = /^\/repositories\/(\d{1,15})(\/.*)?$/.exec(path) ?? [];
  const found = hub.store.state.repositories.find((one) => String(one.id) === id);
  if (id === undefined) return path;
  if (found === undefined) throw notFound();
  return `/repos/${hub.store.fullName(found)}${rest}`;
}

/**
 * Where a repository is that was renamed; undefined when the path's name is nobody's former one.
 * @see https://github.com/18F/charlie/pull/85 the answer to a write: 307, in these words
 */
export function movedTo(hub: Hub, caller: Caller, match: Match, url: URL): Reply | undefined {
  const { owner, repo } = match.pathParameters;
  if (owner === undefined || repo === undefined) return undefined;
  if (hub.store.repositoryNamed(owner, repo) !== undefined) return undefined;
  const found = hub.store.repositoryOnceNamed(owner, repo);
  if (found === undefined || (caller.kind !== 'app' && !canSee(caller, found))) return undefined;
  const rest = url.pathname.slice(apiRoot.length).split('/').slice(4);
  const location = `${hub.api}${['', 'repositories', found.id, ...rest].join('/')}${url.search}`;
  return {
    status: match.method === 'GET' ? 301 : 307,
    json: {
      message: 'Moved Permanently',
      url: location,
      documentation_url:
        'https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects',
    },
    headers: { location },
  };
}
