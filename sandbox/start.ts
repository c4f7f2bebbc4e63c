/**
 * The whole sandbox in one call: a local GitHub, a local Google Cloud, a registry and, unless told
 * otherwise, the App as a child process of its own (so that it can crash and be restarted like the real
 * one). Everything is on disk below one directory and is found again there at the next start.
 */
import { fileURLToPath } from 'node:url';
import { join, resolve } from 'node:path';
import { openSecrets, writeAppEnvironment, type Secrets } from './app-environment.ts';
import { lockData } from './data-lock.ts';
import { createExecutor } from './executor/executor.ts';
import { freePort } from './free-ports.ts';
import { ApiError } from './github/api/reply.ts';
import { startGitHub, type GitHub } from './github/server.ts';
import type { ConnectedRepositories } from './google/builds/connections.ts';
import type { Lags } from './google/options.ts';
import { startGoogle, type GoogleSandbox } from './google/server.ts';
import { openRegistry } from './registry/registry.ts';
import { startRegistry } from './registry/server.ts';
import { superviseApp } from './supervised-app.ts';
import { ApiError as PageError } from './web/api.ts';
import { createPages } from './web/pages.ts';

interface SandboxOptions {
  readonly dataDir: string;
  /** GitHub's port; Google, the registry and the App take the next three. 0 takes any free ones. */
  readonly port: number;
  readonly app: boolean;
  /** Adds what the real services do to their clients: late logs, lagging lists, quotas. */
  readonly realistic: boolean;
  /** Instead of the mode's own times; for tests. */
  readonly lags?: Partial<Lags>;
  /** Called with what is being waited for, each time that changes. */
  readonly onProgress?: (waitingFor: string) => void;
  /** Called with each line that the App prints. */
  readonly onAppLine?: (line: string) => void;
}

/** What `npm run sandbox -- --json` prints; others read it, so names stay as they are. */
export interface SandboxDescription {
  readonly github: {
    readonly api: string;
    readonly web: string;
    readonly repo: string;
    readonly pull: number;
    readonly tokens: Readonly<Record<'owner' | 'writer' | 'reader' | 'stranger' | 'bot', string>>;
  };
  readonly google: { readonly endpoint: string; readonly project: string };
  readonly registry: string;
  readonly app: { readonly webhook: string; readonly secret: string; readonly dashboard: string };
}

/** Where git clones the repository from and pushes to, as its owner. */
export function cloneUrl({ web, repo, tokens }: SandboxDescription['github']): string {
  return `${web.replace('//', `//x:${tokens.owner}@`)}/${repo}.git`;
}

export interface Sandbox {
  readonly description: SandboxDescription;
  /** The App's environment, for those who start it themselves. */
  readonly appEnvironment: Readonly<Record<string, string>>;
  /** Requests that the real GitHub would have refused as malformed. */
  readonly violations: readonly unknown[];
  /** Resolves when GitHub has tried to deliver everything so far. */
  webhooksSettled(): Promise<void>;
  close(): Promise<void>;
}

const project = 'demo-project';
const projectNumber = '123456789012';
const region = 'us-central1';
const repositoryId = 1001;
const appId = 4242;
/** What somebody has connected to Cloud Build, with both of its generations. */
const connected: ConnectedRepositories = {
  byApp: [{ owner: 'acme', name: 'digits', locations: ['global', region] }],
  connections: [
    {
      location: region,
      id: 'github',
      repositories: [{ owner: 'acme', name: 'digits', id: 'acme-digits' }],
    },
  ],
};
const root = fileURLToPath(new URL('..', import.meta.url));

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  // git, the App and jobs run in directories of their own.
  const dataDir = resolve(options.dataDir);
  const lock = await lockData(dataDir);
  const closers: Closer[] = [() => lock.release()];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    options.onProgress?.('opening the local GitHub and the local Google Cloud');
    const secrets = await openSecrets(dataDir);
    const appPort = options.port === 0 ? await freePort() : options.port + 3;
    const appUrl = `http://127.0.0.1:${appPort}`;
    const webhook = { url: `${appUrl}/webhooks/github`, secret: secrets.webhookSecret };
    const services = await startServices({ ...options, dataDir }, secrets, webhook, closers);
    const { github, google, registry } = services;
    await createProject(google.endpoint);
    const appEnvironment = await writeAppEnvironment(dataDir, {
      appId,
      repositoryId,
      project,
      region,
      appPort,
      secrets,
      githubApi: github.api,
      googleEndpoint: google.endpoint,
      realistic: options.realistic,
    });
    if (options.app) {
      options.onProgress?.('starting the App, which makes its database first');
      const app = superviseApp(appEnvironment, options.onAppLine);
      closers.push(() => app.stop());
      await app.untilReady(appUrl);
    }
    await lock.showUrl(github.web);
    const { api, web, repo, pull, tokens } = github;
    return {
      description: {
        github: { api, web, repo, pull, tokens },
        google: { endpoint: google.endpoint, project },
        registry: registry.url,
        app: { webhook: webhook.url, secret: webhook.secret, dashboard: `${appUrl}/dashboard` },
      },
      appEnvironment,
      violations: github.violations,
      webhooksSettled: () => github.webhooksSettled(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Closer = () => Promise<void>;

/** GitHub with its page, Google Cloud and the registry, each known to those that it needs. */
async function startServices(
  { port, dataDir, realistic, lags = {} }: SandboxOptions,
  secrets: Secrets,
  webhook: { readonly url: string; readonly secret: string },
  closers: Closer[],
) {
  // What happens on GitHub before Google Cloud is there is told to it then, and what is pushed waits for it.
  const hearing = Promise.withResolvers<GoogleSandbox>();
  const registry = await openRegistry({
    dataDir: join(dataDir, 'registry'),
    admit: async (name) => (await hearing.promise).checkRepository(name),
  });
  const registryServer = await startRegistry({ registry, port: offset(port, 2) });
  closers.push(() => registryServer.close());
  const executor = await createExecutor({ dataDir: join(dataDir, 'executor'), registry });
  const github = await startGitHub({
    dataDir: join(dataDir, 'github'),
    port,
    webhook,
    app: { id: appId, slug: 'trainyard', publicKey: secrets.publicKey },
    seed: { owner: 'acme', repo: 'digits', directory: join(root, 'examples/digits') },
    onEvent: (event) => void hearing.promise.then((google) => google.onGitHubEvent(event)),
    pages: (request, response) => pages(request, response),
  });
  closers.push(() => github.close());
  const pages = createPages({
    api: () => github.api,
    tokens: () => github.tokens,
    pressButton: (...press) => pressButton(github, ...press),
    isFromJob: ({ socket }) => executor.mayBeJob(socket),
    repo: github.repo,
    csrfKey: secrets.csrfKey,
  });
  const google = await startGoogle({
    dataDir: join(dataDir, 'google'),
    port: offset(port, 1),
    project,
    projectNumber,
    executor,
    registry,
    realistic,
    lags,
    sources: github.sources,
    connected,
  });
  hearing.resolve(google);
  closers.push(() => google.close());
  return { github, google, registry: registryServer };
}

function offset(port: number, by: number): number {
  return port === 0 ? 0 : port + by;
}

/** What set-up would create in a real project: buckets and the image repository. 409 means: there already. */
async function createProject(endpoint: string): Promise<void> {
  const creations: [string, unknown][] = [
    [
      `/storage/v1/b?project=${project}`,
      { name: `${project}_cloudbuild`, location: 'US-CENTRAL1' },
    ],
    [
      `/storage/v1/b?project=${project}`,
      { name: `${project}-trainyard-results`, location: 'US-CENTRAL1' },
    ],
    [
      `/v1/projects/${project}/locations/${region}/repositories?repositoryId=trainyard`,
      { format: 'DOCKER', description: 'Images that Trainyard builds.' },
    ],
  ];
  for (const [path, body] of creations) {
    const response = await fetch(`${endpoint}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok && response.status !== 409) {
      throw new Error(`the sandbox cannot prepare its project: ${path}: ${await response.text()}`);
    }
    await response.arrayBuffer();
  }
}

/** GitHub's refusal, as the page shows it. */
function pressButton(github: GitHub, ...press: Parameters<GitHub['pressButton']>): void {
  try {
    github.pressButton(...press);
  } catch (error) {
    throw error instanceof ApiError ? new PageError(error.message, error.status) : error;
  }
}
