/**
 * `npm run fuzz [-- TIMES [SEED]]`: the property tests on TIMES as many cases (20 unless told), new ones unless SEED is
 * given. What it finds is shown with its seed; keep it as an example in the test, so that it stays found.
 */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';

const [times = '20', seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2);
if (![times, seed].every((each) => /^\d{1,10}$/.test(each))) {
  process.stderr.write('fuzz: TIMES and SEED are whole numbers: npm run fuzz -- 20 1\n');
  process.exit(2);
}
const files = globSync('test/**/*.test.ts').filter((file) =>
  readFileSync(file, 'utf8').includes('/properties.ts'),
);
process.stdout.write(`${files.length} files, ${times} times as many cases, seed ${seed}\n`);
const { status } = spawnSync(
  process.execPath,
  [
    ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    ...['node_modules/jest/bin/jest.js', `--testTimeout=${60_000 * Number(times)}`],
    ...['--', ...files],
  ],
  { stdio: 'inherit', env: { ...process.env, FUZZ_FACTOR: times, FUZZ_SEED: seed } },
);
process.exitCode = status ?? 1;
