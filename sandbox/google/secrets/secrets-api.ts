/**
 * Secret Manager's REST API as far as jobs with secrets need it: secrets, versions, who may read them, and
 * reading. An HTTP exchange in, true out when it was for this API and has been answered. Whoever brings a token
 * of a job's metadata server may read what is granted to its account; a call without a token is the person's at
 * this machine, who may do everything.
 * @see https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets
 */
import { readJson, sendJson, type Exchange } from '../http.ts';
import type { SandboxClock } from '../state/clock.ts';
import type { Documents } from '../state/documents.ts';
import { pageOf } from '../state/pages.ts';
import { checkProject, type Project } from '../state/project.ts';
import type { Tokens } from '../state/tokens.ts';
import { ContentHasher } from '../storage/hashes.ts';
import { ApiError, badRequest, invalidArgument, notFound } from '../wire/api-error.ts';
import {
  isJsonObject,
  objectAt,
  objectsAt,
  textAt,
  textMapAt,
  textsAt,
  type JsonObject,
} from '../wire/json.ts';
import {
  toPolicy,
  toSecret,
  toVersion,
  versionName,
  type SecretRecord,
  type VersionRecord,
} from './secret-record.ts';

export interface SecretPorts {
  readonly project: Project;
  readonly clock: SandboxClock;
  /** By full name, with the project's number, as this service writes it. */
  readonly secrets: Documents<SecretRecord>;
  readonly tokens: Tokens;
}

interface Call {
  readonly project: string;
  readonly secret: string;
  readonly version: string;
  readonly query: URLSearchParams;
  readonly body: JsonObject;
  readonly authorization: string | undefined;
}

type Handler = (ports: SecretPorts, call: Call) => Promise<JsonObject> | JsonObject;

const secrets = '/v1/projects/(?<project>[^/]+)/secrets';
const secret = `${secrets}/(?<secret>[^/:]+)`;
const version = `${secret}/versions/(?<version>[^/:]+)`;

const routes: readonly (readonly [verb: string, path: RegExp, handler: Handler])[] = [
  ['POST', new RegExp(`^${secrets}$`), createSecret],
  ['GET', new RegExp(`^${secrets}$`), listSecrets],
  ['GET', new RegExp(`^${secret}$`), (ports, call) => toSecret(find(ports, call))],
  ['DELETE', new RegExp(`^${secret}$`), deleteSecret],
  ['POST', new RegExp(`^${secret}:addVersion$`), addVersion],
  ['GET', new RegExp(`^${secret}:getIamPolicy$`), (ports, call) => toPolicy(find(ports, call))],
  ['POST', new RegExp(`^${secret}:setIamPolicy$`), setIamPolicy],
  ['GET', new RegExp(`^${secret}/versions$`), listVersions],
  ['GET', new RegExp(`^${version}$`), getVersion],
  ['GET', new RegExp(`^${version}:access$`), access],
  ['POST', new RegExp(`^${version}:(?<state>enable|disable)$`), setState],
];

export async function serveSecrets(ports: SecretPorts, exchange: Exchange): Promise<boolean> {
  for (const [verb, path, handler] of routes) {
    const groups = path.exec(exchange.path)?.groups;
    if (groups === undefined || verb !== exchange.verb) continue;
    const body = (await readJson(exchange.request)) ?? {};
    if (!isJsonObject(body)) throw invalidArgument('Invalid JSON payload received.');
    const { project = '', secret: id = '', version: number = '', state = '' } = groups;
    checkProject(ports.project, project);
    const answer = await handler(ports, {
      project,
      secret: id,
      version: number,
      query: exchange.query,
      body: state === '' ? body : { ...body, state },
      authorization: exchange.request.headers.authorization,
    });
    sendJson(exchange.response, 200, answer);
    return true;
  }
  return false;
}

/** @see https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets/create */
async function createSecret(ports: SecretPorts, { query, body }: Call): Promise<JsonObject> {
  const id = query.get('secretId') ?? '';
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(id)) {
    throw badRequest([
      { field: 'secret_id', description: `Invalid secret id: ${JSON.stringify(id)}` },
    ]);
  }
  allowOnly(body, ['replication', 'labels', 'annotations']);
  if (!('automatic' in objectAt(body, 'replication'))) {
    throw invalidArgument("The field 'replication' is required; the sandbox knows automatic only.");
  }
  const name = nameOf(ports, id);
  if (ports.secrets.get(name) !== undefined) {
    throw new ApiError('ALREADY_EXISTS', `Secret [${name}] already exists.`);
  }
  const createTime = ports.clock.now().toISOString();
  const record: SecretRecord = {
    name,
    createTime,
    versions: [],
    policy: {},
    ...notEmpty('labels', textMapAt(body, 'labels')),
    ...notEmpty('annotations', textMapAt(body, 'annotations')),
  };
  await ports.secrets.put(name, record);
  return toSecret(record);
}

function notEmpty(name: string, texts: Readonly<Record<string, string>>): object {
  return Object.keys(texts).length === 0 ? {} : { [name]: texts };
}

/** @see https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets/list */
function listSecrets(ports: SecretPorts, { query }: Call): JsonObject {
  const found = ports.secrets.values().sort((a, b) => (a.name < b.name ? -1 : 1));
  return listed('secrets', found, query, ({ name }) => name, toSecret);
}

/** Newest first. @see https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/list */
function listVersions(ports: SecretPorts, call: Call): JsonObject {
  const found = find(ports, call);
  const newestFirst = found.versions.toReversed();
  const idOf = ({ number }: VersionRecord): string => String(number);
  return listed('versions', newestFirst, call.query, idOf, (each) => toVersion(found, each));
}

function listed<T>(
  field: string,
  items: readonly T[],
  query: URLSearchParams,
  idOf: (item: T) => string,
  show: (item: T) => JsonObject,
): JsonObject {
  if (query.has('filter')) throw invalidArgument(`The sandbox does not filter ${field}.`);
  const [pageSize, pageToken] = [query.get('pageSize') ?? '0', query.get('pageToken') ?? ''];
  if (!/^-?\d{1,9}$/.test(pageSize)) throw invalidArgument("Invalid value at 'page_size'.");
  const request = { pageSize, pageToken };
  const page = pageOf(items, request, { byDefault: 25_000, max: 25_000 }, idOf);
  return {
    ...(page.items.length === 0 ? {} : { [field]: page.items.map(show) }),
    ...(page.nextPageToken === undefined ? {} : { nextPageToken: page.nextPageToken }),
    ...(items.length === 0 ? {} : { totalSize: items.length }),
  };
}

async function deleteSecret(ports: SecretPorts, call: Call): Promise<JsonObject> {
  await ports.secrets.delete(find(ports, call).name);
  return {};
}

function getVersion(ports: SecretPorts, call: Call): JsonObject {
  const found = find(ports, call);
  return toVersion(found, findVersion(found, call.version));
}

/** A payload has at most 64 KiB. @see https://cloud.google.com/secret-manager/quotas */
const maxPayloadBytes = 64 * 1024;

async function addVersion(ports: SecretPorts, call: Call): Promise<JsonObject> {
  const found = find(ports, call);
  allowOnly(call.body, ['payload']);
  const payload = objectAt(call.body, 'payload');
  const text = textAt(payload, 'data');
  const data = Buffer.from(text, 'base64');
  if (data.toString('base64') !== text.replaceAll('-', '+').replaceAll('_', '/')) {
    throw invalidArgument("Invalid value at 'payload.data' (TYPE_BYTES), Base64 decoding failed.");
  }
  if (data.length > maxPayloadBytes) {
    throw invalidArgument(`The payload must be at most ${maxPayloadBytes} bytes.`);
  }
  const given = textAt(payload, 'dataCrc32c');
  if (given !== '' && given !== checksum(data)) {
    throw invalidArgument('The provided checksum does not match the payload.');
  }
  const created: VersionRecord = {
    number: found.versions.length + 1,
    data: data.toString('base64'),
    state: 'ENABLED',
    createTime: ports.clock.now().toISOString(),
    ...(given === '' ? {} : { clientSpecifiedPayloadChecksum: true as const }),
  };
  await ports.secrets.put(found.name, { ...found, versions: [...found.versions, created] });
  return toVersion(found, created);
}

async function setIamPolicy(ports: SecretPorts, call: Call): Promise<JsonObject> {
  const found = find(ports, call);
  const bindings = objectsAt(objectAt(call.body, 'policy'), 'bindings');
  const policy: Record<string, string[]> = {};
  for (const binding of bindings) {
    const [role, members] = [textAt(binding, 'role'), textsAt(binding, 'members')];
    if (!/^(?:roles|projects\/[^/]+\/roles)\/[\w.]+$/.test(role)) {
      throw invalidArgument(`Role ${JSON.stringify(role)} is not supported for this resource.`);
    }
    const wrong = members.find(
      (member) => !/^(?:serviceAccount|user|group|domain):\S+$/.test(member),
    );
    if (wrong !== undefined) throw invalidArgument(`The member ${wrong} is of an unknown type.`);
    policy[role] = [...new Set([...(policy[role] ?? []), ...members])];
  }
  const changed = { ...found, policy };
  await ports.secrets.put(found.name, changed);
  return toPolicy(changed);
}

async function setState(ports: SecretPorts, call: Call): Promise<JsonObject> {
  const found = find(ports, call);
  const chosen = findVersion(found, call.version);
  const state = textAt(call.body, 'state') === 'enable' ? 'ENABLED' : 'DISABLED';
  const versions = found.versions.map((each) =>
    each === chosen ? ({ ...each, state } as const) : each,
  );
  await ports.secrets.put(found.name, { ...found, versions });
  return toVersion(found, { ...chosen, state });
}

const accessors: ReadonlySet<string> = new Set([
  'roles/secretmanager.secretAccessor',
  'roles/secretmanager.admin',
]);

/** @see https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access */
function access(ports: SecretPorts, call: Call): JsonObject {
  const name = nameOf(ports, call.secret);
  const found = ports.secrets.get(name);
  const account = accountOf(ports, call.authorization);
  const mayRead = Object.entries(found?.policy ?? {}).some(
    ([role, members]) => accessors.has(role) && members.includes(`serviceAccount:${account ?? ''}`),
  );
  if (account !== undefined && !mayRead) {
    const resource = `${name}/versions/${call.version}`;
    throw new ApiError(
      'PERMISSION_DENIED',
      `Permission 'secretmanager.versions.access' denied for resource '${resource}' (or it may not exist).`,
    );
  }
  if (found === undefined || found.versions.length === 0) {
    throw notFound(`Secret [${name}] not found or has no versions.`);
  }
  const chosen = findVersion(found, call.version);
  if (chosen.state !== 'ENABLED') {
    const message = `Secret Version [${versionName(found, chosen)}] is in ${chosen.state} state.`;
    throw new ApiError('FAILED_PRECONDITION', message);
  }
  const { data } = chosen;
  const dataCrc32c = checksum(Buffer.from(data, 'base64'));
  return { name: versionName(found, chosen), payload: { data, dataCrc32c } };
}

/** Undefined for the person at this machine. @throws ApiError 401, and 403 for tokens without the scope */
function accountOf({ tokens }: SecretPorts, authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const token = /^Bearer (\S+)$/i.exec(authorization)?.[1];
  const identity = token === undefined ? undefined : tokens.identityOf(token);
  if (identity === undefined) {
    throw new ApiError(
      'UNAUTHENTICATED',
      'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.',
    );
  }
  if (identity.hasCloudPlatform) return identity.account;
  throw new ApiError('PERMISSION_DENIED', 'Request had insufficient authentication scopes.', [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
      domain: 'googleapis.com',
    },
  ]);
}

function findVersion(found: SecretRecord, text: string): VersionRecord {
  const newest =
    found.versions.findLast(({ state }) => state === 'ENABLED') ?? found.versions.at(-1);
  const chosen =
    text === 'latest' ? newest : found.versions.find(({ number }) => String(number) === text);
  if (chosen === undefined)
    throw notFound(`Secret Version [${found.name}/versions/${text}] not found.`);
  return chosen;
}

function find(ports: SecretPorts, { secret: id }: Call): SecretRecord {
  const name = nameOf(ports, id);
  const found = ports.secrets.get(name);
  if (found === undefined) throw notFound(`Secret [${name}] not found.`);
  return found;
}

function nameOf({ project }: SecretPorts, id: string): string {
  return `projects/${project.number}/secrets/${id}`;
}

function allowOnly(body: JsonObject, names: readonly string[]): void {
  const unknown = Object.keys(body).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw invalidArgument(
    `Invalid JSON payload received. Unknown name ${JSON.stringify(unknown)}: Cannot find field.`,
  );
}

/** int64, so decimal digits in JSON. */
function checksum(data: Buffer): string {
  const hasher = new ContentHasher();
  hasher.update(data);
  return String(Buffer.from(hasher.finish().crc32c, 'base64').readUInt32BE());
}
