/**
 * The door of every sandbox server. The sandbox runs code for whoever can reach it and asks for no
 * password, so a web page in the same browser must not be able to talk to it: neither by a cross-site
 * request nor by a host name that was rebound to 127.0.0.1. Servers bind 127.0.0.1 besides.
 * @see https://github.com/webpack/webpack-dev-server/issues/887 (what happens without a Host check)
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answers 403 and returns true when the request does not come from this machine's own clients and pages. */
export function guard(request: IncomingMessage, response: ServerResponse, port: number): boolean {
  const reason = refusalOf(request, port);
  if (reason === undefined) return false;
  response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  response.end(`Refused by the sandbox: ${reason}\n`);
  return true;
}

function refusalOf(request: IncomingMessage, port: number): string | undefined {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (!hosts.includes(request.headers.host ?? '')) {
    return 'the Host header must name 127.0.0.1 or localhost and the port.';
  }
  const origin = request.headers.origin;
  if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`)) {
    return 'requests from other web pages are not served.';
  }
  const site = request.headers['sec-fetch-site'];
  // A link that somebody follows to the page itself is harmless: it is a plain GET and shows them the page.
  const isNavigation = request.method === 'GET' && request.headers['sec-fetch-mode'] === 'navigate';
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isNavigation) {
    return 'requests from other web sites are not served.';
  }
  return undefined;
}
