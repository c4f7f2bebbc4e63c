/** Files that are read by name from a workspace that somebody else has filled. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planBuild } from '../../../action/commands/build.ts';
import { validate } from '../../../action/commands/validate.ts';
import { readInputs } from '../../../action/inputs.ts';
import { readContained } from '../../../shared/source/contained-file.ts';
import { workingTree } from '../../../shared/source/working-tree.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'trainyard-test-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const mebibyte = 1024 ** 2;

/** What may stand under a file's name, and why it is not read. */
const hostile: readonly [what: string, make: (path: string) => Promise<unknown>, why: RegExp][] = [
  ["a link to the step's variables", (path) => symlink('/proc/self/environ', path), /leads out/],
  ['a link to a device without end', (path) => symlink('/dev/zero', path), /leads out/],
  ['a link to what lies above', (path) => symlink('../x', path), /leads out/],
  ["a link to git's tokens", (path) => symlink('.git/config', path), /another step's secrets/],
  [
    'a link to credentials of Google',
    (path) => symlink('gha-creds-12ab.json', path),
    /another step's secrets/,
  ],
  ['a link to itself', (path) => symlink(path, path), /cannot be read \(ELOOP\)/],
  [
    'a pipe that nobody writes to',
    (path) => Promise.resolve(execFileSync('mkfifo', [path])),
    /is no file/,
  ],
  ['a directory', (path) => mkdir(path), /is no file/],
  [
    'a file without end',
    (path) => writeFile(path, Buffer.alloc(mebibyte + 1)),
    /has more than 1 MiB/,
  ],
];

describe.each(hostile)('%s', (_what, make, why) => {
  beforeEach(async () => {
    root = join(root, 'workspace');
    await mkdir(join(root, '.git'), { recursive: true });
    for (const name of ['../x', '.git/config', 'gha-creds-12ab.json'])
      await writeFile(join(root, name), 'token');
  });
  afterEach(() => {
    root = join(root, '..');
  });

  it('is not read', async () => {
    await make(join(root, 'a.yaml'));
    await expect(readContained(root, 'a.yaml')).rejects.toMatchObject({
      ...{ name: 'UserError', reason: 'bad_config' },
      message: expect.stringMatching(why) as unknown,
    });
  });

  it.each(['.gcloudignore', '.gitignore'])('is no %s', async (name) => {
    await make(join(root, name));
    const files = workingTree(root).files()[Symbol.asyncIterator]();
    await expect(files.next()).rejects.toMatchObject({
      ...{ name: 'UserError', reason: 'bad_config' },
      message: expect.stringContaining(`\`${name}\``) as unknown,
    });
  });

  it.each([
    ['job config', { INPUT_CONFIG: 'a.yaml' }],
    ['build config', { INPUT_BUILD_CONFIG: 'a.yaml' }],
  ])('is no %s, which is a refusal', async (_, given) => {
    await make(join(root, 'a.yaml'));
    const { plan, refusals } = await validate(envOf(given), root);
    expect(plan).toBeUndefined();
    expect(refusals).toMatchObject([{ kind: 'rejected', reason: 'bad_config' }]);
    expect(refusals[0]?.message).toMatch(why);
  });
});

function envOf(given: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return { INPUT_PROJECT_ID: 'acme-ml', ...given };
}

it('a step that only builds reads no job config', async () => {
  await writeFile(join(root, 'Dockerfile'), 'FROM scratch\n');
  await symlink('/proc/self/environ', join(root, 'config_cpu.yaml'));
  const env = envOf({});
  const inputs = readInputs(env);
  expect(inputs.ok && (await planBuild(inputs.value, env, root)).kind).toBe('planned');
});

it.each([
  ['what is there', 'a.yaml'],
  ['what a link inside leads to', 'link.yaml'],
])('reads %s, whole', async (_what, name) => {
  await mkdir(join(root, 'sub'));
  await writeFile(join(root, 'a.yaml'), 'x'.repeat(mebibyte));
  await symlink('a.yaml', join(root, 'link.yaml'));
  expect(await readContained(root, name)).toHaveLength(mebibyte);
});

it.each(['nothing.yaml', 'a.yaml/below', 'dangling.yaml'])('%s is not there', async (name) => {
  await writeFile(join(root, 'a.yaml'), '');
  await symlink('nothing.yaml', join(root, 'dangling.yaml'));
  expect(await readContained(root, name)).toBeUndefined();
});

it.each(['..', '.git'])('takes no context that a link leads to %s', async (target) => {
  await mkdir(join(root, 'workspace/.git'), { recursive: true });
  await symlink(target, join(root, 'workspace/app'));
  const { refusals } = await validate(envOf({ INPUT_CONTEXT: 'app' }), join(root, 'workspace'));
  expect(refusals).toMatchObject([
    {
      reason: 'bad_config',
      message: "the context `app` leads out of the workspace, or to another step's secrets.",
    },
  ]);
});
