/**
 * `npm run demo`: the sandbox with its pull request page, ready for somebody to type `/train gpu=T4`. Main is
 * trained meanwhile, so that the card has something to compare with. With `--headless` it types the command itself,
 * shows the runs as a timeline, prints the final comment and exits 0 only when the run succeeded and its check is
 * green.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readableAppLine } from './app-line.ts';
import { demoGitHub, type DemoGitHub } from './demo-github.ts';
import { headless } from './demo-headless.ts';
import {
  pushForTraining,
  sayTrained,
  sayUntrained,
  untilTrained,
  untilTraining,
} from './demo-main.ts';
import { Timeline } from './demo-timeline.ts';
import { watchCards } from './demo-watch.ts';
import { findInterpreter } from './executor/interpreter.ts';
import { areFree } from './free-ports.ts';
import { explainStart } from './start-error.ts';
import { cloneUrl, startSandbox, type SandboxDescription } from './start.ts';
import { printable } from './terminal-text.ts';

const help = `Try Trainyard on this machine, without any account.

  npm run demo                  opens a pull request; type /train gpu=T4 into its comment box
  npm run demo -- --headless    trains main, runs one /train gpu=T4 by itself and prints the final comment

  --port N      first of four ports, 0 for any (default: 8470, so that an open page works after a restart; any when it is taken)
  --data DIR    where the sandbox keeps its state (default: .trainyard/demo; --headless: a temporary one)
  --realistic   late logs, lagging lists and quotas, as the real services have them
  --no-open     print the address only, do not open a browser
  --help        this text
`;

const command = '/train gpu=T4';
/** The same at every start where it can be: a page that somebody has open goes on working. */
const preferredPort = 8470;
/** Google, the registry and the App take the next ones. */
const ports = 4;
/** Of the App's log: what is shown when nothing comes of a run. */
const keptAppLines = 20;

const timeline = new Timeline(process.stdout);

/** What was typed is not what the demo takes. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        headless: { type: 'boolean', default: false },
        port: { type: 'string' },
        data: { type: 'string' },
        realistic: { type: 'boolean', default: false },
        'no-open': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(messageOf(error), { cause: error });
  }
}

async function choosePort(text: string | undefined): Promise<number> {
  if (text === undefined) return (await areFree(preferredPort, ports)) ? preferredPort : 0;
  const port = Number(text);
  if (text !== '' && Number.isInteger(port) && port >= 0 && port <= 65_536 - ports) return port;
  throw new UsageError(`--port takes a number from 0 to 65532, not ${JSON.stringify(text)}.`);
}

async function main(): Promise<number> {
  const values = readOptions();
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const port = await choosePort(values.port);
  const temporary =
    values.headless && values.data === undefined
      ? await mkdtemp(join(tmpdir(), 'trainyard-demo-'))
      : undefined;
  try {
    const dataDir = values.data ?? temporary ?? join('.trainyard', 'demo');
    return await run({ ...values, dataDir, port });
  } finally {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  }
}

interface DemoOptions {
  readonly headless: boolean;
  readonly realistic: boolean;
  readonly 'no-open': boolean;
  readonly dataDir: string;
  readonly port: number;
}

async function run(options: DemoOptions): Promise<number> {
  if ((await findInterpreter()) === undefined) {
    throw new Error(
      'The demo trains with Python, and there is no python3 here: install 3.9 or newer.',
    );
  }
  const appLines: string[] = [];
  let onTrouble: ((line: string) => void) | undefined;
  const sandbox = await startSandbox({
    dataDir: options.dataDir,
    port: options.port,
    app: true,
    realistic: options.realistic,
    onProgress: (waitingFor) => timeline.waitFor(waitingFor),
    onAppLine: (line) => {
      appLines.push(line);
      if (appLines.length > keptAppLines) appLines.shift();
      const trouble = readableAppLine(line);
      if (trouble !== undefined) onTrouble?.(trouble);
    },
  }).catch((error: unknown) => {
    throw new Error(`The demo cannot start: ${explainStart(error)}`, { cause: error });
  });
  try {
    if (!options.headless) {
      onTrouble = (trouble) => timeline.say(`app: ${trouble}`);
      return await interactive(sandbox.description, !options['no-open']);
    }
    const github = demoGitHub(sandbox.description);
    return await headless(sandbox.description, command, { github, timeline });
  } catch (error) {
    timeline.stop();
    if (appLines.length > 0) {
      const lines = appLines.map((line) => readableAppLine(line) ?? printable(line));
      process.stderr.write(`\nThe App's last lines:\n${lines.join('\n')}\n`);
    }
    throw error;
  } finally {
    await sandbox.close();
  }
}

/** Keeps the page up until Ctrl-C, and has main trained meanwhile. */
async function interactive(description: SandboxDescription, open: boolean): Promise<number> {
  const { github, app } = description;
  const url = `${github.web}/${github.repo}/pull/${github.pull}`;
  const api = demoGitHub(description);
  const say = (line: string): void => timeline.say(line);
  const stopping = new AbortController();
  const isStopping = new Promise<void>((resolve) => {
    // Not once: npm passes on a Ctrl-C that the terminal has sent already, and the second must not kill.
    process.on('SIGINT', resolve);
    process.on('SIGTERM', resolve);
  });
  const main = await beginWithMain(api, cloneUrl(github));
  say('ready');
  process.stdout.write(
    `\n  Open ${url}\n  and type ${command} into the comment box.\n\n` +
      `  Its code: git clone ${cloneUrl(github)}\n` +
      `  Dashboard: ${app.dashboard}\n  Stop with Ctrl-C.\n\n`,
  );
  if (open && process.stdout.isTTY && process.env['CI'] === undefined) openBrowser(url);
  const watching = [
    watchCards(api, say, stopping.signal),
    ...(main === undefined
      ? []
      : [untilTrained(api, main).then((check) => say(sayTrained(main, check)))]),
  ];
  for (const watch of watching) {
    watch.catch((error: unknown) => {
      if (!stopping.signal.aborted) say(`runs are not told of any more: ${messageOf(error)}`);
    });
  }
  await isStopping;
  stopping.abort();
  timeline.waitFor('stopping');
  return 0;
}

/** @returns main's commit that is being trained; undefined when it cannot be, which is said */
async function beginWithMain(github: DemoGitHub, url: string): Promise<string | undefined> {
  try {
    const sha = await pushForTraining(github, url);
    timeline.waitFor(`main ${sha.slice(0, 7)} (train_on_push): what runs are compared with`);
    await untilTraining(github, sha);
    return sha;
  } catch (error) {
    timeline.say(sayUntrained(error));
    return undefined;
  }
}

/** Best effort: the address is printed anyway, so a machine without a browser loses nothing. */
function openBrowser(url: string): void {
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(opener, [url], { stdio: 'ignore', detached: true });
  child.on('error', () => {
    timeline.say(`(no browser could be opened: ${opener} is missing)`);
  });
  child.unref();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage = error instanceof UsageError;
  const where = isUsage ? '\nSee npm run demo -- --help' : '';
  process.stderr.write(`${messageOf(error)}${where}\n`);
  process.exitCode = isUsage ? 2 : 1;
} finally {
  timeline.stop();
}
