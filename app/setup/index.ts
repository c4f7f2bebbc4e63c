/** `npm run setup-app`: registers the GitHub App by GitHub's manifest flow and keeps its secrets in a file. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { UserError } from '../../shared/errors.ts';
import { startSetup } from './setup-server.ts';

const help = `Register the GitHub App.

  npm run setup-app -- --webhook https://HOST/webhooks/github

  --webhook URL   where the App will be reached by GitHub (https)
  --org NAME      register it for an organisation; without, for yourself
  --out FILE      where its id and secrets go, readable by you alone (default: trainyard.env)
  --github URL    a GitHub Enterprise Server (default: https://github.com)
  --port N        port of the page on this machine (default: any free one)
  --help          this text
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      webhook: { type: 'string' },
      org: { type: 'string' },
      out: { type: 'string', default: 'trainyard.env' },
      github: { type: 'string', default: 'https://github.com' },
      port: { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const githubUrl = originOf(values.github, '--github');
  const setup = await startSetup({
    appYml: await readFile(new URL('../app.yml', import.meta.url), 'utf8'),
    webhookUrl: webhookOf(values.webhook),
    organization: organizationOf(values.org),
    githubUrl,
    githubApiUrl:
      githubUrl === 'https://github.com' ? 'https://api.github.com' : `${githubUrl}/api/v3`,
    envFile: values.out,
    port: portOf(values.port),
  });
  process.stdout.write(`Open ${setup.url} in a browser on this machine, and press its button.\n`);
  const installUrl = await setup.registered;
  process.stdout.write(
    [
      `The App is registered; its id and secrets are in ${values.out}.`,
      `Next: install it on your repositories at ${installUrl}`,
      'Then write the operator’s file and start it: docs/operations.md.\n',
    ].join('\n'),
  );
  await setup.close();
}

function webhookOf(text: string | undefined): string {
  const url = URL.parse(text ?? '');
  if (url?.protocol === 'https:' && url.pathname === '/webhooks/github') return url.href;
  throw wrong('--webhook takes an address such as https://trainyard.example/webhooks/github.');
}

function originOf(text: string, name: string): string {
  const url = URL.parse(text);
  const isLocal = url?.protocol === 'http:' && url.hostname === '127.0.0.1';
  if (url !== null && (url.protocol === 'https:' || isLocal)) return url.origin;
  throw wrong(`${name} takes an https:// address.`);
}

function organizationOf(text: string | undefined): string | undefined {
  if (text === undefined || /^[A-Za-z\d](?:[A-Za-z\d-]{0,38})$/.test(text)) return text;
  throw wrong('--org takes the name of an organisation.');
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text);
  throw wrong('--port takes a number from 0 to 65535.');
}

function wrong(message: string): UserError {
  return new UserError('bad_argument', message, 'See npm run setup-app -- --help.');
}

try {
  await main();
} catch (error) {
  const text = error instanceof UserError ? `${error.message}\n${error.fix}` : String(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}
