/** Repositories in memory, for tests of triggers that are not about git: one commit, on `main` and `v1`. */
import { Readable } from 'node:stream';
import type { ConnectedRepositories } from '../../../sandbox/google/builds/connections.ts';
import type { SourceHost } from '../../../sandbox/google/builds/source-host.ts';

export const commit = '5f0c2a1b9d3e4f5a6b7c8d9e0f1a2b3c4d5e6f70';

/** `owner/name` → path → text */
export function fakeSources(
  repositories: Readonly<Record<string, Readonly<Record<string, string>>>>,
): SourceHost {
  return {
    find: (owner, name) => {
      const files = repositories[`${owner}/${name}`];
      if (files === undefined) return undefined;
      const revisions = ['HEAD', 'refs/heads/main', 'refs/tags/v1', commit];
      const paths = Promise.resolve(Object.keys(files));
      return {
        ...{ owner, name },
        resolve: (revision) => Promise.resolve(revisions.includes(revision) ? commit : undefined),
        message: () => Promise.resolve('Say hello'),
        changedSince: () => paths,
        changedBetween: () => paths,
        readFile: (_sha, path) => {
          const text = files[path];
          return Promise.resolve(text === undefined ? undefined : Buffer.from(text));
        },
        rootNames: () => paths.then((all) => all.filter((path) => !path.includes('/'))),
        checkout: () => Promise.resolve(Readable.from([Buffer.from('an archive')])),
        canWrite: (login) => login === 'olivia',
        pull: () => undefined,
      };
    },
  };
}

/** What gcloud's captured requests speak of. */
export const octo: {
  readonly sources: SourceHost;
  readonly connected: ConnectedRepositories;
} = {
  sources: fakeSources({
    'octo/repo': {
      // With an account of its own a trigger's build has to say where its log goes.
      'cloudbuild.yaml': [
        'steps: [{name: ubuntu, args: [echo, "$_A"]}]',
        'options: {logging: CLOUD_LOGGING_ONLY}',
      ].join('\n'),
      Dockerfile: 'FROM scratch\n',
    },
  }),
  connected: {
    byApp: [{ owner: 'octo', name: 'repo', locations: ['global', 'us-central1'] }],
    connections: [
      {
        ...{ location: 'us-central1', id: 'gh' },
        repositories: [{ owner: 'octo', name: 'repo', id: 'octo-repo' }],
      },
    ],
  },
};
