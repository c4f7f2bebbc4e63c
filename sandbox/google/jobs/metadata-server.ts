/**
 * The metadata server of one job's machines: the account that the job runs as in, an address on this machine out
 * that gives the job's programs what production gives them at metadata.google.internal.
 * @see https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys
 * @see https://cloud.google.com/vertex-ai/docs/training/code-requirements#service-account
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { guard } from '../../guard.ts';
import type { Project } from '../state/project.ts';
import type { Identity, Tokens } from '../state/tokens.ts';

interface MetadataServer {
  /** `127.0.0.1:PORT`, the value of GCE_METADATA_HOST. */
  readonly host: string;
  close(): Promise<void>;
}

const base = '/computeMetadata/v1';
/** As long as production's; it is revoked with the job. */
const lifetimeSeconds = 3_599;

export async function startMetadataServer(
  identity: Identity,
  project: Project,
  tokens: Tokens,
): Promise<MetadataServer> {
  const token = tokens.issue(identity);
  const account = `${base}/instance/service-accounts/default`;
  const answers: Readonly<Record<string, string>> = {
    [`${base}/project/project-id`]: project.id,
    [`${base}/project/numeric-project-id`]: project.number,
    [`${account}/email`]: identity.account,
    [`${account}/scopes`]: `https://www.googleapis.com/auth/${identity.hasCloudPlatform ? 'cloud-platform' : 'devstorage.full_control'}\n`,
    [`${account}/token`]: JSON.stringify({
      access_token: token,
      expires_in: lifetimeSeconds,
      token_type: 'Bearer',
    }),
  };
  let port = 0;
  const server = createServer((request, response) => {
    if (!guard(request, response, port)) answer(request, response, answers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port to listen on');
  port = address.port;
  return {
    host: `127.0.0.1:${port}`,
    close: async () => {
      tokens.revoke(token);
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  answers: Readonly<Record<string, string>>,
): void {
  request.resume();
  const send = (status: number, text: string): void => {
    const type = text.startsWith('{') ? 'application/json' : 'application/text';
    response.writeHead(status, { 'metadata-flavor': 'Google', 'content-type': type });
    response.end(text);
  };
  const [path = ''] = (request.url ?? '').split('?');
  if (request.method !== 'GET') return send(405, 'Method Not Allowed');
  if (path === '/') return send(200, 'computeMetadata/\n');
  // What a page or a proxy was talked into asking has no such header, or one more.
  const isAsked = request.headers['metadata-flavor'] === 'Google';
  if (!isAsked || 'x-forwarded-for' in request.headers) {
    return send(403, 'Missing Metadata-Flavor:Google header.');
  }
  const found = Object.hasOwn(answers, path) ? answers[path] : undefined;
  return found === undefined ? send(404, 'Not Found') : send(200, found);
}
