/** `npm run sandbox`: starts the sandbox and keeps it running until SIGINT or SIGTERM. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readableAppLine } from './app-line.ts';
import { explainStart } from './start-error.ts';
import { cloneUrl, startSandbox, type Sandbox } from './start.ts';

const help = `The local GitHub and Google Cloud that Trainyard is tried and tested with.

  npm run sandbox -- [options]

  --port N      GitHub's port; Google, the registry and the App take N+1, N+2, N+3 (default: free ports)
  --data DIR    where everything is kept (default: .trainyard/sandbox)
  --no-app      do not start the App; DIR/app.env has what it needs (node_modules/.bin/node --env-file=DIR/app.env app/index.ts)
  --realistic   late logs, lagging lists and quotas, as the real services have them
  --verbose     every line of the App's log, as JSON, on stderr (default: its warnings and errors, once it is ready)
  --json        print one line of JSON when ready (use npm run --silent so that npm prints nothing else)
  --help        this text
`;

interface Options {
  readonly data: string;
  readonly port: number;
  readonly app: boolean;
  readonly realistic: boolean;
  readonly verbose: boolean;
  readonly json: boolean;
}

function readOptions(): Options | string {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '0' },
        data: { type: 'string', default: join('.trainyard', 'sandbox') },
        'no-app': { type: 'boolean', default: false },
        realistic: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return help;
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > 65_532) {
      throw new TypeError(
        `--port takes a number from 0 to 65532, not ${JSON.stringify(values.port)}.`,
      );
    }
    return { ...values, port, app: !values['no-app'] };
  } catch (error) {
    return `${messageOf(error)}\nSee npm run sandbox -- --help\n`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function start(options: Options): Promise<Sandbox> {
  let isReady = false;
  const sandbox = await startSandbox({
    dataDir: options.data,
    port: options.port,
    app: options.app,
    realistic: options.realistic,
    onAppLine: (line) => {
      // What the App says while it starts is in the error, if it does not.
      const shown = options.verbose ? line : isReady ? readableAppLine(line) : undefined;
      if (shown !== undefined) process.stderr.write(`app: ${shown}\n`);
    },
  });
  isReady = true;
  return sandbox;
}

const options = readOptions();
if (typeof options === 'string') {
  const isHelp = options === help;
  (isHelp ? process.stdout : process.stderr).write(options);
  process.exit(isHelp ? 0 : 2);
}

const sandbox = await start(options).catch((error: unknown) => {
  process.stderr.write(`The sandbox cannot start: ${explainStart(error)}\n`);
  process.exit(1);
});
const { github, google, registry, app } = sandbox.description;
process.stdout.write(
  options.json
    ? `${JSON.stringify(sandbox.description)}\n`
    : [
        `Pull request   ${github.web}/${github.repo}/pull/${github.pull}`,
        `Its code       git clone ${cloneUrl(github)}`,
        `GitHub API     ${github.api}`,
        `Google APIs    ${google.endpoint} (project ${google.project})`,
        `Registry       ${registry}`,
        `Dashboard      ${app.dashboard}${options.app ? '' : ' (not started)'}`,
        `Data           ${options.data}`,
        'Stop with Ctrl-C.',
        '',
      ].join('\n'),
);

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    void sandbox.close().then(() => process.exit(0));
  });
}
