/**
 * The sandbox's web pages: a request in, an answer out, or false when the address is not one of ours.
 * Everything shown is read from the sandbox's own REST API as the chosen user, and comments are posted
 * through it, so the page is one more client. The server has let `sandbox/guard.ts` look first.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import {
  ApiError,
  createComment,
  listPulls,
  loadCheckRun,
  loadCommit,
  loadPull,
  loadUser,
  rerequestCheck,
  type Access,
  type Repository,
} from './api.ts';
import { renderCheckRun, rerunIdentifier } from './checks.ts';
import { commitPage } from './commit-page.ts';
import type { Person } from './comment-box.ts';
import { html } from './html.ts';
import { readJsonBody } from './json-body.ts';
import { layout, problemPage, region, type Regions } from './layout.ts';
import { renderMarkdown } from './markdown.ts';
import { pullListPage, pullListRegions, type PullList } from './pull-list-page.ts';
import { pullPage, pullRegions, tabs } from './pull-page.ts';
import { redirect, send, sendHtml, sendJson, sendUnlessKnown } from './respond.ts';
import {
  createCsrfTokens,
  readSession,
  roles,
  type CsrfTokens,
  type Role,
  type Session,
} from './session.ts';
import { sendStaticFile } from './static-files.ts';

interface PagesOptions {
  /** Where the REST API is, such as `http://127.0.0.1:4000/api/v3`; asked for when it is needed. */
  readonly api: () => string;
  /** A token for each of those as whom the page can be used. */
  readonly tokens: () => Readonly<Record<Role, string>>;
  /** Presses a button that an App gave its check run. @throws {ApiError} */
  readonly pressButton: (checkRunId: number, identifier: string, role: Role) => void;
  /** Whether the request comes from code that the sandbox runs, which may look and do nothing. */
  readonly isFromJob: (request: IncomingMessage) => boolean;
  /** `owner/repo` that `/` leads to. */
  readonly repo: string;
  /** Of the tokens without which the page does nothing for anybody; 32 bytes that nobody knows. */
  readonly csrfKey: Buffer;
}

/** Resolves to true when it has answered. */
type Pages = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

/** What a handler works with. */
interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly session: Session;
  readonly access: Access;
  readonly repository: Repository;
  /** The number in the path: of a pull request or a check run. */
  readonly number: number;
  /** The rest of the path, where a route leaves one. */
  readonly rest: string;
}

interface Route {
  readonly method: 'GET' | 'POST';
  readonly pattern: RegExp;
  readonly handle: (visit: Visit) => Promise<void>;
}

const repositoryPath = String.raw`/(?<owner>[A-Za-z0-9][A-Za-z0-9-]{0,38})/(?<repo>(?!\.\.?(?:/|$))[\w.-]{1,100}(?<!\.git))`;
const pullPath = String.raw`${repositoryPath}/pull/(?<number>\d{1,9})`;

export function createPages(options: PagesOptions): Pages {
  const routes = createRoutes(options);
  return async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const matching = routes.filter(({ pattern }) => pattern.test(url.pathname));
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    if (matching.length === 0) {
      const isForPerson =
        method === 'GET' && request.headers.accept?.includes('text/html') === true;
      if (isForPerson) answerNotFound(response, toRepository(options));
      return isForPerson;
    }
    const route = matching.find((one) => one.method === method);
    if (route === undefined) {
      const allow = matching.map((one) => one.method).join(', ');
      send(response, 405, 'text/plain; charset=utf-8', 'Not allowed here.\n', { allow });
      return true;
    }
    if (route.method === 'POST' && options.isFromJob(request)) {
      const message = 'Jobs of the sandbox may read this page, and do nothing on it.';
      sendJson(response, 403, { message });
      return true;
    }
    const visit = toVisit(options, request, response, url, route.pattern);
    try {
      await route.handle(visit);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      answerApiError(visit, error);
    }
    return true;
  };
}

function createRoutes(options: PagesOptions): readonly Route[] {
  const csrf = createCsrfTokens(options.csrfKey);
  return [
    get('', ({ response }) => moveTo(response, `/${options.repo}/pulls`)),
    get(repositoryPath, ({ response, repository: { owner, repo } }) =>
      moveTo(response, `/${owner}/${repo}/pulls`),
    ),
    get(`${repositoryPath}/commit/(?<rest>[0-9a-f]{7,40})`, async (visit) => {
      const { response, access, repository, rest } = visit;
      sendHtml(response, 200, commitPage(await loadCommit(access, repository, rest), repository));
    }),
    ...pullListRoutes(),
    ...pullRoutes(options, csrf),
    ...checkRunRoutes(options, csrf),
    post('/-/preview', async ({ request, response, session }) => {
      const body = await readJsonBody(request, z.object({ body: z.string() }), session, csrf);
      if ('refused' in body) sendJson(response, body.refused.status, body.refused);
      else sendJson(response, 200, { html: renderMarkdown(body.value.body).text });
    }),
    get('/-/assets/(?<rest>[a-z.-]{1,40})', async ({ request, response, rest }) => {
      const isSent = await sendStaticFile(request, response, rest);
      if (!isSent) send(response, 404, 'text/plain; charset=utf-8', 'No such file.\n');
    }),
  ];
}

function get(path: string, handle: Route['handle']): Route {
  return { method: 'GET', pattern: new RegExp(`^${path}/?$`), handle };
}

function post(path: string, handle: Route['handle']): Route {
  return { ...get(path, handle), method: 'POST' };
}

function pullListRoutes(): readonly Route[] {
  const load = async ({ access, repository, query }: Visit): Promise<PullList> => ({
    repository,
    pulls: await listPulls(access, repository),
    shown: shownOf(query),
  });
  return [
    get(`${repositoryPath}/pulls`, async (visit) => {
      sendHtml(visit.response, 200, pullListPage(await load(visit)));
    }),
    get(`${repositoryPath}/pulls/live`, async (visit) => {
      sendRegions(visit, pullListRegions(await load(visit)));
    }),
  ];
}

function pullRoutes(options: PagesOptions, csrf: CsrfTokens): readonly Route[] {
  const people = createPeople(options);
  return [
    get(String.raw`${pullPath}(?<rest>/commits|/checks)?`, async (visit) => {
      const { response, session, repository, number, access } = visit;
      const view = await loadPull(access, repository, number);
      const tab = tabOf(visit.rest.slice(1));
      const csrfToken = csrf.issue(session);
      const box = { repository, number, people: await people(), role: session.role, csrfToken };
      sendHtml(response, 200, pullPage(view, tab, box), cookieHeader(session));
    }),
    get(`${pullPath}/live`, async (visit) => {
      const view = await loadPull(visit.access, visit.repository, visit.number);
      sendRegions(visit, pullRegions(view, tabOf(visit.query.get('tab'))));
    }),
    post(`${pullPath}/comments`, (visit) => postComment(visit, options, csrf)),
  ];
}

function checkRunRoutes(options: PagesOptions, csrf: CsrfTokens): readonly Route[] {
  const path = String.raw`${repositoryPath}/runs/(?<number>\d{1,15})`;
  return [
    get(path, (visit) => showCheckRun(visit, csrf)),
    post(`${path}/press`, (visit) => pressButton(visit, options, csrf)),
    get(`${path}/live`, async (visit) => {
      const { access, repository, number, session } = visit;
      const check = await loadCheckRun(access, repository, number);
      sendRegions(visit, renderCheckRun(check, mayPress(session)));
    }),
  ];
}

function toVisit(
  options: PagesOptions,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  pattern: RegExp,
): Visit {
  const groups = pattern.exec(url.pathname)?.groups ?? {};
  const session = readSession(request);
  return {
    request,
    response,
    query: url.searchParams,
    session,
    access: { base: options.api(), token: options.tokens()[session.role] },
    repository: toRepository(options, groups),
    number: Number(groups['number'] ?? 0),
    rest: groups['rest'] ?? '',
  };
}

/** The one that the path names, else the one that `/` leads to. */
function toRepository(
  options: PagesOptions,
  groups: Readonly<Record<string, string>> = {},
): Repository {
  const [owner = '', repo = ''] = options.repo.split('/');
  return { owner: groups['owner'] ?? owner, repo: groups['repo'] ?? repo };
}

/** The users behind the tokens, asked for once. */
function createPeople({ api, tokens }: PagesOptions): () => Promise<readonly Person[]> {
  let known: Promise<readonly Person[]> | undefined;
  const load = async (role: Role): Promise<Person> => {
    const { login, name } = await loadUser({ base: api(), token: tokens()[role] });
    return { role, login, name: name ?? login };
  };
  return () => {
    known ??= Promise.all(roles.map(load)).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
}

async function postComment(
  { request, response, session, repository, number }: Visit,
  { api, tokens }: PagesOptions,
  csrf: CsrfTokens,
): Promise<void> {
  const schema = z.object({ body: z.string(), as: z.enum(roles) });
  const body = await readJsonBody(request, schema, session, csrf);
  if ('refused' in body) {
    sendJson(response, body.refused.status, body.refused);
    return;
  }
  const access = { base: api(), token: tokens()[body.value.as] };
  try {
    const id = await createComment(access, repository, number, body.value.body);
    sendJson(response, 201, { id });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    sendJson(response, statusFor(error), { message: error.message });
  }
}

/** GitHub shows a check's buttons to people who may write. */
function mayPress({ role }: Session): boolean {
  return role === 'owner' || role === 'writer';
}

async function pressButton(
  { request, response, session, access, repository, number }: Visit,
  options: PagesOptions,
  csrf: CsrfTokens,
): Promise<void> {
  const schema = z.object({ identifier: z.string().max(100) });
  const body = await readJsonBody(request, schema, session, csrf);
  if ('refused' in body) {
    sendJson(response, body.refused.status, body.refused);
    return;
  }
  const { identifier } = body.value;
  try {
    if (identifier === rerunIdentifier) await rerequestCheck(access, repository, number);
    else {
      // It must be there for whoever looks, and in this repository.
      const { id } = await loadCheckRun(access, repository, number);
      options.pressButton(id, identifier, session.role);
    }
    sendJson(response, 202, { message: 'The App was told.' });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    sendJson(response, statusFor(error), { message: error.message });
  }
}

async function showCheckRun(visit: Visit, csrf: CsrfTokens): Promise<void> {
  const { response, access, repository, number, session } = visit;
  const { owner, repo } = repository;
  const check = await loadCheckRun(access, repository, number);
  const pull = check.pull_requests?.[0]?.number;
  const back =
    pull === undefined
      ? html`<a href="/${owner}/${repo}/pulls">Pull requests</a>`
      : html`<a href="/${owner}/${repo}/pull/${pull}">Pull request #${pull}</a>`;
  const page = layout({
    title: `${check.name} · ${owner}/${repo}`,
    repository,
    live: `/${owner}/${repo}/runs/${number}/live`,
    body: html`<p class="back">${back}</p>
      <p
        id="check-desk"
        role="status"
        data-action="/${owner}/${repo}/runs/${number}/press"
        data-conversation="${pull === undefined ? '' : `/${owner}/${repo}/pull/${pull}`}"
        data-csrf="${csrf.issue(session)}"
      ></p>
      ${region(renderCheckRun(check, mayPress(session)), 'run')}`,
  });
  sendHtml(response, 200, page, cookieHeader(session));
}

function sendRegions({ request, response }: Visit, regions: Regions): void {
  const texts = Object.entries(regions).map(([id, region]) => [id, region.text]);
  const body = JSON.stringify({ regions: Object.fromEntries(texts) as unknown });
  sendUnlessKnown(request, response, 'application/json; charset=utf-8', body);
}

function tabOf(name: string | null): (typeof tabs)[number] {
  return tabs.find((tab) => tab === name) ?? 'conversation';
}

function shownOf(query: URLSearchParams): PullList['shown'] {
  return query.get('state') === 'closed' ? 'closed' : 'open';
}

function cookieHeader({ setCookie }: Session): Readonly<Record<string, string>> {
  return setCookie === undefined ? {} : { 'set-cookie': setCookie };
}

function moveTo(response: ServerResponse, path: string): Promise<void> {
  redirect(response, path);
  return Promise.resolve();
}

/** GitHub's refusals are the answer to what the person did; all else is trouble behind this page. */
function statusFor({ status }: ApiError): number {
  return status >= 400 && status < 500 && status !== 401 ? status : 502;
}

function answerApiError({ request, response, repository }: Visit, error: ApiError): void {
  const status = statusFor(error);
  if (request.headers.accept === 'application/json') {
    sendJson(response, status, { message: error.message });
    return;
  }
  if (status === 404) {
    answerNotFound(response, repository);
    return;
  }
  const title = 'The sandbox’s GitHub did not answer as expected';
  sendHtml(response, status, problemPage(repository, title, `${error.message}.`));
}

function answerNotFound(response: ServerResponse, repository: Repository): void {
  const text = `${repository.owner}/${repository.repo} has no such page, or the user you comment as may not see it.`;
  sendHtml(response, 404, problemPage(repository, 'There is nothing here', text));
}
