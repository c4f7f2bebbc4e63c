/**
 * A registry, an executor and what tests ask of them, in a directory of the test file's own: files in, images
 * and the ends of jobs out.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import {
  createExecutor,
  type BuildOutcome,
  type BuildStep,
  type Executor,
  type JobExecution,
  type JobOutcome,
} from '../../../sandbox/executor/executor.ts';
import { findInterpreter } from '../../../sandbox/executor/interpreter.ts';
import { probeIsolation } from '../../../sandbox/executor/isolation.ts';
import { openRegistry } from '../../../sandbox/registry/registry.ts';
import { archive, filesOf } from './archives.ts';

export const name = 'us-central1-docker.pkg.dev/demo-project/trainyard/t';
export const docker = 'gcr.io/cloud-builders/docker';

export const directory = await mkdtemp(join(tmpdir(), 'executor-test-'));
export const registry = await openRegistry({ dataDir: join(directory, 'registry') });
export const executor = await createExecutor({ dataDir: join(directory, 'executor'), registry });
afterAll(() => rm(directory, { recursive: true, force: true }));

export function step(...args: string[]): BuildStep {
  return { name: docker, args, env: [] };
}

interface Built {
  readonly outcome: BuildOutcome;
  readonly log: string;
}

export async function build(
  files: Readonly<Record<string, string>>,
  options: { steps?: BuildStep[]; images?: string[]; signal?: AbortSignal } = {},
): Promise<Built> {
  const sourceArchive = join(directory, 'source.tgz');
  await writeFile(sourceArchive, await archive(filesOf(files)));
  const lines: string[] = [];
  const outcome = await executor.build({
    id: 'b1',
    sourceArchive,
    steps: options.steps ?? [step('build', '-t', `${name}:v1`, '.')],
    images: options.images ?? [`${name}:v1`],
    log: (line) => lines.push(line),
    signal: options.signal ?? new AbortController().signal,
  });
  return { outcome, log: lines.join('\n') };
}

export const python = (script: string): Record<string, string> => ({
  Dockerfile:
    'FROM python:3\nENV FROM_IMAGE=1\nWORKDIR /app\nCOPY . .\nENTRYPOINT ["python", "main.py"]\n',
  'main.py': script,
});

export async function run(
  job: Partial<JobExecution>,
  by: Executor = executor,
): Promise<JobOutcome> {
  return by.run({
    id: 'j1',
    image: `${name}:v1`,
    command: [],
    args: [],
    env: {},
    mounts: {},
    log: () => undefined,
    signal: new AbortController().signal,
    ...job,
  });
}

/** Undefined, and said so, where this machine cannot do it. */
export async function executorWith(
  isolation: 'namespaces' | 'plain',
  { dataDir = join(directory, isolation), graceMs = 300 } = {},
): Promise<Executor | undefined> {
  await mkdir(dataDir);
  const can = isolation === 'plain' || (await probeIsolation(dataDir, await findInterpreter()));
  if (can) return createExecutor({ dataDir, registry, isolation, graceMs });
  console.warn(`skipped: no ${isolation} on this machine`);
  return undefined;
}
