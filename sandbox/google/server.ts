/**
 * The sandbox's Google Cloud: one HTTP server on 127.0.0.1 that speaks the production REST paths of Vertex
 * AI custom jobs, Cloud Build, Cloud Storage, Artifact Registry, Cloud Logging and Secret Manager. Everything
 * is kept in one directory and found again at the next start; what jobs and builds ask for is really done, by the
 * executor.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Executor } from '../executor/executor.ts';
import { guard } from '../guard.ts';
import { keepAliveTimeout } from '../keep-alive.ts';
import type { Registry } from '../registry/registry.ts';
import type { ConnectedRepositories } from './builds/connections.ts';
import type { RepositoryEvent } from './builds/repository-events.ts';
import type { SourceHost } from './builds/source-host.ts';
import { readJson, sendJson, type Exchange } from './http.ts';
import { quick, realistic, type Lags } from './options.ts';
import { openServices, type Services } from './services.ts';
import type { SandboxClock } from './state/clock.ts';
import { servePull } from './artifacts/pull.ts';
import { serveSecrets } from './secrets/secrets-api.ts';
import { serveStorage } from './storage/routes.ts';
import { ApiError } from './wire/api-error.ts';
import { withEnumNumbers } from './wire/enum-numbers.ts';
import { wantsEnumNumbers } from './wire/rpc-api.ts';

export interface GoogleOptions {
  readonly dataDir: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly project: string;
  readonly projectNumber: string;
  readonly executor: Pick<Executor, 'build' | 'run'>;
  readonly registry: Pick<
    Registry,
    'getManifest' | 'getBlob' | 'listImages' | 'listTags' | 'deleteTag' | 'deleteImage'
  >;
  /** Where Cloud Build's triggers and builds find git repositories; none without. */
  readonly sources?: SourceHost;
  /** Which of them are connected; none without. */
  readonly connected?: ConnectedRepositories;
  /** Late logs, lagging lists, quotas: see options.ts. */
  readonly realistic: boolean;
  /** Instead of the mode's own times. */
  readonly lags?: Partial<Lags>;
  /** For tests. */
  readonly clock?: SandboxClock;
}

export interface GoogleSandbox {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  /** What happened on GitHub, for Cloud Build's triggers. */
  onGitHubEvent(event: RepositoryEvent): void;
  /**
   * Whether an image can be pushed under this name.
   * @throws RegistryError
   */
  checkRepository(name: string): void;
  close(): Promise<void>;
}

export async function startGoogle(options: GoogleOptions): Promise<GoogleSandbox> {
  const lags = { ...(options.realistic ? realistic : quick), ...options.lags };
  const listening = Promise.withResolvers<string>();
  const services = await openServices(options, lags, listening.promise);
  let port = options.port;
  const server = createServer({ keepAliveTimeout }, (request, response) => {
    if (guard(request, response, port)) return;
    void serve(services, request, response, port).catch((error: unknown) => {
      fail(request, response, error);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port to listen on');
  port = address.port;
  listening.resolve(`http://127.0.0.1:${port}`);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    onGitHubEvent: (event) => services.onGitHubEvent(event),
    checkRepository: (name) => services.checkRepository(name),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await services.close();
      await closed;
    },
  };
}

async function serve(
  services: Services,
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
): Promise<void> {
  const origin = `http://127.0.0.1:${port}`;
  const [path = '/', ...queryParts] = (request.url ?? '/').split('?');
  const exchange: Exchange = {
    request,
    response,
    verb: request.method ?? 'GET',
    path,
    query: new URLSearchParams(queryParts.join('?')),
    origin,
  };
  if (await serveApis(services, exchange)) return;
  if (await serveOperation(services, exchange)) return;
  if (await serveStorage(services.storage, exchange)) return;
  if (await serveSecrets(services.secrets, exchange)) return;
  if (await servePull(services.pull, exchange)) return;
  request.resume();
  throw new ApiError(
    'NOT_FOUND',
    `Method not found: the sandbox does not serve ${exchange.verb} ${path}. docs/sandbox.md lists what it serves.`,
  );
}

async function serveApis(services: Services, exchange: Exchange): Promise<boolean> {
  for (const route of services.routes) {
    if (route.verb !== exchange.verb) continue;
    const pathFields = route.path.match(exchange.path);
    if (pathFields === undefined) continue;
    const body = await readJson(exchange.request);
    const answer = await route.answer({ pathFields, query: exchange.query, body });
    sendJson(exchange.response, 200, answer);
    return true;
  }
  return false;
}

/**
 * Operations of all services: Cloud Build's global ones have names of their own, and Vertex AI's Node
 * client asks for its below `/ui`.
 */
async function serveOperation(services: Services, exchange: Exchange): Promise<boolean> {
  const { path, verb, query, request, response } = exchange;
  const match =
    /^\/(?:v1|v1beta1|ui)\/((?:projects\/[^/]+\/locations\/[^/]+\/(?:[^:]+\/)?)?operations\/[^:]+)$/.exec(
      path,
    );
  if (match?.[1] === undefined || verb !== 'GET') return false;
  request.resume();
  const operation = services.operation(decodeURI(match[1]));
  sendJson(
    response,
    200,
    wantsEnumNumbers(query)
      ? withEnumNumbers(
          services.operationDescriptors(operation),
          'google.longrunning.Operation',
          operation,
        )
      : operation,
  );
  return Promise.resolve(true);
}

function fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  request.resume();
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  if (error instanceof ApiError) return sendJson(response, error.httpStatus, error.toJson());
  // A connection that broke while we read from it is not a failure of ours; nobody reads the answer.
  const reason = error instanceof Error ? error.message : String(error);
  const internal = new ApiError('INTERNAL', `Internal error encountered in the sandbox: ${reason}`);
  sendJson(response, internal.httpStatus, internal.toJson());
}
