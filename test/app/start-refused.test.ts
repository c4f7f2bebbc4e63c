/** A start that fails, as whoever is on call reads it: the last line says why. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../sandbox/free-ports.ts';
import { appEnvironment } from './app-process.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trainyard-start-refused-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

it('names the cause when the database is not there, and no password', async () => {
  const config = join(directory, 'trainyard-server.yml');
  await writeFile(config, "owner: acme\nrepositories: { '1001': { project: my-project } }\n");
  const port = await freePort();
  const { status, stderr } = spawnSync(process.execPath, ['app/index.ts'], {
    env: {
      ...appEnvironment,
      TRAINYARD_CONFIG: config,
      DATABASE_URL: `postgres://trainyard:hunter2@127.0.0.1:${port}/trainyard`,
    },
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr.trimEnd().split('\n').at(-1)).toBe(
    `The App cannot start: the database schema could not be brought up to date: connect ECONNREFUSED 127.0.0.1:${port}`,
  );
  expect(stderr).not.toContain('hunter2');
});
