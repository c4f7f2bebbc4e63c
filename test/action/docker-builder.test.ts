/** Docker itself is a program of the test's own here: it says what it was given, and pushes nothing. */
import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createDockerBuilder, toArguments } from '../../action/docker-builder.ts';
import { UserError } from '../../shared/errors.ts';
import type { DockerfileBuild } from '../../shared/plan/plan.ts';
import { plan } from '../shared/world.ts';

const digest = `sha256:${'d'.repeat(64)}`;
const host = 'us-central1-docker.pkg.dev';
let directory: string;
let env: Record<string, string>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "docker builder's "));
  const bin = join(directory, 'bin');
  const temp = join(directory, 'temp');
  for (const path of [bin, temp, join(directory, 'my repo')]) await mkdir(path);
  await writeFile(join(directory, 'my repo/Dockerfile'), 'FROM scratch\n');
  env = {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: join(directory, 'home'),
    RUNNER_TEMP: temp,
    RUNNER_TRACKING_ID: 'github_1',
    HTTPS_PROXY: 'http://proxy',
    DOCKER_CONFIG: '',
    INPUT_ENV: 'SECRET=1',
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'secret',
    GITHUB_TOKEN: 'secret',
  };
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** @param body what docker does; `args`, `env` and `ask(command, host)` are there, and `metadata(text)`. */
async function installDocker(body: string): Promise<void> {
  const program = `#!${process.execPath}
const { spawnSync, spawn } = require('node:child_process');
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const [args, env] = [process.argv.slice(2), process.env];
const config = JSON.parse(readFileSync(join(env.DOCKER_CONFIG, 'config.json'), 'utf8'));
const ask = (command, input) => {
  const helper = 'docker-credential-' + Object.values(config.credHelpers)[0];
  const { status, stdout, error } = spawnSync(helper, [command], { input, encoding: 'utf8' });
  return error ? String(error) : status + ' ' + stdout;
};
const metadata = (text) =>
  writeFileSync(args.find((arg) => arg.startsWith('--metadata-file=')).slice(16), text);
${body}`;
  const path = join(directory, 'bin', 'docker');
  await writeFile(path, program);
  await chmod(path, 0o755);
}

interface Built {
  readonly image?: string;
  readonly error?: unknown;
  readonly lines: readonly string[];
}

async function build(
  changes: Partial<DockerfileBuild> = {},
  given: {
    signal?: AbortSignal;
    token?: () => Promise<string>;
    seen?: (line: string) => void;
  } = {},
): Promise<Built> {
  const lines: string[] = [];
  let count = 0;
  const token = given.token ?? (() => Promise.resolve(`token-${++count}`));
  const builder = createDockerBuilder({ env, token, graceMs: 200 });
  const request = {
    build: { ...plan.build, ...changes },
    context: join(directory, 'my repo'),
    tag: 'run-k7q2m4xa',
    log: (more: readonly string[]) => {
      lines.push(...more);
      for (const line of more) given.seen?.(line);
    },
    signal: given.signal ?? new AbortController().signal,
  };
  try {
    return { image: await builder.build(request), lines };
  } catch (error) {
    return { error, lines };
  }
}

const succeeds = `metadata(JSON.stringify({ 'containerimage.digest': '${digest}' }));`;

describe('what docker is told', () => {
  const told = (changes: Partial<DockerfileBuild>): readonly string[] =>
    toArguments(
      { build: { ...plan.build, ...changes }, context: '/repo', tag: 'run-1' },
      '/tmp/m.json',
    );

  it('is to build for Vertex AI, push, and say which digest', () => {
    expect(told({})).toEqual([
      ...['buildx', 'build', '--push', '--progress=plain'],
      ...['--platform=linux/amd64', '--provenance=false', '--metadata-file=/tmp/m.json'],
      `--tag=${plan.build.imageName}:run-1`,
      ...['--file=/repo/Dockerfile', '/repo'],
    ]);
  });

  it.each<[Partial<DockerfileBuild>, readonly string[]]>([
    [{ platform: 'linux/arm64' }, ['--platform=linux/arm64']],
    [{ target: 'train' }, ['--target=train']],
    [{ layerCache: false }, ['--no-cache']],
    [{ dockerfile: '--x/Dockerfile' }, ['--file=/repo/--x/Dockerfile']],
    [
      { buildArgs: { A: '--b; $(c)', EMPTY: '' } },
      ['--build-arg=A=--b; $(c)', '--build-arg=EMPTY='],
    ],
  ])('%j', (changes, args) => {
    expect(told(changes)).toEqual(expect.arrayContaining([...args]));
  });
});

describe('what docker is given', () => {
  it('is a token, anew each time it asks, and for the one registry only', async () => {
    await installDocker(`
for (const [command, input] of [['get', '${host}'], ['get', 'https://${host}/v2/'], ['get', 'evil.example'], ['store', '{}'], ['erase', '${host}'], ['list', '']])
  console.log(command, input, ask(command, input));
${succeeds}`);
    const { image, lines, error } = await build();
    expect(error).toBeUndefined();
    const credentials = (token: string): string =>
      `0 {"ServerURL":"${host}","Username":"oauth2accesstoken","Secret":"${token}"}`;
    expect(lines).toEqual([
      `get ${host} ${credentials('token-1')}`,
      `get https://${host}/v2/ ${credentials('token-2')}`,
      'get evil.example 1 credentials not found in native keychain',
      'store {} 0 ',
      `erase ${host} 0 `,
      'list  0 {}',
    ]);
    expect(image).toBe(`${plan.build.imageName}@${digest}`);
  });

  it('is no token when there is none to be had', async () => {
    await installDocker(`console.log(ask('get', '${host}')); process.exit(1);`);
    const { lines, error } = await build({}, { token: () => Promise.reject(new Error('secret')) });
    expect(lines).toEqual(['1 credentials not found in native keychain']);
    expect(error).toBeInstanceOf(UserError);
  });

  it("is neither the step's secrets nor the user's own logins", async () => {
    await installDocker(
      `console.log(JSON.stringify({ names: Object.keys(env).sort(), config, buildx: env.BUILDX_CONFIG })); ${succeeds}`,
    );
    const { lines } = await build();
    const seen = JSON.parse(lines[0]!) as { names: string[] };
    expect(seen).toEqual({
      names: [
        ...['BUILDX_CONFIG', 'DOCKER_CONFIG', 'HOME', 'HTTPS_PROXY', 'PATH', 'RUNNER_TRACKING_ID'],
      ],
      config: {
        credHelpers: { [host]: 'trainyard' },
        cliPluginsExtraDirs: [join(directory, 'home/.docker/cli-plugins')],
      },
      buildx: join(directory, 'home/.docker/buildx'),
    });
  });

  it('is what Cloud Build would get: no credentials that other steps left, nor what is ignored', async () => {
    const context = join(directory, 'my repo');
    for (const path of ['.git', 'pkg', 'out']) await mkdir(join(context, path));
    const files = ['.git/config', 'gha-creds-0123.json', 'pkg/run.sh', 'out/x', '.dockerignore'];
    for (const path of files) await writeFile(join(context, path), path);
    await writeFile(join(context, '.gitignore'), 'out/\n');
    await chmod(join(context, 'pkg/run.sh'), 0o755);
    await installDocker(`
const { readdirSync, statSync } = require('node:fs');
const root = args.at(-1);
console.log(JSON.stringify(readdirSync(root, { recursive: true }).sort()));
console.log(statSync(join(root, 'pkg/run.sh')).mode & 0o111 ? 'executable' : 'plain');
console.log(args.includes('--file=' + join(root, 'Dockerfile')));
${succeeds}`);
    const { lines } = await build();
    expect(JSON.parse(lines[0] ?? '')).toEqual([
      ...['.dockerignore', 'Dockerfile', 'pkg', 'pkg/run.sh'],
    ]);
    expect(lines.slice(1)).toEqual(['executable', 'true']);
  });

  it('is no larger than what Cloud Build would take', async () => {
    await writeFile(join(directory, 'my repo/data'), '');
    // As large as its size says, and empty on the disk.
    await truncate(join(directory, 'my repo/data'), 6 * 1024 ** 3);
    await installDocker(succeeds);
    const { error } = await build();
    expect(error).toMatchObject({ name: 'UserError', reason: 'bad_config' });
    expect(await readdir(join(directory, 'temp'))).toEqual([]);
  });

  it('is gone afterwards', async () => {
    await installDocker(succeeds);
    await build();
    expect(await readdir(join(directory, 'temp'))).toEqual([]);
  });
});

describe('how it ends', () => {
  it.each<[string, string, string, RegExp]>([
    ['docker fails', 'console.error("no space left"); process.exit(3);', 'build_failed', /code 3/],
    ['docker says no digest', '', 'build_failed', /which image/],
    [
      'docker says no such digest',
      'metadata(`{"containerimage.digest":"latest"}`);',
      'build_failed',
      /which image/,
    ],
  ])('%s', async (_what, body, reason, message) => {
    await installDocker(body);
    const { error } = await build();
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ reason, message: expect.stringMatching(message) });
  });

  it('before it has begun, when the step was cancelled', async () => {
    // Whoever looked for a docker here would find none.
    env['PATH'] = join(directory, 'bin');
    const { error } = await build({}, { signal: AbortSignal.abort() });
    expect(error).toMatchObject({ name: 'UserError', reason: 'cancelled' });
    expect(await readdir(join(directory, 'temp'))).toEqual([]);
  });

  it('without docker', async () => {
    env['PATH'] = join(directory, 'bin');
    const { error } = await build();
    expect(error).toMatchObject({
      reason: 'build_failed',
      message: 'this runner has no `docker`.',
    });
    expect(await readdir(join(directory, 'temp'))).toEqual([]);
  });

  /** Docker and a child of it that both ignore SIGTERM, and tell their ids: a shell, which starts in no time. */
  const stubborn = `#!/bin/sh
trap '' TERM
(while :; do sleep 1; done) &
echo ids $$ $!
while :; do sleep 1; done
`;
  const isAlive = async (pid: string): Promise<boolean> => {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    return status !== '' && !/\) Z /.test(status);
  };

  it.each([
    ['cancelled', {}, true],
    ['build_timeout', { timeoutSeconds: 3 }, false],
  ] as const)('%s: with all that docker has started', async (reason, changes, aborts) => {
    await writeFile(join(directory, 'bin', 'docker'), stubborn, { mode: 0o755 });
    const abort = new AbortController();
    const seen = (line: string): void => {
      if (line.startsWith('ids') && aborts) abort.abort();
    };
    const { error, lines } = await build(changes, { signal: abort.signal, seen });
    expect(error).toMatchObject({ reason });
    const ids = lines
      .find((line) => line.startsWith('ids'))!
      .split(' ')
      .slice(1);
    expect(ids).toHaveLength(2);
    for (const id of ids) expect(await isAlive(id)).toBe(false);
  });

  it('keeps lines whole, and cuts those without end', async () => {
    await installDocker(`
process.stdout.write(Buffer.from('größ').subarray(0, 4));
setTimeout(() => {
  process.stdout.write(Buffer.concat([Buffer.from('größ').subarray(4), Buffer.from('e\\n')]));
  process.stdout.write('x'.repeat(100_000) + '\\nlast');
  ${succeeds}
}, 50);`);
    const { lines } = await build();
    expect(lines[0]).toBe('größe');
    expect(lines.at(-1)).toBe('last');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(8_192);
  });
});
