/** A GitHub as small as the App's tests need: one repository, one pull request, comments, checks, an archive. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

export const repositoryId = 1001;
export const appId = 4242;
export const head = 'a'.repeat(40);

export interface FakeComment {
  id: number;
  body: string;
  created_at: string;
  user: { id: number; login: string; type: string };
  performed_via_github_app: { id: number } | null;
}
export interface FakeCheck {
  id: number;
  name: string;
  head_sha: string;
  external_id: string;
  status: string;
  conclusion?: string;
  details_url: string;
  app: { id: number };
  actions?: readonly { readonly identifier: string }[];
}
/** `before`: nothing happens; `after`: it happens, but the answer is lost. */
interface Fault {
  readonly route: RegExp;
  readonly when: 'before' | 'after';
}

const ourselves = { id: 99, login: 'trainyard[bot]', type: 'Bot' };

export class FakeGitHub {
  readonly comments: FakeComment[] = [];
  readonly checks: FakeCheck[] = [];
  readonly reactions: { commentId: number; content: string }[] = [];
  readonly requests: string[] = [];
  readonly faults: Fault[] = [];
  permissions: Record<string, { id: number; permission: string }> = {
    olivia: { id: 7, permission: 'admin' },
    rae: { id: 8, permission: 'read' },
  };
  /** Of the repository; it can be renamed. */
  name = 'digits';
  files: Record<string, string> = {};
  /** By commit, where it is not `files`. */
  filesAt: Record<string, Record<string, string>> = {};
  mainSha = 'd'.repeat(40);
  isPublic = false;
  /** Which installation of the App covers the repository; undefined: none does. */
  installation: { id: number; suspended_at: string | null } | undefined = {
    ...{ id: 31, suspended_at: null },
  };
  /** Whether installations and what they cover are listed. */
  listsInstalled = false;
  /** Undefined: not shown to the App. */
  repository: { id: number; archived: boolean } | undefined = { id: repositoryId, archived: false };
  /** Served instead of `files`, as `export-subst` would. */
  archived: Record<string, string> | undefined;
  pull = {
    state: 'open',
    head,
    pushedAt: '2020-01-01T00:00:00Z',
    headRepositoryId: repositoryId,
    archived: false,
    author: { id: 7 } as { id: number; type?: string },
  };
  /** What GitHub refuses for good, as of a locked conversation or an archived repository. */
  refused: { readonly route: RegExp; readonly message: string } | undefined;
  /** The files that the pull request changes. */
  pullFiles: readonly string[] = [];
  /** Slug → logins of the members. */
  teams: Readonly<Record<string, readonly string[]>> = {};
  /** Whose `acme/digits` is now. */
  repositoryIdByName = repositoryId;
  private nextId = 5_000;
  private readonly server: Server = createServer((request, response) => {
    void this.answer(request, response);
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What GitHub lists of the App's webhook. */
  failedDeliveries: readonly unknown[] = [];
  readonly redelivered: number[] = [];

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Somebody who may read and whom nobody has met yet. */
  anotherReader(): string {
    const id = 800 + Object.keys(this.permissions).length;
    this.permissions[`reader-${id}`] = { id, permission: 'read' };
    return `reader-${id}`;
  }

  /** A person's comment, as GitHub would store it. */
  comment(body: string, login: string, createdAt: Date): FakeComment {
    const user = { id: this.permissions[login]?.id ?? 0, login, type: 'User' };
    const created_at = `${createdAt.toISOString().slice(0, 19)}Z`;
    const comment = { id: this.nextId++, body, created_at, user, performed_via_github_app: null };
    this.comments.push(comment);
    return comment;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    const url = new URL(request.url ?? '/', 'http://fake');
    const route = `${request.method ?? ''} ${decodeURIComponent(url.pathname)}`;
    this.requests.push(route);
    const at = this.faults.findIndex((fault) => fault.route.test(route));
    const fault = at < 0 ? undefined : this.faults.splice(at, 1)[0];
    if (fault?.when === 'before') return void request.socket.destroy();
    if (this.refused?.route.test(route) === true) {
      response.writeHead(403, { 'content-type': 'application/json; charset=utf-8' });
      return void response.end(JSON.stringify({ message: this.refused.message }));
    }
    const result = await this.handle(route, url.searchParams, body);
    if (fault?.when === 'after') return void request.socket.destroy();
    if (Buffer.isBuffer(result)) return void response.end(result);
    response.writeHead(result === undefined ? 404 : request.method === 'POST' ? 201 : 200, {
      'content-type': 'application/json; charset=utf-8',
    });
    response.end(JSON.stringify(result ?? { message: 'Not Found' }));
  }

  private async handle(
    route: string,
    query: URLSearchParams,
    body: Record<string, unknown>,
  ): Promise<unknown> {
    const path = route.replace(` /repos/acme/${this.name}`, ' ');
    const id = Number(/\/(\d+)(?:\/|$)/.exec(path)?.[1]);
    const file = / \/contents\/(.+)$/.exec(path)?.[1];
    if (file !== undefined) return this.content(file, query.get('ref') ?? '');
    if (path === 'GET /branches/main') return { commit: { sha: this.mainSha } };
    const login = / \/collaborators\/([^/]+)\/permission$/.exec(path)?.[1];
    if (login !== undefined) {
      const known = this.permissions[login];
      return known && { ...known, role_name: known.permission, user: { id: known.id } };
    }
    if (/^POST .*\/access_tokens$/.test(route)) {
      return { token: 'ghs_fake', expires_at: '2999-01-01T00:00:00Z', permissions: {} };
    }
    if (route === 'GET /app/hook/deliveries') return this.failedDeliveries;
    if (path === 'GET /installation') return this.installation;
    const installation = /^GET \/app\/installations\/(\d+)$/.exec(route)?.[1];
    if (installation !== undefined) {
      return this.installation?.id === Number(installation) ? this.installation : undefined;
    }
    const redelivered = /^POST \/app\/hook\/deliveries\/(\d+)\/attempts$/.exec(route)?.[1];
    if (redelivered !== undefined) {
      this.redelivered.push(Number(redelivered));
      return {};
    }
    if (route === 'GET /repos/acme/digits') return this.repositoryView();
    if (route === 'GET /app/installations' && this.listsInstalled)
      return this.installation === undefined ? [] : [this.installation];
    if (route === 'GET /installation/repositories' && this.listsInstalled)
      return { repositories: [this.repositoryView()].filter((one) => one !== undefined) };
    // One pull request under every number: whether a run belongs to another is the App's to know.
    if (/^GET \/pulls\/\d+$/.test(path)) return this.pullRequest(id);
    if (path === 'GET /pulls/1/files') return this.pullFiles.map((filename) => ({ filename }));
    const member = /^GET \/orgs\/acme\/teams\/([^/]+)\/memberships\/(.+)$/.exec(route);
    if (member !== null) {
      const isIn = this.teams[member[1] ?? '']?.includes(member[2] ?? '') === true;
      return isIn ? { state: 'active', role: 'member' } : undefined;
    }
    if (path.startsWith('GET /tarball/')) return this.archive();
    if (path.startsWith('GET /git/trees/')) return this.tree();
    if (/^GET \/issues\/\d+\/comments$/.test(path))
      return query.get('page') === '1' ? this.comments : [];
    if (/^POST \/issues\/\d+\/comments$/.test(path))
      return this.addOwnComment(String(body['body']));
    if (/\/reactions$/.test(path)) {
      this.reactions.push({ commentId: id, content: String(body['content']) });
      return { id: 1 };
    }
    if (/ \/issues\/comments\/\d+$/.test(path)) {
      const comment = this.comments.find((one) => one.id === id);
      return comment && Object.assign(comment, path.startsWith('PATCH') ? body : {});
    }
    if (/\/check-runs$/.test(path) && path.startsWith('GET')) {
      return { total_count: this.checks.length, check_runs: this.checks };
    }
    if (path === 'POST /check-runs') {
      const check = { ...body, id: this.nextId++, app: { id: appId } } as unknown as FakeCheck;
      this.checks.push(check);
      return check;
    }
    const check = this.checks.find((one) => one.id === id);
    return path.startsWith('PATCH /check-runs/') ? check && Object.assign(check, body) : undefined;
  }

  private repositoryView() {
    const { repository } = this;
    const name = { name: 'digits', owner: { login: 'acme' } };
    return repository && { ...name, private: false, default_branch: 'main', ...repository };
  }

  private addOwnComment(body: string): FakeComment {
    const created_at = new Date().toISOString();
    const comment = {
      ...{ id: this.nextId++, body, created_at, user: ourselves },
      performed_via_github_app: { id: appId },
    };
    this.comments.push(comment);
    return comment;
  }

  private pullRequest(number: number): unknown {
    const { state, head: sha, pushedAt, headRepositoryId } = this.pull;
    return {
      ...{ number, state },
      head: { sha, repo: { id: headRepositoryId, pushed_at: pushedAt } },
      base: {
        repo: { id: this.repositoryIdByName, archived: this.pull.archived, owner: { id: 50 } },
      },
      user: this.pull.author,
    };
  }

  private content(path: string, ref: string): unknown {
    const text = (this.filesAt[ref] ?? this.files)[path];
    const content = Buffer.from(text ?? '').toString('base64');
    return text === undefined
      ? undefined
      : { type: 'file', encoding: 'base64', size: text.length, content };
  }

  private tree(): unknown {
    const tree = Object.entries(this.files).map(([path, text]) => ({
      ...{ path, mode: '100644', type: 'blob', sha: blobId(text) },
    }));
    return { sha: head, truncated: false, tree };
  }

  private async archive(): Promise<Buffer> {
    const tar = pack();
    for (const [path, text] of Object.entries(this.archived ?? this.files)) {
      tar.entry({ name: `acme-digits-aaaaaaa/${path}` }, text);
    }
    tar.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of tar) chunks.push(chunk as Buffer);
    return gzipSync(Buffer.concat(chunks));
  }
}

export function blobId(text: string): string {
  return createHash('sha1')
    .update(`blob ${Buffer.byteLength(text)}\0${text}`)
    .digest('hex');
}
