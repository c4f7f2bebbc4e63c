/**
 * A GitHub for tests: the real server in a fresh directory, a receiver of its webhooks, the official clients
 * and git. Requests that GitHub would have refused as malformed fail the test that made them, unless it says
 * that it means to make them.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from '@jest/globals';
import { getOctokit } from '@actions/github';
import { ProbotOctokit } from 'probot';
import type { Person } from '../../../sandbox/github/seed.ts';
import {
  startGitHub,
  type GitHub,
  type GitHubOptions,
  type Violation,
} from '../../../sandbox/github/server.ts';
import { startReceiver, type Receiver } from './webhook-receiver.ts';

export const appId = 4242;
export const installationId = 7001;
const webhookSecret = 'a secret of thirty-two characters';
export const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

/** What the seeded repository holds: path → text; `→ target` is a symbolic link. */
export const files: Readonly<Record<string, string>> = {
  'README.md': '# Digits\n',
  'train.py': 'parser.add_argument("--lr", type=float, default=0.05)\n',
  'data/small.csv': 'x,y\n1,2\n',
  'data/umlaut ä #1.txt': 'Grüße\n',
  'link-to-file': '→ data/small.csv',
  'link-to-directory': '→ data',
  'link-out': '→ ../../etc/passwd',
  'link-absolute': '→ /etc/passwd',
};

export type Octokit = ReturnType<typeof getOctokit>;

export interface World {
  readonly github: GitHub;
  readonly dataDir: string;
  readonly receiver: Receiver;
  /** The official client with that person's token. */
  as(person: Person): Octokit;
  /** The official client with any token. */
  withToken(token: string): Octokit;
  /** The official client with the App's key: JSON web tokens. */
  readonly app: InstanceType<typeof ProbotOctokit>;
  /** The official client as the App's installation: fetches and uses a token. */
  readonly installation: InstanceType<typeof ProbotOctokit>;
  /** The kinds of the webhooks since the last call, once all have been answered. */
  takeEvents(): Promise<string[]>;
  /** The commit that the seeded pull request is at. */
  headOfPull(): Promise<string>;
  /** What the test means to do wrong: the violations since the last call. */
  takeViolations(): readonly Violation[];
  /** Stops this server and starts another one on the same directory, where something may happen meanwhile. */
  restart(meanwhile?: () => Promise<void>): Promise<void>;
  /** @throws when a violation was not taken */
  close(): Promise<void>;
}

export async function startWorld(
  options: { readonly private?: boolean; readonly onEvent?: GitHubOptions['onEvent'] } = {},
): Promise<World> {
  const { onEvent, ...seeded } = options;
  const directory = await mkdtemp(join(tmpdir(), 'trainyard-github-'));
  const dataDir = join(directory, 'data');
  const seed = join(directory, 'seed');
  await writeFiles(seed, files);
  const receiver = await startReceiver(webhookSecret);
  const start = (): Promise<GitHub> =>
    startGitHub({
      ...{ dataDir, port: 0 },
      app: { id: appId, slug: 'trainyard', publicKey },
      seed: { owner: 'acme', repo: 'digits', directory: seed, ...seeded },
      ...(onEvent === undefined ? {} : { onEvent }),
      webhook: { url: receiver.url, secret: webhookSecret },
    });
  let github = await start();
  let taken = 0;
  const withToken = (token: string): Octokit => getOctokit(token, { baseUrl: github.api });
  const untaken = (): readonly Violation[] => github.violations.slice(taken);
  const stop = async (): Promise<void> => {
    await github.close();
    expect(untaken()).toEqual([]);
    taken = 0;
  };
  return {
    get github() {
      return github;
    },
    dataDir,
    receiver,
    as: (person) => withToken(github.tokens[person]),
    withToken,
    get app() {
      return asApp(github.api, {});
    },
    get installation() {
      return asApp(github.api, { installationId });
    },
    takeEvents: async () => {
      await github.webhooksSettled();
      return receiver.take();
    },
    headOfPull: async () => {
      const pull = await withToken(github.tokens.reader).rest.pulls.get(pullOne);
      return pull.data.head.sha;
    },
    takeViolations: () => {
      const violations = untaken();
      taken += violations.length;
      return violations;
    },
    restart: async (meanwhile) => {
      await stop();
      await meanwhile?.();
      github = await start();
    },
    close: async () => {
      try {
        await stop();
      } finally {
        await receiver.close();
        await rm(directory, { recursive: true, force: true, maxRetries: 5 });
      }
    },
  };
}

function asApp(baseUrl: string, auth: object): InstanceType<typeof ProbotOctokit> {
  return new ProbotOctokit({
    auth: { appId, privateKey, ...auth },
    baseUrl,
    retry: { enabled: false },
    throttle: { enabled: false },
    // Refusals are what many tests are about.
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  });
}

function ignore(): void {
  // Nothing to say.
}

export async function writeFiles(
  directory: string,
  tree: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [path, text] of Object.entries(tree)) {
    const full = join(directory, path);
    await mkdir(dirname(full), { recursive: true });
    if (text.startsWith('→ ')) await symlink(text.slice(2), full);
    else await writeFile(full, text);
  }
}

/** The seeded repository, as the official clients name it. */
export const digits = { owner: 'acme', repo: 'digits' } as const;
export const pullOne = { ...digits, pull_number: 1 } as const;
export const issueOne = { ...digits, issue_number: 1 } as const;

/** What the official clients throw when the answer is no success. */
export interface Refusal {
  readonly status: number;
  readonly response: { readonly data: unknown };
}

/** Resolves to the status of a call, whatever it is. */
export async function statusOf(call: Promise<{ readonly status: number }>): Promise<number> {
  try {
    return (await call).status;
  } catch (error) {
    const { status } = error as Partial<Refusal>;
    if (status === undefined) throw error;
    return status;
  }
}
