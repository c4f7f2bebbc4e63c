/** A GitHub whose events Cloud Build hears, and somebody who pushes to it. */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import type { BuildExecution, BuildOutcome } from '../../../sandbox/executor/executor.ts';
import type { Person } from '../../../sandbox/github/seed.ts';
import { startGoogle, type GoogleSandbox } from '../../../sandbox/google/server.ts';
import { addressOf, clone, type GitClient } from '../github/git-client.ts';
import { startWorld as startGitHubWorld, type World as GitHubWorld } from '../github/world.ts';
import { fakeExecutor, fakeRegistry, fast, project, projectNumber, until } from './world.ts';

export interface Build {
  readonly id: string;
  readonly status: string;
  readonly buildTriggerId: string;
  readonly substitutions: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export interface Execution {
  readonly build: BuildExecution;
  /** Path → text, of the source; `→ target` is a symbolic link. */
  readonly files: Readonly<Record<string, string>>;
}

export interface TriggerWorld {
  readonly github: GitHubWorld;
  readonly git: GitClient;
  /** What the executor was asked for, by the build's id. */
  readonly executions: ReadonlyMap<string, Execution>;
  /** How builds end from now on; undefined: well. */
  outcome: BuildOutcome | undefined;
  /** The answer's body, of a path below `/v1/`. @throws when it is no success */
  call<T>(verb: string, path: string, body?: unknown): Promise<T>;
  /** Lines of logs that pass the filter. */
  logged(filter: string): Promise<string[]>;
  /** Resolves to the trigger's id. */
  create(trigger: object, location?: string): Promise<string>;
  /** All builds of that trigger, oldest first, when there are as many. */
  builds(triggerId: string, atLeast: number, location?: string): Promise<Build[]>;
  /** Commits on that branch as it is on the server, pushes, and resolves to the SHA. */
  push(branch: string, files: Readonly<Record<string, string>>, message?: string): Promise<string>;
  /** Google Cloud ends and starts again on the same directory. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export const connection = `projects/${project}/locations/us-central1/connections/github`;
export const repository = `${connection}/repositories/acme-digits`;
const pusher: Person = 'owner';

/** @param locations where the repository is connected by Cloud Build's App, beside two others */
export async function startTriggerWorld({
  locations = [],
}: { readonly locations?: readonly string[] } = {}): Promise<TriggerWorld> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sandbox-triggers-'));
  const executions = new Map<string, Execution>();
  const { build } = fakeExecutor();
  const executor = fakeExecutor({
    build: async (execution) => {
      const { id, sourceArchive } = execution;
      const files = sourceArchive === undefined ? {} : await unpack(sourceArchive);
      executions.set(id, { build: execution, files });
      return world.outcome ?? build(execution);
    },
  });
  let google: GoogleSandbox | undefined;
  const github = await startGitHubWorld({ onEvent: (event) => google?.onGitHubEvent(event) });
  const start = (): Promise<GoogleSandbox> =>
    startGoogle({
      ...{ dataDir, port: 0, project, projectNumber, executor, registry: fakeRegistry },
      realistic: false,
      lags: fast,
      sources: github.github.sources,
      connected: {
        byApp: [
          { owner: 'acme', name: 'digits', locations: ['global', 'us-central1', ...locations] },
        ],
        connections: [
          {
            ...{ location: 'us-central1', id: 'github' },
            repositories: [{ owner: 'acme', name: 'digits', id: 'acme-digits' }],
          },
        ],
      },
    });
  google = await start();
  const git = await clone(addressOf(github.github.web, 'acme/digits'));

  async function request<T>(verb: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${google?.endpoint ?? ''}/${path}`, {
      method: verb,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer as T;
  }
  const call = <T>(verb: string, path: string, body?: unknown): Promise<T> =>
    request<T>(verb, `v1/${path}`, body);
  const world: TriggerWorld = {
    ...{ github, git, executions, call, outcome: undefined },
    logged: async (filter) => {
      const resourceNames = [`projects/${project}`];
      const { entries = [] } = await request<{ entries?: { textPayload: string }[] }>(
        'POST',
        'v2/entries:list',
        { resourceNames, filter },
      );
      return entries.map(({ textPayload }) => textPayload);
    },
    create: async (trigger, location = 'global') => {
      const path = `projects/${project}/locations/${location}/triggers`;
      return (await call<{ id: string }>('POST', path, trigger)).id;
    },
    builds: (triggerId, atLeast, location = 'global') => {
      const filter = encodeURIComponent(`trigger_id="${triggerId}"`);
      const path = `projects/${project}/locations/${location}/builds?filter=${filter}`;
      return until(
        async () => ((await call<{ builds?: Build[] }>('GET', path)).builds ?? []).toReversed(),
        (all) => all.length >= atLeast,
      );
    },
    push: async (branch, files, message) => {
      const remote = await git.git('ls-remote', 'origin', `refs/heads/${branch}`);
      await git.git('fetch', '--quiet', 'origin');
      const from = remote === '' ? 'origin/main' : `origin/${branch}`;
      await git.git('checkout', '--quiet', '--force', '--detach', from);
      const sha = await git.commit(files, message);
      await git.pushAs(github, pusher, `HEAD:refs/heads/${branch}`);
      return sha;
    },
    restart: async () => {
      await google?.close();
      google = await start();
    },
    close: async () => {
      await git.remove();
      await google?.close();
      await github.close();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return world;
}

async function unpack(path: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const entries = createReadStream(path).pipe(createGunzip()).pipe(extract());
  for await (const entry of entries) {
    const { name, type, linkname } = entry.header;
    const content = await text(entry);
    if (type === 'file') files[name] = content;
    if (type === 'symlink') files[name] = `→ ${linkname}`;
  }
  return files;
}
