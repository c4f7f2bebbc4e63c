/**
 * The sandbox's GitHub: one port on this machine, laid out like GitHub Enterprise Server. The REST API is
 * below `/api/v3`, git at `/<owner>/<repo>.git`, and everything else is left to the pages.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceHost } from '../google/builds/source-host.ts';
import { guard } from '../guard.ts';
import { keepAliveTimeout } from '../keep-alive.ts';
import { Api, type Violation } from './api/api.ts';
import { hasRole } from './api/authorize.ts';
import { ApiError } from './api/reply.ts';
import { receiveUnfinished } from './git/receive.ts';
import { serveArchive } from './codeload.ts';
import { GitHttp, parseGitPath } from './git/http-backend.ts';
import { apiRoot, currentInstant, type AppIdentity, type GitHubEvent, type Hub } from './hub.ts';
import { people, repositoryId, seedState, tokensOf, type Person, type Seed } from './seed.ts';
import { sourceHost } from './source-host.ts';
import { Store } from './state/store.ts';
import { DeliveryLog } from './webhooks/delivery-log.ts';
import { checkRunEvent, installationEvent } from './webhooks/events.ts';
import { Sender, type WebhookTarget } from './webhooks/sender.ts';

export type { Violation } from './api/api.ts';

export interface GitHubOptions {
  /** Found again at the next start, whatever the port is then. */
  readonly dataDir: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly webhook?: WebhookTarget;
  readonly app: AppIdentity;
  readonly seed: Seed;
  /** Hears of everything that happens, beside the App. */
  readonly onEvent?: (event: GitHubEvent) => void;
  /** Answers what is neither API nor git and returns true, or returns false. */
  readonly pages?: (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;
}

export interface GitHub {
  readonly api: string;
  readonly web: string;
  /** `owner/name` of the seeded repository, as it is called now. */
  readonly repo: string;
  /** The seeded pull request. */
  readonly pull: number;
  readonly tokens: Readonly<Record<Person, string>>;
  /** What Cloud Build reads. */
  readonly sources: SourceHost;
  /** Requests that GitHub would have refused as malformed. */
  readonly violations: readonly Violation[];
  setWebhook(url: string, secret: string): void;
  /** Resolves when all webhooks so far have been answered or have failed. */
  webhooksSettled(): Promise<void>;
  /**
   * Presses a check run's button, which people do on its page and for which there is no API.
   * @throws {ApiError} when there is no such button, or not for that person
   */
  pressButton(checkRunId: number, identifier: string, person: Person): void;
  close(): Promise<void>;
}

export async function startGitHub(options: GitHubOptions): Promise<GitHub> {
  const { app, seed } = options;
  const { store, isNew } = await Store.open(options.dataDir);
  await mkdir(join(options.dataDir, 'git'), { recursive: true });
  if (isNew) {
    await seedState(store, seed, app);
    await store.save();
  }
  const deliveries = await DeliveryLog.open(join(options.dataDir, 'deliveries'));
  store.reserveId(deliveries.list()[0]?.id ?? 0);
  const sender = new Sender({ target: options.webhook, appId: app.id, log: deliveries, store });

  const server = createServer({ keepAliveTimeout }, (request, response) => {
    answer(request, response).catch((error: unknown) => fail(response, error));
  });
  const port = await listen(server, options.port);
  const web = `http://127.0.0.1:${port}`;
  const hub: Hub = {
    store,
    app,
    deliveries,
    sender,
    web,
    api: `${web}${apiRoot}`,
    now: currentInstant,
    archiveKey: randomBytes(32),
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
  };
  const api = new Api(hub);
  const gitHttp = new GitHttp(hub);
  const answer = (request: IncomingMessage, response: ServerResponse): Promise<void> =>
    route({ hub, api, gitHttp, port, options }, request, response);
  if (isNew) announce(hub);
  await receiveUnfinished(hub);
  sender.resume();

  return {
    api: hub.api,
    web,
    get repo() {
      return store.fullName(store.repository(repositoryId));
    },
    pull: 1,
    tokens: tokensOf(store),
    sources: sourceHost(hub),
    violations: api.violations,
    setWebhook: (url, secret) => {
      sender.target = { url, secret };
    },
    webhooksSettled: () => sender.settled(),
    pressButton: (...press) => pressButton(hub, ...press),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await gitHttp.settled();
      await sender.close();
      await store.save();
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

function pressButton(hub: Hub, checkRunId: number, identifier: string, person: Person): void {
  const { store } = hub;
  const run = store.state.checkRuns.find(({ id }) => id === checkRunId);
  if (run?.actions.some((action) => action.identifier === identifier) !== true) {
    throw new ApiError(422, `check run ${checkRunId} has no button ${identifier}`);
  }
  const account = store.account(people[person].id);
  if (!hasRole(store.repository(run.repositoryId), account, 'write')) {
    throw new ApiError(403, `${account.login} may not write here, and is shown no buttons`);
  }
  checkRunEvent(hub, 'requested_action', run, account, identifier);
}

interface Site {
  readonly hub: Hub;
  readonly api: Api;
  readonly gitHttp: GitHttp;
  readonly port: number;
  readonly options: GitHubOptions;
}

async function route(
  site: Site,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // git clients send no Origin, so the same guard is for everybody.
  if (guard(request, response, site.port)) return;
  const url = URL.parse(request.url ?? '/', site.hub.web);
  if (url?.origin !== site.hub.web) {
    // `//host/…`, `http://host/…` and what is no address at all.
    response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8' });
    response.end('Bad Request\n');
    return;
  }
  const { pathname } = url;
  if (pathname === apiRoot || pathname.startsWith(`${apiRoot}/`)) {
    return site.api.answer(request, response);
  }
  const gitRequest = parseGitPath(pathname);
  if (gitRequest !== undefined) return site.gitHttp.answer(gitRequest, request, response);
  if (await serveArchive(site.hub, url, response)) return;
  if ((await site.options.pages?.(request, response)) === true) return;
  response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' });
  response.end('Not Found\n');
}

/** The App hears of its installation, as it does when somebody installs it on GitHub. */
function announce(hub: Hub): void {
  const [installation] = hub.store.state.installations;
  if (installation !== undefined) {
    installationEvent(hub, installation, hub.store.account(people.owner.id));
  }
}

function fail(response: ServerResponse, error: unknown): void {
  // A client that goes away in the middle of an answer is no fault of ours.
  if (!response.destroyed) {
    process.stderr.write(
      `sandbox/github: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  }
  if (response.headersSent) response.destroy();
  else response.writeHead(500, { 'content-type': 'text/plain' }).end('Server Error\n');
}
