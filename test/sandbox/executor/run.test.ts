/** Jobs from end to end, isolated and not: real images, real child processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Executor } from '../../../sandbox/executor/executor.ts';
import { build, directory, executorWith, name, python, run } from './executor-world.ts';

/** Whether a number that something keeps raising stops rising. */
async function becomesStill(read: () => Promise<number>): Promise<boolean> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const before = await read();
    await new Promise((resolve) => setTimeout(resolve, 200));
    if ((await read()) === before) return true;
  }
  return false;
}

describe.each(['namespaces', 'plain'] as const)('run (%s)', (isolation) => {
  let host: Executor | undefined;
  beforeAll(async () => {
    host = await executorWith(isolation);
  });

  /** Tests of what this machine cannot do pass. */
  const ifPossible = (test: (by: Executor) => Promise<void>) => async (): Promise<void> => {
    if (host !== undefined) await test(host);
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
    ifPossible(async () => {
      // However long it takes for it on a busy machine.
      const dataDir = join(directory, `patient-${isolation}`);
      const by = await executorWith(isolation, { dataDir, graceMs: 120_000 });
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
});
