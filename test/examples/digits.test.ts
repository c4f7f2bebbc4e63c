/** The example is product: it must train well, leave results that our own readers understand, and fail clearly. */
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseProgress } from '../../shared/metrics/parse-progress.ts';
import { isMetricsFile, readMetricsFiles } from '../../shared/metrics/read-metrics.ts';

const example = join(import.meta.dirname, '../../examples/digits');
let directory: string;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function train(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  script = join(example, 'train.py'),
): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: directory, env: { PATH: process.env['PATH'] ?? '', ...env } };
    execFile('python3', [script, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'digits-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('examples/digits', () => {
  it('learns, prints its progress and writes metrics where the job is told to', async () => {
    const { code, stdout } = await train(['--epochs', '8', '--lr', '0.02'], {
      AIP_MODEL_DIR: 'gs://results/run/model/',
      TRAINYARD_GCS_ROOT: directory,
    });
    expect(code).toBe(0);
    const progress = stdout.split('\n').flatMap((line) => parseProgress(line) ?? []);
    expect(progress.filter(({ step }) => step !== undefined)).toHaveLength(8);
    const results = join(directory, 'results/run');
    const paths = (await readdir(results, { recursive: true })).filter(isMetricsFile);
    const files = await Promise.all(
      paths.map(async (path) => ({ path, content: await readFile(join(results, path)) })),
    );
    const metrics = readMetricsFiles(files);
    expect(Object.keys(metrics.values).sort()).toEqual(['loss', 'val_accuracy', 'val_loss']);
    expect(metrics.values['val_accuracy']).toBeGreaterThan(0.93);
    expect(metrics.series['loss']).toHaveLength(8);
    expect(metrics.series['val_accuracy']!.at(-1)!.value).toBeCloseTo(
      metrics.values['val_accuracy']!,
      5,
    );
  });

  it.each([
    [['--epochs', '0'], /0 is not from 1 to 10000/],
    [['--lr', 'fast'], /--lr/],
    [['--lr', 'nan'], /nan is not above 0/],
    [['--gpu'], /unrecognized arguments/],
  ])('refuses %j with exit status 2', async (args, message) => {
    const { code, stderr } = await train(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('says what is missing or cannot be written, without a stack trace', async () => {
    const moved = join(directory, 'train.py');
    await copyFile(join(example, 'train.py'), moved);
    await writeFile(join(directory, 'file'), '');
    const cases = [
      await train([], {}, moved),
      await train(['--epochs', '1'], { AIP_MODEL_DIR: join(directory, 'file') }),
      await train(['--epochs', '1'], {
        AIP_MODEL_DIR: 'gs://results/x/',
        TRAINYARD_GCS_ROOT: join(directory, 'unmounted'),
      }),
    ];
    expect(cases.map(({ code }) => code)).toEqual([1, 1, 1]);
    expect(cases[0]!.stderr).toMatch(/^train\.py: .*digits\.csv\.gz is missing/);
    expect(cases[1]!.stderr).toMatch(/^train\.py: cannot write/);
    expect(cases[2]!.stderr).toMatch(/^train\.py: .*unmounted is not there/);
  });
});
