/** The sandbox's GitHub as a process of its own, so that a test can kill it: DIRECTORY WEBHOOK-URL SECRET. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startGitHub } from '../../../sandbox/github/server.ts';

const [directory = '', url = '', secret = ''] = process.argv.slice(2);
const github = await startGitHub({
  dataDir: join(directory, 'data'),
  port: 0,
  app: {
    ...{ id: 4242, slug: 'trainyard' },
    publicKey: await readFile(join(directory, 'public.pem'), 'utf8'),
  },
  seed: { owner: 'acme', repo: 'digits', directory: join(directory, 'seed') },
  webhook: { url, secret },
});
const { api, web, tokens } = github;
process.stdout.write(`${JSON.stringify({ api, web, tokens })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== 'settle') continue;
  await github.webhooksSettled();
  process.stdout.write('settled\n');
}
