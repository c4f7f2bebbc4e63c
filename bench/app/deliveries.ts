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
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { appEnvironment, startAppProcess } from '../../test/app/app-process.ts';
import { commentCreated, deliver, headersOf } from '../../test/app/deliveries.ts';
import { FakeGitHub, repositoryId } from '../../test/app/fake-github.ts';
import { inMilliseconds, type Row } from '../row.ts';
import type { Databases } from './databases.ts';

const deliveries = 2_000;
const atOnce = 32;
const rounds = 3;
const comments = 30;
/** As large as GitHub's usually are. */
const padding = 'x'.repeat(10_000);

interface Throughput {
  readonly perSecond: number;
  readonly p99Ms: number;
}

interface Receiver {
  readonly url: string;
  stop(): Promise<void>;
}

/** Sends comments without a command: what is acknowledged, not what is done about it afterwards. */
async function flood(url: string, count: number): Promise<Throughput> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const github = new FakeGitHub();
  const times: number[] = [];
  let sent = 0;
  const sendOn = async (): Promise<void> => {
    while (sent++ < count) {
      const comment = github.comment(`Looks good. ${padding}`, 'olivia', new Date());
      const startedAt = performance.now();
      await post(agent, url, JSON.stringify(commentCreated(comment)));
      times.push(performance.now() - startedAt);
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: atOnce }, sendOn));
  const seconds = (performance.now() - startedAt) / 1_000;
  agent.destroy();
  return { perSecond: count / seconds, p99Ms: percentile(times, 0.99) };
}

async function post(agent: Agent, url: string, body: string): Promise<void> {
  const outgoing = request(`${url}/webhooks/github`, {
    ...{ method: 'POST', agent },
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
    const bare = (): Promise<Receiver> => startBareProbot({ ...environment, ...databases.next() });
    const acknowledged = await compare(start, bare);
    const app = await start();
    const reactions = await benchReactions(app, github).finally(() => app.stop());
    return [...acknowledged, ...reactions];
  } finally {
    await github.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function compare(
  startApp: () => Promise<Receiver>,
  startBare: () => Promise<Receiver>,
): Promise<Row[]> {
  const measure = async (start: () => Promise<Receiver>): Promise<Throughput> => {
    const receiver = await start();
    try {
      // Both have just started, and code that never ran is slow.
      await flood(receiver.url, deliveries / 2);
      return await flood(receiver.url, deliveries);
    } finally {
      await receiver.stop();
    }
  };
  const own: Throughput[] = [];
  const reference: Throughput[] = [];
  for (let round = 0; round < rounds; round++) {
    reference.push(await measure(startBare));
    own.push(await measure(startApp));
  }
  const middle = (all: readonly Throughput[], key: keyof Throughput): number =>
    percentile(
      all.map((one) => one[key]),
      0.5,
    );
  const [ours, theirs] = [own, reference].map((all) => ({
    perSecond: middle(all, 'perSecond'),
    p99Ms: middle(all, 'p99Ms'),
  })) as [Throughput, Throughput];
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

async function benchReactions(app: Receiver, github: FakeGitHub): Promise<Row[]> {
  github.files = {
    '.github/trainyard.yml': 'config: config.yaml\n',
    'config.yaml': JSON.stringify({
      workerPoolSpecs: [
        {
          ...{ machineSpec: { machineType: 'n1-standard-8' }, replicaCount: 1 },
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
