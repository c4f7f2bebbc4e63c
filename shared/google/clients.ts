/**
 * The official client libraries, each loaded when it is first used: an Endpoint in, one ready client per
 * service (for Vertex AI: per region) out.
 *
 * All speak REST, in production too, so that what is tested against a local server is what runs. The deep
 * paths keep tens of megabytes of other services out of the process and the bundle; they are no public
 * API, which is why package.json pins exact versions and a test runs the built bundle.
 * @see https://github.com/googleapis/google-cloud-node/issues/6204 (the size of the whole package)
 */
import type { JobServiceClient } from '@google-cloud/aiplatform/build/src/v1/job_service_client.js';
import type { ArtifactRegistryClient } from '@google-cloud/artifact-registry/build/src/v1/artifact_registry_client.js';
import type { CloudBuildClient } from '@google-cloud/cloudbuild/build/src/v1/cloud_build_client.js';
import type { LoggingServiceV2Client } from '@google-cloud/logging-api/build/src/v2/logging_service_v2_client.js';
import type { Storage } from '@google-cloud/storage';
import type { GoogleAuth } from 'google-auth-library';
import { UserError } from '../errors.ts';
import { findCredentials, renewToken, type CredentialSource } from './credentials.ts';
import type { Endpoint } from './endpoint.ts';
import { region as checkedRegion } from './resource-names.ts';

export interface GoogleClients {
  jobs(region: string): Promise<JobServiceClient>;
  builds(): Promise<CloudBuildClient>;
  registry(): Promise<ArtifactRegistryClient>;
  logging(): Promise<LoggingServiceV2Client>;
  storage(): Promise<Storage>;
  /** A token that is good now, for programs that are no client of ours. */
  accessToken(): Promise<string>;
  /** All of them get a new token with their next request. */
  renewToken(): Promise<void>;
}

export function createClients(endpoint: Endpoint, source: CredentialSource): GoogleClients {
  const credentials = once(() => credentialsFor(endpoint, source));
  const regions = new Map<string, () => Promise<JobServiceClient>>();
  return {
    accessToken: async () => {
      const token = await (await credentials()).getAccessToken();
      if (token) return token;
      throw new UserError(
        'permission_denied',
        'there is no token of Google Cloud to give away.',
        'A local endpoint has none: unset TRAINYARD_GOOGLE_ENDPOINT.',
      );
    },
    renewToken: async () => renewToken(await credentials()),
    jobs: (name) => {
      const region = checkedRegion(name);
      const known = regions.get(region) ?? once(() => createJobs(endpoint, credentials, region));
      regions.set(region, known);
      return known();
    },
    builds: once(async () => {
      const { CloudBuildClient } =
        await import('@google-cloud/cloudbuild/build/src/v1/cloud_build_client.js');
      return new CloudBuildClient(gapicOptions(endpoint, await credentials()));
    }),
    registry: once(async () => {
      const { ArtifactRegistryClient } =
        await import('@google-cloud/artifact-registry/build/src/v1/artifact_registry_client.js');
      return new ArtifactRegistryClient(gapicOptions(endpoint, await credentials()));
    }),
    logging: once(async () => {
      const { LoggingServiceV2Client } =
        await import('@google-cloud/logging-api/build/src/v2/logging_service_v2_client.js');
      return new LoggingServiceV2Client(gapicOptions(endpoint, await credentials()));
    }),
    storage: once(async () => {
      const { Storage } = await import('@google-cloud/storage');
      return new Storage({
        ...(endpoint.kind === 'local' ? { apiEndpoint: endpoint.url } : {}),
        authClient: await credentials(),
        // Repeating is decided in one place: requests.ts for reads, the run's own loop for uploads. Of what the
        // library would repeat if it might it says no status, so nothing is.
        retryOptions: { autoRetry: false, maxRetries: 0, retryableErrorFn: () => false },
      });
    }),
  };
}

async function createJobs(
  endpoint: Endpoint,
  credentials: () => Promise<GoogleAuth>,
  region: string,
): Promise<JobServiceClient> {
  const { JobServiceClient } =
    await import('@google-cloud/aiplatform/build/src/v1/job_service_client.js');
  return new JobServiceClient({
    // Vertex AI has one host per region; a job's region must be its host's.
    // @see https://cloud.google.com/vertex-ai/docs/reference/rest#service-endpoint
    apiEndpoint: `${region}-aiplatform.googleapis.com`,
    ...gapicOptions(endpoint, await credentials()),
  });
}

async function credentialsFor(endpoint: Endpoint, source: CredentialSource): Promise<GoogleAuth> {
  if (endpoint.kind === 'production') return withoutAgents(await findCredentials(source));
  const { GoogleAuth, PassThroughClient } = await import('google-auth-library');
  return new GoogleAuth({ authClient: new PassThroughClient() });
}

/**
 * google-gax brings agents of its own, which go past the proxy that a runner may have; without them gaxios
 * takes the one that HTTPS_PROXY names.
 * @see https://github.com/googleapis/gax-nodejs/pull/1534 (its agents, for a keep-alive that Node now has)
 */
function withoutAgents(auth: GoogleAuth): GoogleAuth {
  const send = auth.fetch.bind(auth);
  auth.fetch = (...args: Parameters<GoogleAuth['fetch']>) => {
    const [what, init] = args;
    const isUrl = typeof what === 'string' || what instanceof URL;
    return isUrl ? send(what, Object.assign({}, init, { agent: undefined })) : send(...args);
  };
  return auth;
}

/** Never a projectId: with one, Cloud Build's client falls back to paths that cannot see a region's builds. */
function gapicOptions(endpoint: Endpoint, auth: GoogleAuth) {
  const options = { auth, fallback: true };
  return endpoint.kind === 'production'
    ? options
    : { ...options, protocol: 'http', apiEndpoint: endpoint.host, port: endpoint.port };
}

/** The first call's promise for everybody; a failure is forgotten, so that the next call tries again. */
function once<T>(create: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= create().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
