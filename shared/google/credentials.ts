/**
 * Who we are at Google: where credentials come from in, what all client libraries are given out.
 *
 * Either Application Default Credentials, as google-github-actions/auth leaves them, or direct federation:
 * a GitHub OIDC token, fetched anew each time, exchanged for a Google token, and that for one of a service
 * account when one is named. An App acts as a launcher account per project, by way of its own. GitHub's token lives five minutes and Google's ten, so whoever follows a job for
 * hours mints again and again; nothing here outlives its token.
 */
import type { GoogleAuth } from 'google-auth-library';
import { CloudError, UserError } from '../errors.ts';
import { toCloudError } from './errors.ts';
import {
  serviceAccount as checkedServiceAccount,
  workloadIdentityProvider,
} from './resource-names.ts';

export type CredentialSource =
  | { readonly kind: 'default' }
  /** Application Default Credentials, used for nothing but to act as that account. */
  | { readonly kind: 'impersonation'; readonly serviceAccount: string }
  | {
      readonly kind: 'federation';
      /** `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER` */
      readonly provider: string;
      /** E-mail of the account to act as; undefined acts as the federated identity itself. */
      readonly serviceAccount: string | undefined;
      /** A fresh OIDC token for that audience. */
      readonly idToken: (audience: string) => Promise<string>;
    };

const cloudPlatform = 'https://www.googleapis.com/auth/cloud-platform';

/**
 * How long before its end a token is replaced. The library's five minutes would replace GitHub's five-minute
 * tokens with every request.
 */
const eagerRefreshThresholdMillis = 60_000;

/** @throws {CloudError} status 401 when there are none, or they are refused */
export async function findCredentials(source: CredentialSource): Promise<GoogleAuth> {
  switch (source.kind) {
    case 'default':
      return defaultCredentials();
    case 'impersonation':
      return impersonation(checkedServiceAccount(source.serviceAccount));
    case 'federation':
      return federation(source);
  }
}

async function defaultCredentials(): Promise<GoogleAuth> {
  const { GoogleAuth } = await import('google-auth-library');
  const auth = new GoogleAuth({
    scopes: [cloudPlatform],
    clientOptions: { eagerRefreshThresholdMillis },
  });
  try {
    // Asked for here because a client library that finds none rejects twice, once where nobody can catch it.
    await auth.getClient();
    return auth;
  } catch (error) {
    throw noCredentials(
      'no Google Cloud credentials were found; give `workload_identity_provider`, or run google-github-actions/auth before this step',
      error,
    );
  }
}

/** @see https://docs.cloud.google.com/iam/docs/create-short-lived-credentials-direct */
async function impersonation(account: string): Promise<GoogleAuth> {
  const { GoogleAuth, Impersonated } = await import('google-auth-library');
  const sourceClient = await (await defaultCredentials()).getClient();
  const quietly = await warningSuppressor();
  const client = quietly(
    () =>
      new Impersonated({
        sourceClient,
        targetPrincipal: account,
        targetScopes: [cloudPlatform],
        eagerRefreshThresholdMillis,
      }),
  );
  try {
    await client.getAccessToken();
    return new GoogleAuth({ authClient: client });
  } catch (error) {
    const failure = toCloudError('credentials', 'read', error);
    if (!(failure instanceof CloudError)) throw failure;
    const { status, retryable, message } = failure;
    throw new CloudError('credentials', `could not act as ${account}: ${message}`, {
      status,
      retryable,
      ambiguous: false,
      cause: error,
    });
  }
}

/**
 * The library warns of configuration that it did not check, on every construction; ours is an e-mail address
 * that was held against a pattern. Its own switch for that is internal, so it is used where it is there.
 * @see https://github.com/googleapis/google-auth-library-nodejs/blob/main/src/util.ts (suppressAdcWarning)
 */
async function warningSuppressor(): Promise<<T>(make: () => T) => T> {
  const util: object = await import('google-auth-library/build/src/util.js');
  const { suppressAdcWarning } = util as { suppressAdcWarning?: <T>(make: () => T) => T };
  return suppressAdcWarning ?? ((make) => make());
}

/** @see https://docs.cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines */
async function federation(
  source: Extract<CredentialSource, { kind: 'federation' }>,
): Promise<GoogleAuth> {
  const { GoogleAuth, IdentityPoolClient } = await import('google-auth-library');
  const provider = workloadIdentityProvider(source.provider);
  const account = source.serviceAccount;
  const impersonation =
    account === undefined
      ? undefined
      : `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${checkedServiceAccount(account)}:generateAccessToken`;
  const client = new IdentityPoolClient({
    type: 'external_account',
    audience: `//iam.googleapis.com/${provider}`,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: 'https://sts.googleapis.com/v1/token',
    subject_token_supplier: {
      getSubjectToken: () => source.idToken(`https://iam.googleapis.com/${provider}`),
    },
    ...(impersonation === undefined ? {} : { service_account_impersonation_url: impersonation }),
    scopes: [cloudPlatform],
    eagerRefreshThresholdMillis,
  });
  try {
    // Asked for here, so that what is wrong with the set-up is said once and before anything else.
    await client.getAccessToken();
    return new GoogleAuth({ authClient: client });
  } catch (error) {
    // The supplier of the token knows better than we what is wrong.
    if (error instanceof UserError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw noCredentials(`Google did not accept the workflow's identity: ${why}`, error);
  }
}

/**
 * Makes the next request fetch a new token. The client library only replaces one whose time is up, and over
 * REST gax does not try again after a 401; clocks differ and keys are revoked.
 * @see https://github.com/googleapis/google-auth-library-nodejs/blob/main/src/auth/baseexternalclient.ts (isExpired)
 */
export async function renewToken(auth: GoogleAuth): Promise<void> {
  const client = await auth.getClient();
  client.setCredentials({ ...client.credentials, expiry_date: 1 });
}

function noCredentials(message: string, cause: unknown): CloudError {
  return new CloudError('credentials', message, {
    status: 401,
    retryable: false,
    ambiguous: false,
    cause,
  });
}
