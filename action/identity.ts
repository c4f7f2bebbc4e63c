/**
 * Who the step is at Google: the runner's variables in, where credentials come from out. The post step asks
 * too, and has the same inputs.
 */
import * as core from '@actions/core';
import { UserError } from '../shared/errors.ts';
import type { CredentialSource } from '../shared/google/credentials.ts';
import type { FederatedIdentity } from './inputs.ts';
import type { Environment } from './input-reader.ts';

/**
 * GitHub gives its tokens to jobs that may ask for them only, and says where in these variables.
 * @see https://docs.github.com/en/actions/reference/security/oidc#methods-for-requesting-the-oidc-token
 */
const tokenVariables = ['ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'];

/** Application Default Credentials unless the inputs name a provider; it is checked again where a URL is made of it. */
export function credentialsOf(
  identity: FederatedIdentity | undefined,
  env: Environment,
): CredentialSource {
  if (identity === undefined) return { kind: 'default' };
  return {
    kind: 'federation',
    provider: identity.provider,
    serviceAccount: identity.serviceAccount,
    idToken: (audience) => {
      if (tokenVariables.some((name) => !env[name])) return Promise.reject(mayNotAsk());
      return core.getIDToken(audience);
    },
  };
}

function mayNotAsk(): UserError {
  return new UserError(
    'permission_denied',
    'this job may not ask GitHub for the token that `workload_identity_provider` needs.',
    'Add `permissions: id-token: write` to the job; a workflow on a pull request from a fork never gets it.',
  );
}
