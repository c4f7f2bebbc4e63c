/** Builds from end to end: a source in, real images and a log out. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { BuildStep } from '../../../sandbox/executor/executor.ts';
import { parseImageManifest } from '../../../sandbox/registry/manifest.ts';
import { zip } from './archives.ts';
import {
  build,
  directory,
  docker,
  executor,
  name,
  python,
  registry,
  run,
  step,
} from './executor-world.ts';

/** What the image's configuration says to a runtime. */
async function imageConfig(digest: string): Promise<Record<string, unknown>> {
  const manifest = await registry.getManifest(name, digest);
  const config = await registry.getBlob(parseImageManifest(manifest!.bytes).config.digest);
  return (JSON.parse(config!.toString()) as { config: Record<string, unknown> }).config;
}

describe('build', () => {
  it('makes the same image of the same source, and pushes it', async () => {
    const first = await build(python('print(1)'));
    const second = await build(python('print(1)'));
    expect(first.outcome).toMatchObject({ status: 'SUCCESS', images: [{ name: `${name}:v1` }] });
    expect(second.outcome.images).toEqual(first.outcome.images);
    const { digest } = first.outcome.images[0]!;
    expect((await registry.getManifest(name, 'v1'))?.digest).toBe(digest);
    expect(await imageConfig(digest)).toEqual({
      Env: ['FROM_IMAGE=1'],
      Entrypoint: ['python', 'main.py'],
      WorkingDir: '/app',
    });
    const other = await build(python('print(2)'));
    expect(other.outcome.images[0]!.digest).not.toBe(digest);
  });

  it('writes a log like Cloud Build, and says what it did not run', async () => {
    const { log } = await build({ ...python(''), Dockerfile: 'FROM scratch\nRUN make all\n' });
    expect(log).toMatch(/^Starting Step #0\n/);
    expect(log).toContain('Step #0: Step 2/2 : RUN make all\nStep #0:  ---> not run');
    expect(log).toMatch(/PUSH\nPushing .*\n.*digest: sha256:.*$/);
  });

  it('knows stages, arguments, targets and .dockerignore', async () => {
    const { outcome, log } = await build(
      {
        '.dockerignore': 'secret*\n!secret.public\n',
        secret: 'x',
        'secret.public': 'x',
        'sub/Dockerfile': [
          'ARG BASE=scratch',
          'FROM $BASE AS files',
          'COPY . /all/',
          'FROM files AS final',
          'ARG NAME=none',
          'ENV NAME=${NAME}',
          'COPY --from=files --chmod=755 /all/secret.public /app/',
          'CMD echo "$NAME"',
          'FROM files AS unused',
          'COPY nowhere .',
        ].join('\n'),
      },
      {
        steps: [
          {
            name: docker,
            env: ['NAME=given'],
            args: [
              ...['build', '--tag', `${name}:v1`, '-f', 'sub/Dockerfile', '--target=final'],
              ...['--build-arg', 'NAME', '--no-cache', '.'],
            ],
          },
        ],
      },
    );
    expect(log).toContain('Successfully built');
    expect(outcome.status).toBe('SUCCESS');
    expect(await imageConfig(outcome.images[0]!.digest)).toMatchObject({
      Env: ['NAME=given'],
      Cmd: ['/bin/sh', '-c', 'echo "$NAME"'],
    });
    const lines: string[] = [];
    const listing = await run({
      command: ['sh', '-c', 'ls /all /app'],
      log: (line) => lines.push(line),
    });
    expect(listing.exitCode).toBe(executor.mode.includes('namespaces') ? 0 : 2);
    if (listing.exitCode === 0) expect(lines).toContain('secret.public');
    expect(lines).not.toContain('secret');
  });

  it.each<[string, string, string]>([
    ['a missing source', 'FROM scratch\nCOPY none .', 'Dockerfile:2: COPY failed: file not found'],
    ['a source outside', 'FROM scratch\nCOPY ../../etc .', 'Dockerfile:2: COPY failed: forbidden'],
    ['an unknown instruction', 'FROM scratch\nCOYP . .', 'Dockerfile:2: unknown instruction: COYP'],
    ['an unknown stage', 'FROM scratch\nCOPY --from=x a b', 'Dockerfile:2: invalid from flag'],
    [
      'a download',
      'FROM scratch\nADD https://a.example/x .',
      'Dockerfile:2: ADD https://a.example',
    ],
    ['an empty base', 'FROM $NONE', 'Dockerfile:1: base name ($NONE) should not be blank'],
  ])('fails at %s, with file and line', async (_what, Dockerfile, message) => {
    const { outcome, log } = await build({ Dockerfile });
    expect(outcome).toMatchObject({
      status: 'FAILURE',
      failedStep: 0,
      failure: { type: 'USER_BUILD_STEP' },
    });
    expect(log).toContain(message);
    expect(outcome.failure!.detail).toContain(message);
  });

  it.each<[string, BuildStep, string]>([
    ['another builder', { name: 'bash', args: [], env: [] }, 'has no builder bash'],
    ['gcloud', { name: 'gcr.io/cloud-builders/gcloud', args: [], env: [] }, 'has no builder'],
    ['a script', { ...step(), script: 'echo' }, 'no script'],
    ['a shell', { ...step('-c', 'x'), entrypoint: 'bash' }, 'no bash'],
    ['docker run', step('run', 'x'), 'only docker build and docker push'],
    ['an unknown option', step('build', '--secret=x', '.'), "Unknown option '--secret'"],
    ['no context', step('build'), 'requires exactly 1 argument'],
    ['a context outside', step('build', '/etc'), 'only /workspace exists here'],
    ['a bad tag', step('build', '-t', 'A B', '.'), 'invalid reference format'],
    ['a push of nothing', step('push', name), 'An image does not exist locally'],
  ])('refuses %s', async (_what, wrong, message) => {
    const { outcome, log } = await build(python(''), { steps: [wrong], images: [] });
    expect(outcome.status).toBe('FAILURE');
    expect(log).toContain(message);
  });

  it('pushes in a step, under all of its tags', async () => {
    const steps = [
      step('build', '-t', `${name}:a`, '-t', `${name}:b`, '.'),
      step('push', '--all-tags', name),
    ];
    const { outcome } = await build(python(''), { steps, images: [] });
    expect(outcome).toEqual({ status: 'SUCCESS', images: [] });
    expect(await registry.listTags(name)).toEqual(expect.arrayContaining(['a', 'b']));
  });

  it('fails when an image to push was not built', async () => {
    const { outcome } = await build(python(''), { images: [`${name}:other`] });
    expect(outcome.failure?.type).toBe('PUSH_IMAGE_NOT_FOUND');
  });

  it('refuses a source that climbs out', async () => {
    const { outcome } = await build({ '../evil': 'x' });
    expect(outcome.failure?.type).toBe('FETCH_SOURCE_FAILED');
  });

  it('reads no Dockerfile without end', async () => {
    const { outcome } = await build({ Dockerfile: `FROM scratch\n#${'x'.repeat(2 ** 20)}` });
    expect(outcome).toMatchObject({ status: 'FAILURE', failedStep: 0 });
    expect(outcome.failure?.detail).toContain('no Dockerfile of more than 1048576 bytes');
  });

  it('takes its source as a zip archive too', async () => {
    const sourceArchive = join(directory, 'source.zip');
    const files = Object.entries(python('print(1)'));
    await writeFile(sourceArchive, zip(files.map(([name, content]) => ({ name, content }))));
    const outcome = await executor.build({
      ...{ id: 'b1', sourceArchive, images: [`${name}:v1`], log: () => undefined },
      steps: [step('build', '-t', `${name}:v1`, '.')],
      signal: new AbortController().signal,
    });
    const asTar = await build(python('print(1)'));
    expect(outcome).toEqual(asTar.outcome);
  });

  it('ends when it is cancelled', async () => {
    const { outcome } = await build(python(''), { signal: AbortSignal.abort() });
    expect(outcome.status).toBe('CANCELLED');
  });
});
