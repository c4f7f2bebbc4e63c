/**
 * git over HTTP: a request of a git client in, git's own `http-backend` (a CGI program) does the rest.
 * Everybody may fetch; pushing takes write permission, and what it changed is told to the hub before the
 * client has its answer.
 * @see https://git-scm.com/docs/git-http-backend
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { canPush, canSee } from '../api/authorize.ts';
import { authenticate, type Caller } from '../api/authenticate.ts';
import { ApiError } from '../api/reply.ts';
import { gitOf, type Hub } from '../hub.ts';
import type { Repository } from '../state/model.ts';
import { repositoryPage } from '../views/repository.ts';
import { isPlainName } from './names.ts';
import { announcePush, receive } from './receive.ts';
import { gitEnvironment } from './run-git.ts';

interface GitRequest {
  readonly owner: string;
  readonly name: string;
  readonly path: 'info/refs' | 'git-upload-pack' | 'git-receive-pack';
}

/** `/owner/name.git/…` (`.git` may be missing); undefined for what is no request of a git client. */
export function parseGitPath(pathname: string): GitRequest | undefined {
  const found =
    /^\/([^/]+)\/([^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(pathname);
  if (found === null) return undefined;
  const [, owner = '', name = '', path] = found;
  if (!isPlainName(owner) || !isPlainName(name)) return undefined;
  return { owner, name, path: path as GitRequest['path'] };
}

export class GitHttp {
  private readonly hub: Hub;
  /** Pushes to one repository go one after the other, so that before and after are of one push. */
  private readonly pushes = new Map<number, Promise<void>>();

  constructor(hub: Hub) {
    this.hub = hub;
  }

  async answer(
    { owner, name, path }: GitRequest,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const url = new URL(request.url ?? '/', this.hub.web);
    const services = url.searchParams.getAll('service');
    const service = path === 'info/refs' ? services[0] : path;
    if (services.length > 1 || (service !== 'git-upload-pack' && service !== 'git-receive-pack')) {
      // What git asks for without a service is the old protocol that serves files as they lie there.
      refuse(
        response,
        403,
        'Please upgrade your git client: the dumb HTTP protocol is not served.',
      );
      return;
    }
    const isPush = service === 'git-receive-pack';
    const caller = authenticated(this.hub, request.headers.authorization);
    if (caller === undefined) {
      refuse(response, 401, 'Invalid username or token.');
      return;
    }
    const repository = this.hub.store.repositoryNamed(owner, name);
    const moved = repository ?? this.hub.store.repositoryOnceNamed(owner, name);
    if (moved !== repository && moved !== undefined && canSee(caller, moved)) {
      // Only its first request goes to the address that the client was given; the others follow.
      const location = `${repositoryPage(this.hub, moved)}.git/${path}${url.search}`;
      response.writeHead(301, { location }).end();
      return;
    }
    if (repository === undefined || !canSee(caller, repository)) {
      // Those who have not signed in are not told whether it exists.
      if (caller.kind === 'anonymous') refuse(response, 401, 'Sign in to see more.');
      else refuse(response, 404, 'Repository not found.');
      return;
    }
    if (isPush && caller.kind === 'anonymous') {
      refuse(response, 401, 'Sign in to push.');
      return;
    }
    if (isPush && !canPush(caller, repository)) {
      refuse(response, 403, `Permission to ${owner}/${name}.git denied.`);
      return;
    }
    if (isPush && repository.archived === true) {
      refuse(response, 403, 'This repository was archived so it is read-only.');
      return;
    }
    const exchange = { request, response, repository, caller, path, service };
    if (path === 'git-receive-pack') await this.inTurn(exchange);
    else await this.fetch(exchange);
  }

  /** Resolves when the pushes that have begun are over: with their clients gone they read no more. */
  async settled(): Promise<void> {
    await Promise.all(this.pushes.values());
  }

  private async inTurn(exchange: Exchange): Promise<void> {
    const { id } = exchange.repository;
    const turn = (this.pushes.get(id) ?? Promise.resolve()).then(() => this.push(exchange));
    this.pushes.set(
      id,
      turn.catch(() => undefined),
    );
    await turn;
  }

  private async fetch(exchange: Exchange): Promise<void> {
    const { response } = exchange;
    const child = this.start(exchange);
    const { status, headers, rest } = (await readHead(child.stdout)) ?? noAnswer;
    response.writeHead(status, headers);
    response.write(rest);
    await pipeline(child.stdout, response);
  }

  private async push(exchange: Exchange): Promise<void> {
    const { caller, repository, response } = exchange;
    if (!('account' in caller)) throw new Error('a push by nobody');
    const push = await announcePush(this.hub, repository, caller.account);
    // Nothing of it is sent before everything is known, and pull requests are where they belong.
    const answer = await readAll(this.start(exchange).stdout);
    await receive(this.hub, push);
    const { status, headers, rest } = parseCgi(answer) ?? noAnswer;
    response.writeHead(status, headers);
    response.end(rest);
  }

  private start(exchange: Exchange): ChildProcessByStdio<Writable, Readable, null> {
    const { request, response, repository } = exchange;
    const child = spawn('git', ['http-backend'], {
      env: cgiEnvironment(gitOf(this.hub, repository).directory, exchange),
      // What matters to the client is in git's answer.
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.on('error', (error) => child.stdout.destroy(error));
    child.stdin.on('error', () => undefined);
    request.pipe(child.stdin);
    // Not killed when the client goes away: it reads to the end of what came, and leaves no locks behind.
    response.on('close', () => child.stdin.destroy());
    if (response.closed) child.stdin.destroy();
    return child;
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly repository: Repository;
  readonly caller: Caller;
  readonly path: GitRequest['path'];
  readonly service: string;
}

function authenticated(hub: Hub, authorization: string | undefined): Caller | undefined {
  try {
    return authenticate(hub, authorization);
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    ...(status === 401 ? { 'www-authenticate': 'Basic realm="GitHub"' } : {}),
  });
  response.end(`${text}\n`);
}

/** A pack may be this large: the sandbox is for code. */
const maxPushBytes = 1024 ** 3;

function cgiEnvironment(
  directory: string,
  { request, caller, path, service }: Exchange,
): Record<string, string> {
  const header = (name: string): string => String(request.headers[name] ?? '');
  const environment = gitEnvironment(directory, {
    configuration: {
      'http.receivepack': 'true',
      'receive.fsckObjects': 'true',
      'receive.maxInputSize': String(maxPushBytes),
      // Pull requests' references are GitHub's to move.
      'receive.hideRefs': 'refs/pull',
      'uploadpack.allowAnySHA1InWant': 'true',
      // As actions/checkout asks with `filter`.
      'uploadpack.allowFilter': 'true',
    },
    environment: {
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROJECT_ROOT: dirname(directory),
      GATEWAY_INTERFACE: 'CGI/1.1',
      SERVER_PROTOCOL: 'HTTP/1.1',
      REQUEST_METHOD: request.method ?? 'GET',
      PATH_INFO: `/${basename(directory)}/${path}`,
      QUERY_STRING: path === 'info/refs' ? `service=${service}` : '',
      CONTENT_TYPE: header('content-type'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      GIT_PROTOCOL: /^version=\d$/.test(header('git-protocol')) ? header('git-protocol') : '',
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_USER: 'account' in caller ? caller.account.login : '',
    },
  });
  // No CONTENT_LENGTH: told one, http-backend reads a body that breaks off for ever and at full speed, also
  // after this process was killed. Without, it reads to the end.
  // http-backend finds the repository by PATH_INFO and refuses to be told twice.
  delete environment['GIT_DIR'];
  return environment;
}

interface CgiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly rest: Buffer;
}

const noAnswer: CgiAnswer = { status: 500, headers: {}, rest: Buffer.from('git failed\n') };

/** Header lines, an empty line, the body; undefined while the empty line has not come. */
function parseCgi(bytes: Buffer): CgiAnswer | undefined {
  const text = bytes.toString('latin1');
  const end = /\r?\n\r?\n/.exec(text);
  if (end === null) return undefined;
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of text.slice(0, end.index).split(/\r?\n/)) {
    const [name = '', value = ''] = line.split(/:\s*(.*)/s);
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else if (name !== '') headers[name.toLowerCase()] = value;
  }
  return { status, headers, rest: bytes.subarray(end.index + end[0].length) };
}

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Reads up to the end of the headers, or of the stream; what follows is left in it. */
async function readHead(stream: Readable): Promise<CgiAnswer | undefined> {
  let head = Buffer.alloc(0);
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    head = Buffer.concat([head, chunk as Buffer]);
    const answer = parseCgi(head);
    if (answer !== undefined) return answer;
  }
  return undefined;
}
