/** Probot as we use it: a router for events and a keeper of tokens. Its server, retries and secrets stay off. */
import { Probot, ProbotOctokit } from 'probot';
import { withoutRetries, type Octokit } from '../shared/github/client.ts';
import type { Logger } from './log.ts';
import type { Settings } from './settings.ts';

export interface GitHubApp {
  readonly probot: Probot;
  /** Acts as the App in one installation; tokens are fetched when they are needed and kept for an hour. */
  /** Acts as the App itself. */
  readonly octokitAsApp: Octokit;
  readonly octokitFor: (installationId: number) => Octokit;
}

/**
 * Both plugins repeat requests by themselves, writes included, and throttling holds a comment back for
 * three seconds. As a function, because Probot replaces `throttle` as a whole for each installation.
 */
const PlainOctokit = ProbotOctokit.defaults((options: { readonly throttle?: object }) => ({
  ...options,
  retry: { enabled: false },
  throttle: { ...options.throttle, enabled: false },
}));

export async function createGitHubApp(
  settings: Pick<Settings, 'appId' | 'privateKey' | 'webhookSecret' | 'githubApiUrl'>,
  log: Logger,
): Promise<GitHubApp> {
  const probot = new Probot({
    appId: settings.appId,
    privateKey: settings.privateKey,
    secret: settings.webhookSecret,
    baseUrl: settings.githubApiUrl,
    // It would log whole payloads, and errors that the worker logs as well.
    log: log.child({}, { level: 'fatal' }),
    Octokit: PlainOctokit,
  });
  await probot.ready();
  return {
    probot,
    octokitAsApp: withoutRetries({
      request: async (route, parameters) => (await probot.auth()).request(route, parameters),
    }),
    octokitFor: (installationId) =>
      withoutRetries({
        request: async (route, parameters) =>
          (await probot.auth(installationId)).request(route, parameters),
      }),
  };
}
