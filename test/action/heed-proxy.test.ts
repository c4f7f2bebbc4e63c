/** What is said of a proxy's address that is none, which may hold a password. */
import { expect, it } from '@jest/globals';
import { heedProxy } from '../../action/heed-proxy.ts';
import { explain } from '../../action/explain.ts';

it.each(['http://user:known-secret@', 'user:known-secret@proxy:3128', 'http://[known-secret'])(
  'does not repeat %s',
  (address) => {
    const said: string[] = [];
    try {
      heedProxy({ HTTPS_PROXY: address });
    } catch (error) {
      said.push(explain(error));
    }
    expect(said).toEqual([expect.stringMatching(/^The variables HTTPS_PROXY and HTTP_PROXY/)]);
    expect(said.join()).not.toContain('known-secret');
  },
);

it('asks nothing of it for a sandbox on this machine', () => {
  const endpoint = { TRAINYARD_GOOGLE_ENDPOINT: 'http://127.0.0.1:8080' };
  expect(() => heedProxy({ ...endpoint, HTTPS_PROXY: 'http://user@' })).not.toThrow();
});
