/**
 * The example's own cloudbuild.yaml, built for real: planned, sent by the official client, carried out by the
 * sandbox, and its image taken by digest.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createExecutor } from '../../sandbox/executor/executor.ts';
import { openRegistry, type Registry } from '../../sandbox/registry/registry.ts';
import { advance, newLogCursor, startRun } from '../../shared/flow.ts';
import { googlePorts } from '../../shared/google/index.ts';
import { planOwnBuild, type OwnBuildRequest } from '../../shared/plan/plan-own-build.ts';
import { systemClock } from '../../shared/ports.ts';
import { workingTree } from '../../shared/source/working-tree.ts';
import type { Run } from '../../shared/watch/run.ts';
import { startWorld, type World } from '../sandbox/google/world.ts';
import { plan } from '../shared/world.ts';

const example = join(import.meta.dirname, '../../examples/digits');
const repository = 'us-central1-docker.pkg.dev/demo-project/trainyard';

let directory: string;
let registry: Registry;
let google: World;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'own-build-'));
  registry = await openRegistry({ dataDir: join(directory, 'registry') });
  const executor = await createExecutor({ dataDir: join(directory, 'executor'), registry });
  google = await startWorld({ dataDir: join(directory, 'google'), executor, registry });
  const parent = 'projects/demo-project/locations/us-central1';
  await google.call('POST', '/storage/v1/b?project=demo-project', {
    name: 'demo-project_cloudbuild',
  });
  const format = { format: 'DOCKER' };
  await google.call('POST', `/v1/${parent}/repositories?repositoryId=trainyard`, format);
});
afterAll(async () => {
  await google.close();
  await rm(directory, { recursive: true, force: true });
});

/** Runs until the image is known, or the run ends without one. */
async function build(
  runId: string,
  text: string,
  asked: Partial<OwnBuildRequest> = {},
): Promise<Run> {
  const { dockerfile: _, imageName: __, ...place } = plan.build;
  const request = { path: 'cloudbuild.yaml', text, ...asked };
  const answer = planOwnBuild(request, {
    ...{ tier: 'base', authority: 'workflow', subject: plan.subject },
    ...{ project: 'demo-project', place },
  });
  if (answer.kind === 'rejected') throw new Error(answer.message);
  const ports = {
    ...googlePorts({ endpoint: google.endpoint }),
    clock: systemClock,
    logCursor: newLogCursor(),
    source: () => Promise.resolve(workingTree(example)),
    save: () => Promise.resolve(),
  };
  let run = startRun({ ...plan, runId, build: answer.build }, new Date());
  for (;;) {
    const options = { settleMs: 5_000, pollMs: 50, drainMs: 500, until: 'image' } as const;
    const looked = await advance(run, ports, options);
    run = looked.run;
    if (looked.waitMs === undefined) return run;
    await systemClock.sleep(looked.waitMs);
  }
}

it('is built as it stands, once', async () => {
  const text = await readFile(join(example, 'cloudbuild.yaml'), 'utf8');
  const first = await build('firstrun', text);
  expect(first.end).toBeUndefined();
  const [record] = await registry.listImages(`${repository}/digits`);
  expect(first.image).toBe(`${repository}/digits@${record?.digest ?? ''}`);
  expect(record?.tags).toEqual([first.build?.snapshot?.id]);
  const second = await build('nextrun2', text);
  expect(second.reused?.build).toBe(first.build?.name);
  expect(second.image).toBe(first.image);
  const renamed = await build('nextrun3', text, { substitutions: { _IMAGE_NAME: 'mnist' } });
  expect(renamed.reused).toBeUndefined();
  expect(renamed.image).toMatch(`${repository}/mnist@sha256:`);
});

it('may push inside its steps: what the tag stands for is asked for', async () => {
  const text = `
steps:
  - name: gcr.io/cloud-builders/docker
    args: [build, -t, '${repository}/pushed:$BUILD_ID', --build-arg, 'SHA=$SHORT_SHA', .]
  - name: gcr.io/cloud-builders/docker
    args: [push, '${repository}/pushed:$BUILD_ID']
`;
  const run = await build('pushrun2', text);
  expect(run.end).toBeUndefined();
  const [record] = await registry.listImages(`${repository}/pushed`);
  expect(run.build?.snapshot?.images).toEqual([]);
  expect(run.image).toBe(`${repository}/pushed@${record?.digest ?? ''}`);
  // The log is ours to show, because the file says nothing of it.
  expect(run.logTail?.join('\n')).toContain('The push refers to repository');
});
