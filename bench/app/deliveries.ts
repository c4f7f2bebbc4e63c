/**
 * How many deliveries are acknowledged in a second, and how long the slowest hundredth takes, beside a bare Probot
 * that only inserts them into the same kind of store; and how long somebody waits for the reaction to a comment.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { appEnvironment, startAppProcess } from '../../test/app/app-process.ts';
import { commentCreated, deliver, headersOf } from '../../test/app/deliveries.ts';
import { FakeGitHub, repositoryId } from '../../test/app/fake-github.ts';
import { inMilliseconds, type Row } from '../row.ts';
import type { Databases } from './databases.ts';

const deliveries = 400;
const atOnce = 32;
const rounds = 24;
/** Rounds that do not count: both have just started, and code that never ran is slow. */
const warmUps = 6;
const comments = 30;
interface Examples {
  readonly name: string;
  readonly examples: readonly { readonly action: string }[];
}
/**
 * A comment as GitHub sends it, with all that nobody reads: 13 kB.
 * @see https://github.com/octokit/webhooks/tree/main/payload-examples
 */
const chat = JSON.stringify(
  (createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly Examples[])
    .find(({ name }) => name === 'issue_comment')
    ?.examples.find(({ action }) => action === 'created'),
);

interface Throughput {
  readonly perSecond: number;
  readonly p99Ms: number;
}

interface Receiver {
  readonly url: string;
  stop(): Promise<void>;
}

/** A comment without a command: what is acknowledged is measured, not what is done about it afterwards. */
async function flood(url: string): Promise<Throughput> {
  let left = deliveries;
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const times: number[] = [];
  const sendOn = async (): Promise<void> => {
    while (left-- > 0) {
      const startedAt = performance.now();
      await post(agent, url, chat);
      times.push(performance.now() - startedAt);
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: atOnce }, sendOn));
  const seconds = (performance.now() - startedAt) / 1_000;
  agent.destroy();
  return { perSecond: deliveries / seconds, p99Ms: percentile(times, 0.99) };
}

async function post(agent: Agent, url: string, body: string): Promise<void> {
  const outgoing = request(`${url}/webhooks/github`, {
    method: 'POST',
    agent,
    headers: { ...headersOf(body), 'content-length': Buffer.byteLength(body) },
  });
  outgoing.end(body);
  const [answer] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  if ((answer.statusCode ?? 500) >= 300) throw new Error(`answered ${String(answer.statusCode)}`);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

async function startBareProbot(environment: Readonly<Record<string, string>>): Promise<Receiver> {
  const program = join(dirname(fileURLToPath(import.meta.url)), 'bare-probot.ts');
  const child = spawn(process.execPath, [program], {
    env: { ...appEnvironment, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    url,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Rows for `npm run bench -- --app`. */
export async function benchDeliveries(databases: Databases): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'trainyard-bench-app-'));
  const github = new FakeGitHub();
  try {
    const config = join(directory, 'trainyard.yml');
    writeFileSync(
      config,
      `owner: bench\nrepositories:\n  "${repositoryId}": { project: demo-project }\n`,
    );
    const environment = {
      GITHUB_API_URL: await github.start(),
      TRAINYARD_CONFIG: config,
      TRAINYARD_GOOGLE_ENDPOINT: 'http://127.0.0.1:9',
    };
    const start = async (): Promise<Receiver> => {
      const app = await startAppProcess({ ...environment, ...databases.next() });
      return { url: app.url, stop: () => app.kill('SIGKILL') };
    };
    const app = await start();
    const acknowledged = await startBareProbot({ ...environment, ...databases.next() }).then(
      (bare) => compare(app.url, bare.url).finally(() => bare.stop()),
    );
    const reactions = await benchReactions(app, github).finally(() => app.stop());
    return [...acknowledged, ...reactions];
  } finally {
    await github.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Both run at once and are sent to in turn, in short rounds, so that what else the machine does meets both; each
 * round begins with the other one.
 */
async function compare(app: string, bare: string): Promise<Row[]> {
  const own: Throughput[] = [];
  const reference: Throughput[] = [];
  for (let round = -warmUps; round < rounds; round++) {
    const turns = [
      async () => own.push(await flood(app)),
      async () => reference.push(await flood(bare)),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
  }
  const [ours, theirs] = [own, reference].map((all) => medianOf(all.slice(warmUps))) as [
    Throughput,
    Throughput,
  ];
  const of = 'a bare Probot';
  const share = ours.perSecond / theirs.perSecond;
  return [
    { what: 'bare Probot, deliveries a second', measured: theirs.perSecond.toFixed(0) },
    {
      what: 'deliveries acknowledged a second',
      measured: ours.perSecond.toFixed(0),
      ratio: { value: share, of },
      target: { text: 'at least 0.9', isMet: share >= 0.9 },
    },
    { what: 'bare Probot, slowest hundredth', measured: inMilliseconds(theirs.p99Ms) },
    {
      what: 'slowest hundredth',
      measured: inMilliseconds(ours.p99Ms),
      ratio: { value: ours.p99Ms / theirs.p99Ms, of, atMost: 1.1 },
    },
  ];
}

function medianOf(all: readonly Throughput[]): Throughput {
  const median = (key: keyof Throughput): number =>
    percentile(
      all.map((one) => one[key]),
      0.5,
    );
  return { perSecond: median('perSecond'), p99Ms: median('p99Ms') };
}

async function benchReactions(app: Receiver, github: FakeGitHub): Promise<Row[]> {
  github.files = {
    '.github/trainyard.yml': 'config: config.yaml\n',
    'config.yaml': JSON.stringify({
      workerPoolSpecs: [
        {
          machineSpec: { machineType: 'n1-standard-8' },
          replicaCount: 1,
          containerSpec: { imageUri: '$IMAGE' },
        },
      ],
    }),
    Dockerfile: 'FROM scratch\n',
  };
  const times: number[] = [];
  for (let at = 0; at < comments; at++) {
    // A dry run: what happens until the reaction is the same, and nothing is trained.
    const comment = github.comment('/train gpu=T4 dry-run', 'olivia', new Date());
    const startedAt = performance.now();
    await deliver(app.url, commentCreated(comment));
    while (!github.reactions.some((one) => one.commentId === comment.id)) {
      if (performance.now() - startedAt > 10_000) throw new Error('no reaction in ten seconds');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    times.push(performance.now() - startedAt);
  }
  const median = percentile(times, 0.5);
  const slow = percentile(times, 0.95);
  return [
    {
      what: 'from comment to 👀',
      measured: inMilliseconds(median),
      target: { text: 'under 1 s', isMet: slow < 1_000 },
      note: `(one in twenty takes ${inMilliseconds(slow)} or more)`,
    },
  ];
}
