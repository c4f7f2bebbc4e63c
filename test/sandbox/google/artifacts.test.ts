/** Artifact Registry before a real registry: repositories, images, versions and tags. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openRegistry, type Registry } from '../../../sandbox/registry/registry.ts';
import { parent, startWorld, type Answer, type World } from './world.ts';

const mediaType = 'application/vnd.oci.image.manifest.v1+json';
const prefix = 'us-central1-docker.pkg.dev/demo-project/trainyard';
const repositories = `/v1/${parent}/repositories`;
const repository = `${repositories}/trainyard`;

let directory: string;
let registry: Registry;
let world: World;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sandbox-registry-'));
  registry = await openRegistry({ dataDir: directory });
  world = await startWorld({ registry });
  await world.call('POST', `${repositories}?repositoryId=trainyard`, { format: 'DOCKER' });
});
afterEach(async () => {
  await world.close();
  await rm(directory, { recursive: true, force: true });
});

/** An image whose only layer is the text. */
async function push(name: string, tag: string, text: string): Promise<string> {
  const config = Buffer.from('{}');
  const layer = Buffer.from(text);
  const describe = (bytes: Buffer, type: string): object => ({
    mediaType: type,
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    size: bytes.length,
  });
  await registry.putBlob(config);
  await registry.putBlob(layer);
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: describe(config, 'application/vnd.oci.image.config.v1+json'),
    layers: [describe(layer, 'application/vnd.oci.image.layer.v1.tar')],
  };
  return registry.putManifest(
    `${prefix}/${name}`,
    tag,
    Buffer.from(JSON.stringify(manifest)),
    mediaType,
  );
}

const get = (path: string): Promise<Answer> => world.call('GET', path);

describe('a repository', () => {
  it('is created once, changed, listed and deleted with its images', async () => {
    const created = await world.call('POST', `${repositories}?repositoryId=other`, {
      format: 'DOCKER',
      mode: 'MODE_UNSPECIFIED',
      description: 'images',
      dockerConfig: { immutableTags: true },
    });
    const { name, done } = created.body as { name: string; done: boolean };
    expect([done, (await get(`/v1/${name}`)).body]).toEqual([true, created.body]);
    const again = await world.call('POST', `${repositories}?repositoryId=other`, {
      format: 'DOCKER',
    });
    expect(again.body).toMatchObject({ error: { code: 409, status: 'ALREADY_EXISTS' } });
    expect((await get(`${repositories}/other`)).body).toMatchObject({
      name: `${parent}/repositories/other`,
      mode: 'STANDARD_REPOSITORY',
      dockerConfig: { immutableTags: true },
      registryUri: 'us-central1-docker.pkg.dev/demo-project/other',
    });
    const patch = { description: 'new', labels: { a: 'b' } };
    const masked = await world.call('PATCH', `${repositories}/other?updateMask=labels`, patch);
    expect(masked.body).toMatchObject({ description: 'images', labels: { a: 'b' } });
    expect((await world.call('PATCH', `${repositories}/other?updateMask=format`, {})).status).toBe(
      400,
    );
    const { body } = await get(repositories);
    expect(
      (body as { repositories: { name: string }[] }).repositories.map((each) => each.name),
    ).toEqual([`${parent}/repositories/other`, `${parent}/repositories/trainyard`]);
    await push('digits', 'v1', 'x');
    expect((await world.call('DELETE', repository)).body).toMatchObject({ done: true });
    expect((await get(repository)).status).toBe(404);
    expect(await registry.listImages(prefix)).toEqual([]);
  });

  it.each([
    ['no id', '', { format: 'DOCKER' }],
    ['capitals', 'Train', { format: 'DOCKER' }],
    ['an underscore', 'a_b', { format: 'DOCKER' }],
    ['no format', 'new', {}],
    ['a format that does not exist', 'new', { format: 'DOCKR' }],
    ['an unknown field', 'new', { format: 'DOCKER', colour: 'red' }],
  ])('is refused with %s', async (_name, id, body) => {
    const answer = await world.call('POST', `${repositories}?repositoryId=${id}`, body);
    expect(answer.body).toMatchObject({ error: { code: 400, status: 'INVALID_ARGUMENT' } });
  });
});

describe('an image', () => {
  it('is found by digest, by tag and by version, with a slash in its name too', async () => {
    const digest = await push('team/digits', 'v1', 'x');
    await push('team/digits', 'latest', 'x');
    const image = {
      name: `${parent}/repositories/trainyard/dockerImages/team%2Fdigits@${digest}`,
      uri: `${prefix}/team/digits@${digest}`,
      tags: ['latest', 'v1'],
      imageSizeBytes: '3',
      mediaType,
      uploadTime: expect.any(String),
      updateTime: expect.any(String),
    };
    expect((await get(`${repository}/dockerImages`)).body).toEqual({ dockerImages: [image] });
    expect((await get(`/v1/${image.name}`)).body).toEqual(image);
    const item = `${parent}/repositories/trainyard/packages/team%2Fdigits`;
    expect((await get(`/v1/${item}/tags/v1`)).body).toEqual({
      name: `${item}/tags/v1`,
      version: `${item}/versions/${digest}`,
    });
    expect((await get(`/v1/${item}/tags`)).body).toMatchObject({
      tags: [{ name: `${item}/tags/latest` }, { name: `${item}/tags/v1` }],
    });
    expect((await get(`/v1/${item}/versions?view=FULL`)).body).toMatchObject({
      versions: [{ name: `${item}/versions/${digest}`, relatedTags: [{}, {}] }],
    });
    expect((await get(`${repository}/packages`)).body).toMatchObject({
      packages: [{ name: item }],
    });
  });

  it('loses a tag, and goes only when it has none, or by force', async () => {
    const digest = await push('digits', 'v1', 'x');
    const item = `${repository}/packages/digits`;
    const early = await world.call('DELETE', `${item}/versions/${digest}`);
    expect(early.body).toMatchObject({ error: { code: 400, status: 'FAILED_PRECONDITION' } });
    expect((await world.call('DELETE', `${item}/tags/v1`)).body).toEqual({});
    expect((await world.call('DELETE', `${item}/tags/v1`)).status).toBe(404);
    expect((await world.call('DELETE', `${item}/versions/${digest}`)).body).toMatchObject({
      done: true,
    });
    expect((await get(`${item}/versions/${digest}`)).status).toBe(404);
    const forced = await push('digits', 'v2', 'y');
    expect((await world.call('DELETE', `${item}/versions/${forced}?force=True`)).status).toBe(200);
    expect((await get(`${item}/tags/v2`)).status).toBe(404);
  });

  it('comes in pages', async () => {
    for (const tag of ['a', 'b', 'c']) await push('digits', tag, tag);
    const first = (await get(`${repository}/dockerImages?pageSize=2`)).body as {
      dockerImages: object[];
      nextPageToken: string;
    };
    expect(first.dockerImages).toHaveLength(2);
    const second = await get(
      `${repository}/dockerImages?pageSize=2&pageToken=${first.nextPageToken}`,
    );
    expect((second.body as { dockerImages: object[] }).dockerImages).toHaveLength(1);
  });

  it.each([
    'dockerImages/none@sha256:0',
    'packages/none',
    'packages/none/tags/v1',
    'packages/none/versions/sha256:0',
  ])('that is not there is 404: %s', async (path) => {
    expect((await get(`${repository}/${path}`)).body).toMatchObject({
      error: { code: 404, status: 'NOT_FOUND' },
    });
  });

  it('of a repository that is not there is 404 too', async () => {
    expect((await get(`${repositories}/none/dockerImages`)).status).toBe(404);
  });
});
