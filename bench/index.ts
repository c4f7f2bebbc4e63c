/**
 * `npm run bench`: what the Action costs before its job runs, as a table of ratios against a reference that was
 * measured in the same run on the same machine, so that numbers from different machines compare. A target that
 * is missed is a word in the table and never a failure: machines are shared and noisy.
 *
 * `--large` adds the memory that a context of 5 GB takes; `--app` measures the App instead.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox } from '../sandbox/start.ts';
import { dist } from './action.ts';
import { benchApp } from './app/index.ts';
import { inMegabytes, renderTable, type Row } from './row.ts';
import { benchStartUp } from './start-up.ts';
import { benchUpload } from './upload.ts';

function bundleSize(): Row {
  const bytes = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .map((path) => statSync(join(dist, path)))
    .reduce((sum, info) => sum + (info.isFile() ? info.size : 0), 0);
  const target = { text: 'under 4 MB', isMet: bytes < 4e6 };
  return { what: 'bundle', measured: inMegabytes(bytes), target };
}

async function benchAction(): Promise<Row[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'trainyard-bench-'));
  const sandbox = await startSandbox({ dataDir, port: 0, app: false, realistic: false });
  const { endpoint } = sandbox.description.google;
  try {
    const large = process.argv.includes('--large');
    return [
      bundleSize(),
      ...(await benchStartUp(endpoint)),
      ...(await benchUpload(endpoint, { large })),
    ];
  } finally {
    await sandbox.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const rows = await (process.argv.includes('--app') ? benchApp() : benchAction());
process.stdout.write(`${renderTable(rows)}medians of alternating runs, Node ${process.version}\n`);
