/**
 * Where Google's APIs are: the text of TRAINYARD_GOOGLE_ENDPOINT in, an Endpoint out.
 *
 * A local endpoint switches credentials off and makes success forgeable, so nothing but a literal loopback
 * address over plain HTTP is taken: a name that merely resolves to 127.0.0.1 today may not do so tomorrow.
 */
import { UserError } from '../errors.ts';

export type Endpoint =
  | { readonly kind: 'production' }
  /** `host` as it stands in a URL (`[::1]` keeps its brackets). */
  | { readonly kind: 'local'; readonly host: string; readonly port: number; readonly url: string };

const loopbackHosts: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * Reads `http://127.0.0.1:8080`; undefined or an empty text means Google itself.
 * @throws {UserError} `bad_config` for anything that is not plain HTTP to a loopback address and port.
 */
export function parseEndpoint(text: string | undefined): Endpoint {
  if (text === undefined || text.trim() === '') return { kind: 'production' };
  const url = URL.parse(text.trim());
  const bare =
    url !== null &&
    url.protocol === 'http:' &&
    url.port !== '' &&
    url.pathname === '/' &&
    `${url.username}${url.password}${url.search}${url.hash}` === '';
  // `url.hostname` is normalised (0x7f.1 becomes 127.0.0.1), so the typed text is compared as well.
  if (!bare || !loopbackHosts.has(url.hostname) || !text.includes(`//${url.hostname}:`)) {
    throw new UserError(
      'bad_config',
      'TRAINYARD_GOOGLE_ENDPOINT must be http://127.0.0.1:PORT, http://[::1]:PORT or http://localhost:PORT.',
      'Unset it to use Google Cloud, or give the address of a sandbox on this machine.',
    );
  }
  return { kind: 'local', host: url.hostname, port: Number(url.port), url: url.origin };
}
