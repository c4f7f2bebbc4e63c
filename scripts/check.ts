/**
 * `npm run check`: everything that must hold besides the tests. Each step prints its name and time; all
 * run even when one fails, so that one call shows every problem.
 */
import { spawnSync } from 'node:child_process';

const steps: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ['format', 'node_modules/.bin/prettier', ['--check', '--log-level', 'warn', '.']],
  ['types', 'node_modules/.bin/tsc', ['-p', '.']],
  ['lint', 'node_modules/.bin/eslint', ['.', '--max-warnings', '0']],
  ['import rule', process.execPath, ['scripts/check-imports.ts']],
  ['exports', process.execPath, ['scripts/check-exports.ts']],
  ['documents', process.execPath, ['scripts/generate-docs.ts', '--check']],
  ['dist', process.execPath, ['scripts/build-dist.mjs', '--check']],
];

let failed = 0;
for (const [name, command, args] of steps) {
  const startedAt = Date.now();
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
  if (status === 0) {
    process.stdout.write(`ok      ${name} (${seconds}s)\n`);
  } else {
    failed += 1;
    process.stdout.write(
      `FAILED  ${name} (${seconds}s)${error === undefined ? '' : `: ${error.message}`}\n`,
    );
  }
}
process.exitCode = failed === 0 ? 0 : 1;
