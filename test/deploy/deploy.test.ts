/** What is deployed: manifests that name only settings that exist, and an image that holds all that the App imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { settingVariables } from '../../app/settings.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

interface Container {
  readonly env?: readonly { readonly name: string }[];
  readonly envFrom?: readonly unknown[];
}

/** Every container of the file, however deep it stands. */
function containersIn(value: unknown): readonly Container[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'containers' in value ? (value.containers as readonly Container[]) : [];
  return [...own, ...Object.values(value).flatMap(containersIn)];
}

const known = Object.keys(settingVariables);
const required = Object.entries(settingVariables)
  .filter(([, variable]) => 'required' in variable)
  .map(([name]) => name);

describe.each(['deploy/cloud-run.yaml', 'deploy/kubernetes.yaml'])('%s', (path) => {
  const documents = parseAllDocuments(read(path), { uniqueKeys: true });
  const containers = documents.flatMap((document) => containersIn(document.toJS()));
  const names = containers.flatMap(({ env = [] }) => env.map(({ name }) => name));

  it('parses, and has one container', () => {
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    expect(containers).toHaveLength(1);
  });

  it('sets variables that exist, and all that are required', () => {
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
    const given = containers[0]?.envFrom === undefined ? names : [...names, ...fromSecret(path)];
    expect(required.filter((name) => !given.includes(name))).toEqual([]);
    expect(given).toEqual(expect.arrayContaining(['DATABASE_URL', 'TRAINYARD_ADMIN_TOKEN']));
  });
});

/** What the manifest's own words say that the secret holds. */
function fromSecret(path: string): readonly string[] {
  const comment = read(path)
    .split('\n')
    .filter((line) => line.startsWith('#'))
    .join(' ');
  return known.filter((name) => comment.includes(name));
}

describe('the image', () => {
  const manifest = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };

  it.each(['app', 'shared'])('has every package that %s imports', (room) => {
    const packages = filesIn(`${room}/`).flatMap((file) =>
      [...read(file).matchAll(/(?:\bfrom|\bimport\()\s*'([^'.\s][^'\s]*)'/g)].map(
        ([, name = '']) => name,
      ),
    );
    const missing = packages
      .filter((name) => !name.startsWith('node:'))
      .map((name) => /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name)
      .filter((name) => !(name in manifest.dependencies));
    expect(packages.length).toBeGreaterThan(10);
    expect(missing).toEqual([]);
  });

  it('has every folder that they import from', () => {
    const dockerfile = read('Dockerfile');
    const relative = ['app/', 'shared/']
      .flatMap(filesIn)
      .flatMap((file) =>
        [...read(file).matchAll(/from '(\.[^']*)'/g)].map(([, path = '']) =>
          new URL(path, new URL(file, root)).href.slice(root.href.length),
        ),
      );
    const folders = [...new Set(relative.map((path) => path.split('/')[0] ?? ''))];
    for (const folder of folders) expect(dockerfile).toContain(`COPY ${folder} ./${folder}`);
  });
});

function filesIn(folder: string): readonly string[] {
  return readdirSync(new URL(folder, root), { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return filesIn(`${folder}${entry.name}/`);
    return entry.name.endsWith('.ts') ? [`${folder}${entry.name}`] : [];
  });
}
