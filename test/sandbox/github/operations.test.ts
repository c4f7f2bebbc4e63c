/**
 * Every operation that is served: who may call it, and (where GitHub's description is installed) that what it
 * answers is what GitHub describes.
 */
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { Ajv, type AnySchemaObject } from 'ajv';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { operations, type OperationId } from '../../../sandbox/github/api/operations.ts';
import type { Person } from '../../../sandbox/github/seed.ts';
import { bearer, byCaller, callApi, jwt, type Answer } from './call-api.ts';
import { digits, issueOne, pullOne, startWorld, type World } from './world.ts';

const callers = ['nobody', 'stranger', 'reader', 'writer', 'owner', 'app', 'installation'] as const;
type Caller = (typeof callers)[number];

interface Row {
  readonly method?: string;
  readonly path: string;
  readonly body?: object;
  /** The status for each of the callers, in their order. */
  readonly answers: readonly number[];
}

const everybody = (status: number): number[] => callers.map(() => status);
/** What is public, but not with the App's own key. */
const public200 = [200, 200, 200, 200, 200, 401, 200];
const appOnly = (status: number): number[] => [401, 401, 401, 401, 401, status, 401];
const people = (status: number): number[] => [401, status, status, status, status, 403, 403];
const administrators = (status: number): number[] => [401, 403, 403, 403, status, 401, 403];
const contributors = (status: number): number[] => [
  401,
  ...Array<number>(4).fill(status),
  401,
  status,
];

let world: World;
/** What the rows are about; made before the first of them. */
const made: Record<string, string | number> = {};
let installationToken: string;

const repo = '/repos/acme/digits';
const rows: Readonly<Record<OperationId, Row>> = {
  'apps/get-authenticated': { path: '/app', answers: appOnly(200) },
  'apps/list-installations': { path: '/app/installations', answers: appOnly(200) },
  'apps/get-installation': { path: '/app/installations/7001', answers: appOnly(200) },
  'apps/create-installation-access-token': {
    ...{ method: 'POST', path: '/app/installations/7001/access_tokens', answers: appOnly(201) },
  },
  'apps/get-repo-installation': { path: `${repo}/installation`, answers: appOnly(200) },
  'apps/get-user-installation': { path: '/users/acme/installation', answers: appOnly(200) },
  'apps/list-webhook-deliveries': { path: '/app/hook/deliveries', answers: appOnly(200) },
  'apps/get-webhook-delivery': { path: '/app/hook/deliveries/DELIVERY', answers: appOnly(200) },
  'apps/redeliver-webhook-delivery': {
    ...{ method: 'POST', path: '/app/hook/deliveries/DELIVERY/attempts', answers: appOnly(202) },
  },
  'apps/list-repos-accessible-to-installation': {
    ...{ path: '/installation/repositories', answers: [401, 403, 403, 403, 403, 403, 200] },
  },
  'apps/revoke-installation-access-token': {
    ...{ method: 'DELETE', path: '/installation/token' },
    answers: [401, 403, 403, 403, 403, 403, 204],
  },
  'apps/get-by-slug': { path: '/apps/trainyard', answers: everybody(200) },
  'users/get-authenticated': { path: '/user', answers: people(200) },
  'users/get-by-username': { path: '/users/wes', answers: everybody(200) },

  'repos/get': { path: repo, answers: public200 },
  'repos/get-collaborator-permission-level': {
    ...{
      path: `${repo}/collaborators/wes/permission`,
      answers: [401, 403, 403, 200, 200, 401, 200],
    },
  },
  'repos/update': {
    ...{ method: 'PATCH', path: repo, body: { name: 'digits' }, answers: administrators(200) },
  },
  'repos/add-collaborator': {
    ...{ method: 'PUT', path: `${repo}/collaborators/wes`, body: { permission: 'push' } },
    answers: administrators(204),
  },
  'repos/remove-collaborator': {
    ...{ method: 'DELETE', path: `${repo}/collaborators/sam`, answers: administrators(204) },
  },
  'repos/list-branches': { path: `${repo}/branches`, answers: public200 },
  'repos/get-branch': { path: `${repo}/branches/main`, answers: public200 },
  'repos/list-commits': { path: `${repo}/commits`, answers: public200 },
  'repos/get-commit': { path: `${repo}/commits/HEAD`, answers: public200 },
  'repos/compare-commits-with-basehead': {
    ...{ path: `${repo}/compare/main...tune-learning-rate`, answers: public200 },
  },
  'repos/get-content': { path: `${repo}/contents/README.md`, answers: public200 },
  'repos/download-tarball-archive': {
    ...{ path: `${repo}/tarball/main`, answers: [302, 302, 302, 302, 302, 401, 302] },
  },
  'repos/create-fork': { method: 'POST', path: `${repo}/forks`, answers: people(202) },
  'git/get-ref': { path: `${repo}/git/ref/heads/main`, answers: public200 },
  'git/list-matching-refs': { path: `${repo}/git/matching-refs/heads/`, answers: public200 },
  'git/get-tree': { path: `${repo}/git/trees/main`, answers: public200 },
  'git/get-blob': { path: `${repo}/git/blobs/BLOB`, answers: public200 },
  'git/get-commit': { path: `${repo}/git/commits/HEAD`, answers: public200 },

  'pulls/list': { path: `${repo}/pulls`, answers: public200 },
  'pulls/get': { path: `${repo}/pulls/1`, answers: public200 },
  'pulls/list-files': { path: `${repo}/pulls/1/files`, answers: public200 },
  'pulls/list-commits': { path: `${repo}/pulls/1/commits`, answers: public200 },
  'pulls/create': {
    ...{ method: 'POST', path: `${repo}/pulls` },
    body: { title: 'Back', head: 'main', base: 'tune-learning-rate' },
    // There is nothing to merge, which is found out only for those who may ask.
    answers: [401, 403, 403, 422, 422, 401, 422],
  },
  'pulls/update': {
    ...{ method: 'PATCH', path: `${repo}/pulls/1`, body: { title: 'Another' } },
    answers: [401, 403, 403, 200, 200, 401, 200],
  },

  'issues/get': { path: `${repo}/issues/1`, answers: public200 },
  'issues/lock': {
    ...{ method: 'PUT', path: `${repo}/issues/1/lock` },
    answers: [401, 403, 403, 204, 204, 401, 204],
  },
  'issues/unlock': {
    ...{ method: 'DELETE', path: `${repo}/issues/1/lock` },
    answers: [401, 403, 403, 204, 204, 401, 204],
  },
  'issues/list-comments': { path: `${repo}/issues/1/comments`, answers: public200 },
  'issues/get-comment': { path: `${repo}/issues/comments/COMMENT`, answers: public200 },
  'issues/create-comment': {
    ...{ method: 'POST', path: `${repo}/issues/1/comments`, body: { body: 'x' } },
    answers: contributors(201),
  },
  'issues/update-comment': {
    ...{ method: 'PATCH', path: `${repo}/issues/comments/COMMENT`, body: { body: 'y' } },
    answers: [401, 403, 403, 200, 200, 401, 403],
  },
  'issues/delete-comment': {
    ...{ method: 'DELETE', path: `${repo}/issues/comments/DELETED` },
    answers: [401, 403, 403, 204, 404, 401, 404],
  },
  'reactions/list-for-issue-comment': {
    ...{ path: `${repo}/issues/comments/COMMENT/reactions`, answers: public200 },
  },
  'reactions/create-for-issue-comment': {
    ...{
      method: 'POST',
      path: `${repo}/issues/comments/COMMENT/reactions`,
      body: { content: '+1' },
    },
    // sam has given it already.
    answers: [401, 200, 201, 201, 201, 401, 201],
  },
  'reactions/delete-for-issue-comment': {
    ...{ method: 'DELETE', path: `${repo}/issues/comments/COMMENT/reactions/REACTION` },
    answers: [401, 403, 403, 204, 404, 401, 404],
  },

  'checks/create': {
    ...{ method: 'POST', path: `${repo}/check-runs`, body: { name: 'x', head_sha: 'HEAD' } },
    answers: [401, 403, 403, 403, 403, 401, 201],
  },
  'checks/update': {
    ...{ method: 'PATCH', path: `${repo}/check-runs/RUN`, body: { name: 'y' } },
    answers: [401, 403, 403, 403, 403, 401, 200],
  },
  'checks/get': { path: `${repo}/check-runs/RUN`, answers: public200 },
  'checks/list-for-ref': { path: `${repo}/commits/HEAD/check-runs`, answers: public200 },
  'checks/list-annotations': { path: `${repo}/check-runs/RUN/annotations`, answers: public200 },
  'checks/list-for-suite': { path: `${repo}/check-suites/SUITE/check-runs`, answers: public200 },
  'checks/get-suite': { path: `${repo}/check-suites/SUITE`, answers: public200 },
  'checks/list-suites-for-ref': { path: `${repo}/commits/HEAD/check-suites`, answers: public200 },
  'checks/rerequest-run': {
    ...{ method: 'POST', path: `${repo}/check-runs/RUN/rerequest` },
    answers: [401, 403, 403, 201, 201, 401, 201],
  },
  'repos/create-commit-status': {
    ...{ method: 'POST', path: `${repo}/statuses/HEAD`, body: { state: 'success' } },
    // app.yml does not ask for it.
    answers: [401, 403, 403, 201, 201, 401, 403],
  },
  'repos/list-commit-statuses-for-ref': {
    path: `${repo}/commits/HEAD/statuses`,
    answers: [200, 200, 200, 200, 200, 401, 403],
  },
  'repos/get-combined-status-for-ref': {
    path: `${repo}/commits/HEAD/status`,
    answers: [200, 200, 200, 200, 200, 401, 403],
  },
};

beforeAll(async () => {
  world = await startWorld();
  const wes = world.as('writer').rest;
  const { rest } = world.installation;
  const head = (await wes.pulls.get(pullOne)).data.head.sha;
  const comment = async (): Promise<number> =>
    (await wes.issues.createComment({ ...issueOne, body: 'x' })).data.id;
  Object.assign(made, { HEAD: head, COMMENT: await comment(), DELETED: await comment() });
  const reaction = { ...digits, comment_id: Number(made['COMMENT']), content: 'eyes' } as const;
  await world.as('stranger').rest.reactions.createForIssueComment({ ...reaction, content: '+1' });
  made['REACTION'] = (await wes.reactions.createForIssueComment(reaction)).data.id;
  made['BLOB'] = (await wes.git.getTree({ ...digits, tree_sha: head })).data.tree.find(
    ({ type }) => type === 'blob',
  )!.sha;
  const annotations = [
    { path: 'train.py', start_line: 1, end_line: 1, annotation_level: 'notice', message: 'x' },
  ] as const;
  const run = await rest.checks.create({
    ...{ ...digits, name: 'x', head_sha: head, conclusion: 'success' },
    output: { title: 'x', summary: 'x', annotations: [...annotations] },
  });
  Object.assign(made, { RUN: run.data.id, SUITE: run.data.check_suite!.id });
  await wes.repos.createCommitStatus({ ...digits, sha: head, state: 'success' });
  await world.github.webhooksSettled();
  made['DELIVERY'] = (await world.app.rest.apps.listWebhookDeliveries()).data[0]!.id;
});
afterAll(() => world.close());

async function call(id: OperationId, caller: Caller): Promise<Answer> {
  const { method, path, body } = rows[id];
  const fill = (text: string): string =>
    text.replace(/[A-Z]{3,}/g, (name) => String(made[name] ?? name));
  return callApi(world, {
    authorization: await authorizationOf(caller),
    ...(method === undefined ? {} : { method }),
    path: fill(path),
    ...(body === undefined ? {} : { body: JSON.parse(fill(JSON.stringify(body))) as object }),
  });
}

async function authorizationOf(caller: Caller): Promise<string | undefined> {
  if (caller === 'nobody') return undefined;
  if (caller === 'app') return `Bearer ${jwt()}`;
  if (caller !== 'installation') return bearer(world, caller satisfies Person);
  // One of them is revoked.
  installationToken = (
    await world.app.rest.apps.createInstallationAccessToken({ installation_id: 7001 })
  ).data.token;
  return `Bearer ${installationToken}`;
}

describe('who may call', () => {
  it.each(Object.keys(operations) as OperationId[])('%s', async (id) => {
    const { answers } = rows[id];
    const statuses = await byCaller(
      callers,
      async (caller) => (await call(id, caller as Caller)).status,
    );
    expect(statuses).toEqual(
      Object.fromEntries(callers.map((one, index) => [one, answers[index]])),
    );
    expect(world.takeViolations()).toEqual([]);
  });
});

/** What GitHub's description says about answers, where it is installed: the extract has requests only. */
const descriptionPath = 'node_modules/@octokit/openapi/generated/api.github.com.json';
interface Description {
  readonly components: { readonly schemas: Readonly<Record<string, AnySchemaObject>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
}
interface DescribedOperation {
  readonly operationId: string;
  readonly responses: Readonly<
    Record<
      string,
      { readonly content?: { readonly 'application/json'?: { schema: AnySchemaObject } } }
    >
  >;
}

(existsSync(descriptionPath) ? describe : describe.skip)(
  'what is answered fits GitHub’s description (skipped unless @octokit/openapi is installed)',
  () => {
    let description: Description;
    let ajv: Ajv;
    beforeAll(() => {
      description = createRequire(import.meta.url)(`../../../${descriptionPath}`) as Description;
      ajv = new Ajv({ strict: false, allErrors: true, logger: false });
      addFormats(ajv);
      ajv.addSchema({ $id: 'github', ...(withNull(description) as Description) });
    });

    // GitHub's description wants an account there that is a user and an enterprise at once.
    const mistaken: OperationId = 'apps/list-installations';
    const described = (Object.keys(operations) as OperationId[]).filter((id) => id !== mistaken);
    it.each(described)('%s', async (id) => {
      const best = rows[id].answers.findIndex((status) => status >= 200 && status < 300);
      if (best < 0) return;
      const operation = Object.values(description.paths)
        .flatMap((item) => Object.values(item))
        .find(({ operationId }) => operationId === id)!;
      const { status, data } = await call(id, callers[best]!);
      const schema = operation.responses[status]?.content?.['application/json']?.schema;
      if (schema === undefined) return;
      const validate = ajv.compile(refsInto('github', withNull(schema)) as AnySchemaObject);
      const errors = validate(data) === true ? [] : (validate.errors ?? []);
      const problems = errors.map((one) => `${one.instancePath} ${one.message}`);
      expect([...new Set(problems)]).toEqual([]);
    });
  },
);

/** OpenAPI 3.0's `nullable`, as JSON Schema says it. */
function withNull(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withNull);
  if (value === null || typeof value !== 'object') return value;
  const { nullable, ...copy } = Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, withNull(one)]),
  );
  return nullable === true ? { anyOf: [copy, { type: 'null' }] } : copy;
}

function refsInto(id: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => refsInto(id, one));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      key === '$ref' ? `${id}${String(one)}` : refsInto(id, one),
    ]),
  );
}
