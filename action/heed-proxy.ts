/** The variables that name a proxy in, Node's own fetch by way of it out. */
import * as http from 'node:http';
import { UserError } from '../shared/errors.ts';
import type { Environment } from './input-reader.ts';

/**
 * Node's fetch heeds HTTPS_PROXY only when told to, which older versions can only be told before they start.
 * @throws {UserError} for what is no address; it is not repeated, since it may hold a password
 */
export function heedProxy(env: Environment): void {
  const isLocal = (env['TRAINYARD_GOOGLE_ENDPOINT'] ?? '') !== '';
  if (isLocal || !('setGlobalProxyFromEnv' in http)) return;
  try {
    http.setGlobalProxyFromEnv({ ...env });
  } catch {
    throw new UserError(
      'bad_config',
      'the variables HTTPS_PROXY and HTTP_PROXY do not name a proxy that can be used.',
      'Write them as http://HOST:PORT, or unset them.',
    );
  }
}
