/** Probot as we use it: a router for events and a keeper of tokens. Its server, retries and secrets stay off. */
import { Probot, ProbotOctokit } from 'probot';
import { withoutRetries, type Octokit } from '../shared/github/client.ts';
import { RequestBudget, withinBudget, type Priority } from '../shared/github/request-budget.ts';
import type { Clock } from '../shared/ports.ts';
import type { Logger } from './log.ts';
import type { Settings } from './settings.ts';

interface GitHubApp {
  readonly probot: Probot;
  /** Acts as the App itself. */
  readonly octokitAsApp: Octokit;
  readonly octokitFor: OctokitFor;
  /** What each installation that was spoken to may spend. */
  readonly budgets: ReadonlyMap<number, RequestBudget>;
}

/**
 * Acts as the App in one installation, within its budget; tokens are fetched when they are needed and kept for an
 * hour. Who has not said otherwise answers somebody.
 */
export type OctokitFor = (installationId: number, priority?: Priority) => Octokit;

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
  settings: Pick<
    Settings,
    'appId' | 'privateKey' | 'webhookSecret' | 'githubApiUrl' | 'githubLimits'
  >,
  clock: Clock,
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
  const budgets = new Map<number, RequestBudget>();
  // Made once: it renews its token by itself.
  const clients = new Map<number, ReturnType<typeof probot.auth>>();
  const clientOf = (installationId: number): ReturnType<typeof probot.auth> => {
    const known = clients.get(installationId) ?? probot.auth(installationId);
    clients.set(installationId, known);
    known.catch(() => clients.delete(installationId));
    return known;
  };
  return {
    probot,
    budgets,
    octokitAsApp: withoutRetries({
      request: async (route, parameters) => (await probot.auth()).request(route, parameters),
    }),
    octokitFor: (installationId, priority = 'reply') => {
      const budget = budgets.get(installationId) ?? new RequestBudget(settings.githubLimits, clock);
      budgets.set(installationId, budget);
      const octokit = withoutRetries({
        request: async (route, parameters) =>
          (await clientOf(installationId)).request(route, parameters),
      });
      return withinBudget(octokit, budget, priority);
    },
  };
}
