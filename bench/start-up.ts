/**
 * Start-up: from the start of the process to the request that creates a CustomJob, beside `gcloud ai custom-jobs
 * create` with the same config at the same local service. Unchanged source: a whole step that builds nothing,
 * since an image of just that source exists.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { action } from './action.ts';
import { alternate } from './alternate.ts';
import { timeToEnd, timeToRequest, type Command } from './command.ts';
import { findGcloud, gcloudEnvironment } from './gcloud.ts';
import { inMilliseconds, type Row } from './row.ts';

const rounds = 9;
const example = join(dirname(fileURLToPath(import.meta.url)), '..', 'examples', 'digits');
const config = 'config_cpu.yaml';
/** Finished: nothing is to be built. */
const image = 'us-central1-docker.pkg.dev/demo-project/trainyard/digits:v1';

export async function benchStartUp(endpoint: string): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'trainyard-bench-'));
  try {
    const workspace = join(directory, 'digits');
    cpSync(example, workspace, { recursive: true });
    const emptyNode: Command = { command: [process.execPath, '-e', '0'], env: {} };
    const launch = action({ workspace, endpoint, inputs: { command: 'train', image, config } });
    const dryRun = action({ workspace, endpoint, inputs: { image, config, dry_run: 'true' } });
    const build = action({ workspace, endpoint, inputs: { command: 'build' } });
    // The round that is not counted builds the image for the others.
    const { empty, dry, own, unchanged } = await alternate(rounds, {
      empty: () => timeToEnd(emptyNode),
      dry: () => timeToEnd(dryRun),
      own: () => timeToCreateJob(launch),
      unchanged: () => timeToEnd(build),
    });
    return [
      { what: 'empty Node', measured: inMilliseconds(empty), note: '(reference)' },
      row('dry run, start to end', dry, { value: dry / empty, of: 'empty Node' }),
      row('start-up to createCustomJob', own, { value: own / empty, of: 'empty Node' }),
      ...(await besideGcloud(launch, gcloudCreate(directory, workspace, endpoint))),
      row('unchanged source, whole step', unchanged, {
        value: unchanged / own,
        of: 'start-up',
        atMost: 2,
      }),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function besideGcloud(launch: Command, gcloud: Command | undefined): Promise<Row[]> {
  const what = 'start-up beside gcloud ai custom-jobs';
  if (gcloud === undefined) return [{ what, measured: 'skipped: gcloud is not installed' }];
  const { own, theirs } = await alternate(rounds, {
    own: () => timeToCreateJob(launch),
    theirs: () => timeToCreateJob(gcloud),
  });
  return [
    row('gcloud ai custom-jobs create', theirs, undefined, '(reference)'),
    row(what, own, { value: own / theirs, of: 'gcloud', atMost: 0.25 }),
  ];
}

function gcloudCreate(home: string, workspace: string, endpoint: string): Command | undefined {
  const gcloud = findGcloud();
  if (gcloud === undefined) return undefined;
  const flags = ['--region=us-central1', '--display-name=bench', `--config=${config}`];
  return {
    command: [gcloud, 'ai', 'custom-jobs', 'create', ...flags],
    env: gcloudEnvironment(home, endpoint),
    cwd: workspace,
  };
}

async function timeToCreateJob(command: Command): Promise<number> {
  return (await timeToRequest(command, isCreateJob)).milliseconds;
}

function isCreateJob({ method, url }: IncomingMessage): boolean {
  return method === 'POST' && /\/customJobs(\?|$)/.test(url ?? '');
}

function row(what: string, ms: number, ratio?: Row['ratio'], note?: string): Row {
  return {
    what,
    measured: inMilliseconds(ms),
    ...(ratio === undefined ? {} : { ratio }),
    ...(note === undefined ? {} : { note }),
  };
}
