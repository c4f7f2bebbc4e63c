/**
 * Packing and uploading a build context: 5,000 small files and 100 MB that do not compress, from the start of
 * the process to the request that creates the build, beside `gcloud builds submit` doing the same against the
 * same local Cloud Storage. And what memory it takes, for a small context and one of 5 GB.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { action } from './action.ts';
import { alternate } from './alternate.ts';
import { timeToRequest, type Command, type Reached } from './command.ts';
import { findGcloud, gcloudEnvironment } from './gcloud.ts';
import { inMegabytes, inMilliseconds, type Row } from './row.ts';

const rounds = 3;
const mega = 1_000_000;

export async function benchUpload(
  endpoint: string,
  options: { readonly large: boolean },
): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'trainyard-bench-'));
  const context = join(directory, 'context');
  try {
    const build = action({ workspace: context, endpoint, inputs: { command: 'build' } });
    const rows = await compare(context, build, gcloudSubmit(directory, context, endpoint));
    return options.large ? [...rows, ...(await memory(context, build))] : rows;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function gcloudSubmit(home: string, context: string, endpoint: string): Command | undefined {
  const gcloud = findGcloud();
  if (gcloud === undefined) return undefined;
  const image = 'us-central1-docker.pkg.dev/demo-project/trainyard/bench:v1';
  return {
    command: [gcloud, 'builds', 'submit', '--async', `--tag=${image}`, context],
    env: gcloudEnvironment(home, endpoint),
    cwd: context,
  };
}

async function compare(
  context: string,
  build: Command,
  gcloud: Command | undefined,
): Promise<Row[]> {
  const what = 'pack and upload 5,000 files + 100 MB';
  const own = async (): Promise<number> => {
    // New content each time: a context that was uploaded before is not uploaded again.
    writeContext(context, 5_000, 100 * mega);
    return (await timeToCreateBuild(build)).milliseconds;
  };
  if (gcloud === undefined) {
    const taken = await alternate(rounds, { own });
    const note = '(gcloud is not installed: no reference)';
    return [{ what, measured: inMilliseconds(taken.own), note }];
  }
  const taken = await alternate(rounds, {
    own,
    theirs: async () => (await timeToCreateBuild(gcloud)).milliseconds,
  });
  return [
    {
      what: 'gcloud builds submit',
      measured: inMilliseconds(taken.theirs),
      note: '(reference)',
    },
    {
      what,
      measured: inMilliseconds(taken.own),
      ratio: { value: taken.own / taken.theirs, of: 'gcloud', atMost: 0.4 },
    },
  ];
}

async function memory(context: string, build: Command): Promise<Row[]> {
  writeContext(context, 0, 5 * mega);
  const small = await timeToCreateBuild(build);
  // Holes read as zeros: the bytes are hashed and packed all the same.
  truncateSync(join(context, 'data.bin'), 5_000 * mega);
  const large = await timeToCreateBuild(build);
  const more = large.peakBytes - small.peakBytes;
  return [
    { what: 'peak memory, 5 MB context', measured: inMegabytes(small.peakBytes) },
    {
      what: 'peak memory, 5 GB context',
      measured: inMegabytes(large.peakBytes),
      target: { text: `at most 50 MB more: ${inMegabytes(more)}`, isMet: more <= 50 * mega },
    },
  ];
}

function timeToCreateBuild(command: Command): Promise<Reached> {
  return timeToRequest(command, isCreateBuild);
}

function isCreateBuild({ method, url }: IncomingMessage): boolean {
  return method === 'POST' && /\/builds(\?|$)/.test(url ?? '');
}

function writeContext(directory: string, smallFiles: number, bytes: number): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'Dockerfile'), 'FROM scratch\n');
  for (let at = 0; at < smallFiles; at++) {
    const folder = join(directory, `part-${at % 50}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, `${at}.py`),
      `value = ${at}  # ${randomBytes(64).toString('hex')}\n`,
    );
  }
  writeFileSync(join(directory, 'data.bin'), randomBytes(bytes));
}
