/**
 * git over HTTP: a request of a git client in, git's own `http-backend` (a CGI program) does the rest.
 * Everybody may fetch; pushing takes write permission, and what it changed is told to the hub before the
 * client has its answer.
 * @see https://git-scm.com/docs/git-http-backend
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { canPush } from '../api/authorize.ts';
import { authenticate, type Caller } from '../api/authenticate.ts';
import { ApiError } from '../api/reply.ts';
import { gitOf, type Hub } from '../hub.ts';
import type { Repository } from '../state/model.ts';
import { isPlainName } from './names.ts';
import { receive } from './receive.ts';
import { gitEnvironment } from './run-git.ts';

export interface GitRequest {
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
  private readonly children = new Set<ChildProcess>();
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
    const isPush =
      path === 'git-receive-pack' || url.searchParams.get('service') === 'git-receive-pack';
    const repository = this.hub.store.repositoryNamed(owner, name);
    if (repository === undefined) {
      refuse(response, 404, 'Repository not found.');
      return;
    }
    const caller = authenticated(this.hub, request.headers.authorization);
    if (caller === undefined) {
      refuse(response, 401, 'Invalid username or token.');
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
    const run = (): Promise<void> => this.run({ repository, caller, path, url }, request, response);
    if (path !== 'git-receive-pack') return run();
    const turn = (this.pushes.get(repository.id) ?? Promise.resolve()).then(run);
    this.pushes.set(
      repository.id,
      turn.catch(() => undefined),
    );
    return turn;
  }

  /** Ends what is still running. */
  close(): void {
    for (const child of this.children) child.kill();
  }

  private async run(
    at: {
      readonly repository: Repository;
      readonly caller: Caller;
      readonly path: GitRequest['path'];
      readonly url: URL;
    },
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const git = gitOf(this.hub, at.repository);
    const isReceiving = at.path === 'git-receive-pack';
    const before = isReceiving ? await git.refs() : [];
    const child = spawn('git', ['http-backend'], {
      env: cgiEnvironment(git.directory, at, request),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.children.add(child);
    const { stdin, stdout, stderr } = child;
    stdin.on('error', () => undefined);
    request.pipe(stdin);
    // Only to keep the pipe from filling up; what matters to the client is in git's answer.
    stderr.resume();
    response.on('close', () => child.kill());
    try {
      if (!isReceiving) {
        await streamAnswer(stdout, response);
        return;
      }
      const answer = await collect(stdout);
      // What is on disk now has happened, whether or not the client is still there.
      await receive(this.hub, at.repository, before, at.caller);
      const { status, headers, rest } = parseCgi(answer) ?? noAnswer;
      response.writeHead(status, headers);
      response.end(rest);
    } finally {
      this.children.delete(child);
    }
  }
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
  at: { readonly caller: Caller; readonly path: string; readonly url: URL },
  request: IncomingMessage,
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
    },
    environment: {
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROJECT_ROOT: dirname(directory),
      GATEWAY_INTERFACE: 'CGI/1.1',
      SERVER_PROTOCOL: 'HTTP/1.1',
      REQUEST_METHOD: request.method ?? 'GET',
      PATH_INFO: `/${directory.slice(dirname(directory).length + 1)}/${at.path}`,
      QUERY_STRING: at.url.search.slice(1),
      CONTENT_TYPE: header('content-type'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      GIT_PROTOCOL: /^version=\d$/.test(header('git-protocol')) ? header('git-protocol') : '',
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_USER: 'account' in at.caller ? at.caller.account.login : '',
    },
  });
  const length = request.headers['content-length'];
  if (length !== undefined) environment['CONTENT_LENGTH'] = length;
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

async function collect(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function streamAnswer(
  stream: NodeJS.ReadableStream,
  response: ServerResponse,
): Promise<void> {
  let head = Buffer.alloc(0);
  for await (const chunk of stream) {
    if (!response.headersSent) {
      head = Buffer.concat([head, chunk as Buffer]);
      const answer = parseCgi(head);
      if (answer === undefined) continue;
      response.writeHead(answer.status, answer.headers);
      response.write(answer.rest);
    } else if (!response.write(chunk)) {
      await drained(response);
    }
  }
  if (!response.headersSent) response.writeHead(noAnswer.status);
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
