/** Builds and jobs from end to end: real images, real child processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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
import { parseImageManifest } from '../../../sandbox/registry/manifest.ts';
import { openRegistry, type Registry } from '../../../sandbox/registry/registry.ts';
import { archive, filesOf, zip } from './archives.ts';

const name = 'us-central1-docker.pkg.dev/demo-project/trainyard/t';
const docker = 'gcr.io/cloud-builders/docker';

let directory: string;
let registry: Registry;
let executor: Executor;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'executor-test-'));
  registry = await openRegistry({ dataDir: join(directory, 'registry') });
  executor = await createExecutor({ dataDir: join(directory, 'executor'), registry });
});

afterAll(() => rm(directory, { recursive: true, force: true }));

function step(...args: string[]): BuildStep {
  return { name: docker, args, env: [] };
}

interface Built {
  readonly outcome: BuildOutcome;
  readonly log: string;
}

async function build(
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

const python = (script: string): Record<string, string> => ({
  Dockerfile:
    'FROM python:3\nENV FROM_IMAGE=1\nWORKDIR /app\nCOPY . .\nENTRYPOINT ["python", "main.py"]\n',
  'main.py': script,
});

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

async function run(job: Partial<JobExecution>, by = executor): Promise<JobOutcome> {
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

/** Whether a number that something keeps raising stops rising. */
async function becomesStill(read: () => Promise<number>): Promise<boolean> {
  for (let attempt = 0; attempt < 25; attempt++) {
    const before = await read();
    await new Promise((resolve) => setTimeout(resolve, 200));
    if ((await read()) === before) return true;
  }
  return false;
}

const isolations = ['namespaces', 'plain'] as const;

const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/** The manifest of an image of one layer with these entries. */
async function imageOf(entries: Parameters<typeof archive>[0]): Promise<Buffer> {
  const layer = await registry.putBlob(await archive(entries));
  const config = await registry.putBlob(Buffer.from('{"config":{}}'));
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...layer }],
    }),
  );
}

describe.each(isolations)('run (%s)', (isolation) => {
  let host: Executor | undefined;

  beforeAll(async () => {
    const dataDir = join(directory, isolation);
    await mkdir(dataDir);
    const can = isolation === 'plain' || (await probeIsolation(dataDir, await findInterpreter()));
    if (can) host = await createExecutor({ dataDir, registry, isolation, graceMs: 300 });
  });

  /** Tests of what this machine cannot do say so and pass. */
  const ifPossible = (test: (by: Executor) => Promise<void>) => async (): Promise<void> => {
    if (host === undefined) console.warn(`skipped: no ${isolation} on this machine`);
    else await test(host);
  };

  it(
    'runs the image with its arguments and environment, and gives back files and exit code',
    ifPossible(async (by) => {
      await build(
        python(
          [
            'import json, os, sys',
            'root = os.environ.get("TRAINYARD_GCS_ROOT", "/gcs")',
            'open(root + "/bkt/x", "w").write("written")',
            'print(json.dumps([sys.argv[1:], dict(os.environ), os.path.basename(os.getcwd())]))',
            'print("to stderr", file=sys.stderr)',
            'sys.exit(3)',
          ].join('\n'),
        ),
      );
      const bucket = await mkdtemp(join(directory, 'bucket-'));
      process.env['SECRET_OF_THE_HOST'] = 'leak';
      const out: [string, string][] = [];
      const outcome = await run(
        {
          args: ['--lr', "it's; $(touch evil)"],
          env: { A: "'quoted' $B\nline" },
          mounts: { bkt: bucket },
          log: (line, stream) => out.push([stream, line]),
        },
        by,
      );
      delete process.env['SECRET_OF_THE_HOST'];
      expect(outcome).toEqual({ exitCode: 3, signal: null });
      expect(await readFile(join(bucket, 'x'), 'utf8')).toBe('written');
      expect(out).toContainEqual(['stderr', 'to stderr']);
      const printed = out.find(([stream]) => stream === 'stdout')?.[1] ?? '';
      const [args, env, cwd] = JSON.parse(printed) as [string[], Record<string, string>, string];
      expect(args).toEqual(['--lr', "it's; $(touch evil)"]);
      expect(cwd).toBe('app');
      expect(env).toMatchObject({ A: "'quoted' $B\nline", FROM_IMAGE: '1' });
      const expected = ['A', 'FROM_IMAGE', 'LC_CTYPE', 'PATH', 'PWD', 'TRAINYARD_GCS_ROOT'];
      expect(expected).toEqual(expect.arrayContaining(Object.keys(env)));
      expect(await readdir(join(directory, isolation, 'scratch'))).toEqual([]);
    }),
  );

  it(
    'kills what a cancelled job started, even what ignores SIGTERM',
    ifPossible(async (by) => {
      const bucket = await mkdtemp(join(directory, 'bucket-'));
      await build(
        python(
          [
            'import os, signal, subprocess, sys, time',
            'signal.signal(signal.SIGTERM, signal.SIG_IGN)',
            'beat = os.environ.get("TRAINYARD_GCS_ROOT", "/gcs") + "/bkt/beat"',
            'code = "import sys, time\\nwhile True: open(sys.argv[1], \\"a\\").write(\\"x\\"); time.sleep(0.02)"',
            'subprocess.Popen([sys.executable, "-c", code, beat])',
            'while not os.path.exists(beat): time.sleep(0.02)',
            'print("up", flush=True)',
            'time.sleep(600)',
          ].join('\n'),
        ),
      );
      const abort = new AbortController();
      const outcome = await run(
        {
          mounts: { bkt: bucket },
          signal: abort.signal,
          log: (line) => line === 'up' && abort.abort(),
        },
        by,
      );
      expect(outcome).toEqual({ exitCode: null, signal: 'SIGKILL' });
      const beats = (await readFile(join(bucket, 'beat'))).length;
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect((await readFile(join(bucket, 'beat'))).length).toBe(beats);
    }),
  );

  it(
    'ends the job when the sandbox itself is killed',
    ifPossible(async () => {
      const bucket = await mkdtemp(join(directory, 'bucket-'));
      await build(
        python(
          [
            'import os, time',
            'beat = os.environ.get("TRAINYARD_GCS_ROOT", "/gcs") + "/bkt/beat"',
            'while True:',
            '  open(beat, "a").write("x")',
            '  print("up", flush=True)',
            '  time.sleep(0.02)',
          ].join('\n'),
        ),
      );
      const source = (path: string): string =>
        JSON.stringify(new URL(`../../../sandbox/${path}`, import.meta.url));
      const program = `
        import { createExecutor } from ${source('executor/executor.ts')};
        import { openRegistry } from ${source('registry/registry.ts')};
        const [directory, isolation, image, bucket] = process.argv.slice(1);
        const registry = await openRegistry({ dataDir: directory + '/registry' });
        const executor = await createExecutor({ dataDir: directory + '/killed', registry, isolation });
        await executor.run({ id: 'j', image, command: [], args: [], env: {}, mounts: { bkt: bucket },
          log: (line) => console.log(line), signal: new AbortController().signal });
      `;
      const words = [
        '--input-type=module',
        '-e',
        program,
        directory,
        isolation,
        `${name}:v1`,
        bucket,
      ];
      const sandbox = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'ignore'] });
      await once(sandbox.stdout, 'data');
      while (!existsSync(join(bucket, 'beat'))) await once(sandbox.stdout, 'data');
      sandbox.kill('SIGKILL');
      await once(sandbox, 'exit');
      const beats = async (): Promise<number> => (await readFile(join(bucket, 'beat'))).length;
      await expect(becomesStill(beats)).resolves.toBe(true);
    }),
  );

  it(
    'lets a job end itself on SIGTERM',
    ifPossible(async (by) => {
      const script = [
        'import signal, sys, time',
        'signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))',
        'print("up", flush=True)',
        'time.sleep(600)',
      ];
      await build(python(script.join('\n')));
      const abort = new AbortController();
      const log = (line: string): unknown => line === 'up' && abort.abort();
      expect(await run({ signal: abort.signal, log }, by)).toEqual({ exitCode: 7, signal: null });
    }),
  );

  it(
    'says what is missing',
    ifPossible(async (by) => {
      await build(python(''));
      const missing = await run({ image: `${name}@sha256:${'0'.repeat(64)}` }, by);
      expect(missing.error?.kind).toBe('image_not_found');
      const program = await run({ command: ['no-such-program'] }, by);
      expect(program.error).toEqual({
        kind: 'entrypoint_not_found',
        message: 'exec: "no-such-program": executable file not found in $PATH',
      });
    }),
  );

  it(
    'hands on whole lines, long ones in pieces',
    ifPossible(async (by) => {
      await build(python('print("é" * 100000)\nprint("no end", end="")'));
      const lines: string[] = [];
      await run({ log: (line, stream) => stream === 'stdout' && lines.push(line) }, by);
      expect(lines.map((line) => line.length)).toEqual([65_536, 34_464, 6]);
    }),
  );

  it(
    'refuses a mount whose name is no bucket',
    ifPossible(async (by) => {
      const outcome = await run({ mounts: { '../evil': directory } }, by);
      expect(outcome.error?.kind).toBe('internal');
    }),
  );

  if (isolation === 'plain') return;
  it(
    'shows a job neither the sandbox nor other processes, and keeps it from writing to the host',
    ifPossible(async (by) => {
      // All of it below this test's own directory, so that a failure harms nothing.
      const secret = join(directory, 'secret');
      await writeFile(secret, 'secret');
      await build(
        python(
          [
            'import json, os, sys',
            'def attempt(path):',
            '  try: open(path, "w"); return "written"',
            '  except OSError as e: return type(e).__name__',
            'caps = [l.split()[1] for l in open("/proc/self/status") if l.startswith("CapEff")]',
            'pids = [p for p in os.listdir("/proc") if p.isdigit()]',
            'print(json.dumps([os.path.exists(sys.argv[1]), attempt(sys.argv[1]), len(pids) < 6, caps]))',
          ].join('\n'),
        ),
      );
      const lines: string[] = [];
      await run({ args: [secret], log: (line) => lines.push(line) }, by);
      expect(JSON.parse(lines[0]!)).toEqual([
        false,
        'FileNotFoundError',
        true,
        ['0000000000000000'],
      ]);
      expect(await readFile(secret, 'utf8')).toBe('secret');
    }),
  );

  it(
    'lets no program of the image run while the host can still be seen',
    ifPossible(async (by) => {
      const spy =
        '#!/bin/sh\nls -d /.old/etc >&2 && echo ESCAPED >&2\nexec "/usr/bin/$(basename "$0")" "$@"\n';
      const tools = ['umount', 'rmdir', 'setpriv', 'mount', 'mkdir', 'chroot'];
      const files = tools.flatMap((tool) =>
        ['usr/local/sbin', 'usr/local/bin'].map((at) => `${at}/${tool}`),
      );
      const layer = files.map((path) => ({ name: path, content: spy, mode: 0o755 }));
      await registry.putManifest(name, 'spy', await imageOf(layer), manifestType);
      const lines: string[] = [];
      const image = `${name}:spy`;
      const log = (line: string): unknown => lines.push(line);
      const program = ['sh', '-c', 'ls -d /.old /proc/1/root/.old; echo done'];
      expect(await run({ image, command: program, log }, by)).toMatchObject({ exitCode: 0 });
      expect(lines.join('\n')).not.toMatch(/ESCAPED|^\/\.old/m);
      expect(lines).toContain('done');
    }),
  );

  it(
    'does not let an image lead a mount elsewhere',
    ifPossible(async (by) => {
      const outside = await mkdtemp(join(directory, 'outside-'));
      const links = ['gcs', 'root', 'usr', 'dev', 'tmp', 'opt'].map((path) => {
        return { name: path, type: 'symlink' as const, linkname: outside, content: '' };
      });
      const manifest = await imageOf(links);
      await registry.putManifest(name, 'links', manifest, manifestType);
      const bucket = await mkdtemp(join(directory, 'bucket-'));
      await run({ image: `${name}:links`, command: ['true'], mounts: { bkt: bucket } }, by);
      expect(await readdir(outside)).toEqual([]);
      expect(existsSync(bucket)).toBe(true);
    }),
  );
});
