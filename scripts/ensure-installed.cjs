// Installs the dependencies when node_modules is missing or older than the lock file, so that
// `npm test` and `npm run demo` work straight after `git clone`. Runs on the host's own Node
// (18 or newer), before Node 24 from node_modules is there: CommonJS, no dependency.
const { createHash } = require('node:crypto');
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { spawnSync } = require('node:child_process');

const root = join(__dirname, '..');
const stamp = join(root, 'node_modules', '.trainyard-lock');
const lockHash = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');

const isCurrent = existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash;
if (!isCurrent) {
  // stderr, because a command like `npm run sandbox -- --json` promises its stdout to a machine.
  process.stderr.write(
    'Installing dependencies from package-lock.json (about half a minute) ...\n',
  );
  const result = spawnSync('npm', ['ci', '--loglevel=error', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    process.stderr.write(
      'The installation failed. Check that the npm registry can be reached and that no other command ' +
        'installs here at the same time, then run: npm ci\n',
    );
    process.exit(result.status ?? 1);
  }
  writeFileSync(stamp, lockHash);
}
