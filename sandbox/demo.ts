/**
 * `npm run demo`: the sandbox with its pull request page, ready for somebody to type `/train gpu=T4`.
 * With `--headless` it types the command itself, shows the run as a timeline, prints the final comment
 * and exits 0 only when the run succeeded and its check is green.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readableAppLine } from './app-line.ts';
import { findInterpreter } from './executor/interpreter.ts';
import { areFree } from './free-ports.ts';
import { printable, toTerminalText } from './terminal-text.ts';
import { cloneUrl, startSandbox, type Sandbox, type SandboxDescription } from './start.ts';

const help = `Try Trainyard on this machine, without any account.

  npm run demo                  opens a pull request; type /train gpu=T4 into its comment box
  npm run demo -- --headless    runs one /train gpu=T4 by itself and prints the final comment

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
/** Nothing is silent for longer than this while somebody waits. */
const silenceMs = 8_000;
/** Far above the half minute that the demo takes, so that a hang ends with a reason. */
const patienceMs = 180_000;
/** Of the App's log: what is shown when nothing comes of a run. */
const keptAppLines = 20;

interface Comment {
  readonly id: number;
  readonly body: string;
  readonly user: { readonly login: string };
}
interface CheckRun {
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly output: { readonly title: string | null };
}

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
  waitFor('looking for Python');
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
    onProgress: waitFor,
    onAppLine: (line) => {
      appLines.push(line);
      if (appLines.length > keptAppLines) appLines.shift();
      const trouble = readableAppLine(line);
      if (trouble !== undefined) onTrouble?.(trouble);
    },
  });
  try {
    if (!options.headless) {
      onTrouble = (trouble) => say(`app: ${trouble}`);
      return await interactive(sandbox.description, !options['no-open']);
    }
    return await headless(sandbox, appLines);
  } finally {
    await sandbox.close();
  }
}

const startedAt = Date.now();
let reminder: NodeJS.Timeout | undefined;

/** Says something once; nothing is being waited for. */
function say(text: string): void {
  clearTimeout(reminder);
  const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
  process.stdout.write(`${seconds.padStart(6)}s  ${printable(text)}\n`);
}

/** Says what is being waited for, and again while it lasts. */
function waitFor(what: string): void {
  say(what);
  const remind = (): void => waitFor(what.startsWith('still: ') ? what : `still: ${what}`);
  reminder = setTimeout(remind, silenceMs).unref();
}

/** Keeps the page up until Ctrl-C. */
async function interactive({ github, app }: SandboxDescription, open: boolean): Promise<number> {
  const url = `${github.web}/${github.repo}/pull/${github.pull}`;
  say('ready');
  process.stdout.write(
    `\n  Open ${url}\n  and type ${command} into the comment box.\n\n` +
      `  Its code: git clone ${cloneUrl(github)}\n` +
      `  Dashboard: ${app.dashboard}\n  Stop with Ctrl-C.\n\n`,
  );
  if (open && process.stdout.isTTY && process.env['CI'] === undefined) openBrowser(url);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  waitFor('stopping');
  return 0;
}

/** Best effort: the address is printed anyway, so a machine without a browser loses nothing. */
function openBrowser(url: string): void {
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(opener, [url], { stdio: 'ignore', detached: true });
  child.on('error', () => {
    say(`(no browser could be opened: ${opener} is missing)`);
  });
  child.unref();
}

async function headless(sandbox: Sandbox, appLines: readonly string[]): Promise<number> {
  const { github } = sandbox.description;
  const api = githubApi(github.api, github.tokens.owner);
  const issue = `/repos/${github.repo}/issues/${github.pull}`;
  const pull = await api<{ head: { sha: string } }>(`/repos/${github.repo}/pulls/${github.pull}`);
  const asked = await api<Comment>(`${issue}/comments`, { body: command });
  waitFor(`${command} on ${github.repo}#${github.pull} at ${pull.head.sha.slice(0, 7)}`);

  let lastTitle = '';
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    await pause(250);
    const comments = await api<Comment[]>(`${issue}/comments?per_page=100`);
    const { check_runs: checks } = await api<{ check_runs: CheckRun[] }>(
      `/repos/${github.repo}/commits/${pull.head.sha}/check-runs`,
    );
    const check = checks[0];
    const title = check?.output.title ?? '';
    if (title !== '' && title !== lastTitle) waitFor(title);
    lastTitle = title;
    const answer = comments.find(
      (comment) => comment.id > asked.id && comment.user.login !== 'olivia',
    );
    if (check === undefined && answer !== undefined && lastTitle === '' && isRefusal(answer.body)) {
      process.stdout.write(`\n${toTerminalText(answer.body)}\n`);
      return 1;
    }
    if (check?.status !== 'completed' || answer === undefined) continue;
    // The card is edited last; what people will find there is what we print.
    await pause(1_500);
    const final = await api<Comment>(`/repos/${github.repo}/issues/comments/${answer.id}`);
    return showEnd(check, final);
  }
  process.stderr.write(
    `\nNo result after ${patienceMs / 1_000} s. The App's last lines:\n${appLines
      .map((line) => readableAppLine(line) ?? printable(line))
      .join('\n')}\n`,
  );
  return 1;
}

function showEnd(check: CheckRun, card: Comment): number {
  const { conclusion, name, output } = check;
  const isGreen = conclusion === 'success';
  say(isGreen ? 'done' : `ended with ${conclusion ?? 'nothing'}`);
  process.stdout.write(`\n${toTerminalText(card.body)}\n\n`);
  const title = printable(output.title ?? '');
  if (isGreen) process.stdout.write(`The check "${printable(name)}" is green: ${title}\n`);
  else
    process.stderr.write(`The check "${printable(name)}" is ${conclusion ?? 'open'}: ${title}\n`);
  return isGreen ? 0 : 1;
}

function isRefusal(body: string): boolean {
  return body.includes('Not started');
}

/** GETs a path of the sandbox's GitHub API as the given user, or POSTs when there is a body. */
function githubApi(base: string, token: string) {
  return async <T>(path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${base}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
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
  clearTimeout(reminder);
}
