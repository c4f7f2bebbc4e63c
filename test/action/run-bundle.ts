/** Runs dist/index.js as a runner would, in a clean environment; what it printed, set and saved comes back. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface StepResult {
  readonly code: number | null;
  /** The commit that the step was about. */
  readonly sha: string;
  readonly output: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly summary: string;
}

const root = join(import.meta.dirname, '../..');

export const jobConfig = `workerPoolSpecs:
  machineSpec:
    machineType: n1-standard-4
  replicaCount: 1
  containerSpec:
    imageUri: $IMAGE
`;

/** A checked-out repository with these files; removed by `dispose`. */
export function makeWorkspace(files: Readonly<Record<string, string>>): {
  readonly path: string;
  readonly dispose: () => void;
} {
  const path = mkdtempSync(join(tmpdir(), 'trainyard-step-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return { path, dispose: () => rmSync(path, { recursive: true, force: true }) };
}

/** A signal that is sent once the step has printed this, or this has come to pass. */
export interface Interruption {
  readonly at: string | RegExp | Promise<unknown>;
  readonly signal: NodeJS.Signals;
}

export async function runBundle(
  env: Readonly<Record<string, string>>,
  interruption?: Interruption,
): Promise<StepResult> {
  const directory = mkdtempSync(join(tmpdir(), 'trainyard-runner-'));
  const file = (name: string): string => join(directory, name);
  for (const name of ['output', 'state', 'summary']) writeFileSync(file(name), '');
  const repository = { id: 1001, default_branch: 'main' };
  writeFileSync(file('event.json'), JSON.stringify({ repository }));
  const workspace = env['GITHUB_WORKSPACE'];
  const sha = env['GITHUB_SHA'] ?? (workspace === undefined ? noCommit : checkedOut(workspace));
  try {
    const child = spawn(process.execPath, [join(root, 'dist/index.js')], {
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: directory,
        GITHUB_ACTIONS: 'true',
        GITHUB_EVENT_NAME: 'push',
        GITHUB_EVENT_PATH: file('event.json'),
        GITHUB_REF: 'refs/heads/main',
        GITHUB_OUTPUT: file('output'),
        GITHUB_STATE: file('state'),
        GITHUB_STEP_SUMMARY: file('summary'),
        GITHUB_REPOSITORY: 'acme/digits',
        GITHUB_REPOSITORY_ID: '1001',
        GITHUB_ACTOR: 'wes',
        GITHUB_ACTOR_ID: '2',
        GITHUB_SHA: sha,
        METADATA_SERVER_DETECTION: 'none',
        ...env,
      },
    });
    let output = '';
    const sent: NodeJS.Signals[] = [];
    const interrupt = (signal: NodeJS.Signals): void => {
      if (sent.length > 0) return;
      sent.push(signal);
      child.kill(signal);
    };
    if (interruption?.at instanceof Promise) {
      void interruption.at.then(() => interrupt(interruption.signal));
    }
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
      if (interruption === undefined || interruption.at instanceof Promise) return;
      if (output.search(interruption.at) !== -1) interrupt(interruption.signal);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const [code] = (await once(child, 'close')) as [number | null];
    if (interruption !== undefined && sent.length === 0) {
      throw new Error(`the step ended before it could be interrupted:\n${output}`);
    }
    return {
      code,
      sha,
      output,
      outputs: readCommandFile(file('output')),
      state: readCommandFile(file('state')),
      summary: readFileSync(file('summary'), 'utf8'),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const noCommit = 'c0ffee'.repeat(7).slice(0, 40);

/** The workspace as actions/checkout leaves it: a commit of everything that lies in it. */
function checkedOut(workspace: string): string {
  const git = (...args: string[]): string => {
    const who = ['-c', 'user.name=wes', '-c', 'user.email=wes@example.com'];
    return execFileSync('git', ['-C', workspace, ...who, ...args], { encoding: 'utf8' }).trim();
  };
  if (!existsSync(join(workspace, '.git'))) {
    git('init', '-q');
    git('add', '--all', '--force');
    git('commit', '-q', '--allow-empty', '-m', 'as checked out');
  }
  return git('rev-parse', 'HEAD');
}

/** `name<<DELIMITER`, lines, `DELIMITER`; the newest value of a name wins. */
function readCommandFile(path: string): Record<string, string> {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const pairs = [...text.matchAll(/^(.+?)<<(ghadelimiter_\S+)\n([^]*?)\n\2$/gm)];
  return Object.fromEntries(pairs.map(([, name, , value]) => [name!, value!]));
}
