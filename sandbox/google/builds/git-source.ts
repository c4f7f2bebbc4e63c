/** A build's source from git: the commit that it names in, the archive of all its files out. */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { isJsonObject, objectAt, textAt, type JsonObject } from '../wire/json.ts';
import { linkedRepository, type ConnectionPorts } from './connections.ts';
import { parseRemoteUri, type SourceHost } from './source-host.ts';

export interface GitSourcePorts {
  readonly sources: SourceHost;
  readonly connections: ConnectionPorts;
}

export function isGitSource(source: JsonObject): boolean {
  return isJsonObject(source['gitSource']) || isJsonObject(source['connectedRepository']);
}

/** Writes a tar.gz to `path`. Returns why it cannot; or what the log says of it. */
export async function fetchGitSource(
  ports: GitSourcePorts,
  source: JsonObject,
  path: string,
): Promise<{ readonly problem: string } | { readonly lines: readonly string[] }> {
  const linked = objectAt(source, 'connectedRepository');
  const git = objectAt(source, 'gitSource');
  const isLinked = source['connectedRepository'] !== undefined;
  const name = isLinked
    ? linkedRepository(ports.connections, textAt(linked, 'repository'))
    : parseRemoteUri(textAt(git, 'url'));
  const { dir, revision } = { dir: '', revision: '', ...(isLinked ? linked : git) };
  if (dir !== '') return { problem: 'the sandbox builds from the root of a repository' };
  const repository = name === undefined ? undefined : ports.sources.find(name.owner, name.name);
  if (name === undefined || repository === undefined) {
    return { problem: 'the sandbox has no such repository' };
  }
  const wanted = typeof revision === 'string' && revision !== '' ? revision : 'HEAD';
  const sha = await repository.resolve(wanted);
  if (sha === undefined) return { problem: `fatal: couldn't find remote ref ${wanted}` };
  await pipeline(await repository.checkout(sha), createWriteStream(path, { mode: 0o600 }));
  const subject = ((await repository.message(sha)) ?? '').split('\n')[0] ?? '';
  return {
    lines: [
      `From https://github.com/${repository.owner}/${repository.name}`,
      ` * branch            ${sha} -> FETCH_HEAD`,
      `HEAD is now at ${sha.slice(0, 7)} ${subject}`,
    ],
  };
}
