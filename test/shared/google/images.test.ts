import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UserError } from '../../../shared/errors.ts';
import { googlePorts, type GooglePorts } from '../../../shared/google/index.ts';
import { googleError, startLocalService, type LocalService } from './local-service.ts';

let service: LocalService;
let images: GooglePorts['images'];

beforeAll(async () => {
  service = await startLocalService();
  const clock = { sleep: () => Promise.resolve() };
  images = googlePorts({ endpoint: service.endpoint, clock }).images;
});
afterAll(() => service.close());

const digest = `sha256:${'a'.repeat(64)}`;
const name = 'us-central1-docker.pkg.dev/demo-project/train/team/digits';
const parent = '/v1/projects/demo-project/locations/us-central1/repositories/train';
// The slash within the name is `%2F` in the resource name itself, which the URL encodes once more.
const tagPath = `${parent}/packages/team%2Fdigits/tags/v1`;
const imagePath = `${parent}/dockerImages/team%2Fdigits@${digest}`;
const tag = { name: tagPath.slice(4), version: `${parent}/packages/x/versions/${digest}` };
const uploadTime = '2026-01-02T03:04:05.678Z';

describe('a tag', () => {
  it('stands for a digest, which came at a time', async () => {
    service.behave(({ path }) =>
      path === tagPath
        ? { json: tag }
        : path === imagePath
          ? { json: { name: imagePath, uploadTime } }
          : undefined,
    );
    expect(await images.resolve(`${name}:v1`)).toEqual({ digest, uploadedAt: uploadTime });
    expect(service.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `GET ${tagPath}`,
      `GET ${imagePath}`,
    ]);
  });

  it.each<[string, object | undefined, object | undefined]>([
    ['that is not there', undefined, undefined],
    ['without a version', { name: tag.name }, { name: imagePath, uploadTime }],
    ['whose image is gone', tag, undefined],
  ])('%s stands for nothing', async (_what, tagged, image) => {
    service.behave(({ path }) => {
      const json = path === tagPath ? tagged : image;
      return json === undefined ? googleError(404, 'NOT_FOUND', 'gone') : { json };
    });
    expect(await images.resolve(`${name}:v1`)).toBeUndefined();
  });

  it("is the caller's trouble when nobody may see it", async () => {
    service.behave(() => googleError(403, 'PERMISSION_DENIED', 'no'));
    const failure = { operation: 'tags.get', status: 403, retryable: false };
    await expect(images.resolve(`${name}:v1`)).rejects.toMatchObject(failure);
  });

  it.each([
    name,
    `${name}:`,
    `${name}:$BUILD_ID`,
    `${name}:a/../b`,
    `${name}@${digest}`,
    'docker.io/library/python:3',
    'evil.example/us-docker.pkg.dev/demo-project/train/digits:1',
  ])('builds no URL from %s', async (image) => {
    service.behave(() => ({ json: {} }));
    await expect(images.resolve(image)).rejects.toThrow(UserError);
    expect(service.requests).toHaveLength(0);
  });
});

it('is there, or not, by its digest', async () => {
  service.behave(({ path }) => (path === imagePath ? { json: { name: imagePath } } : undefined));
  expect(await images.exists(`${name}@${digest}`)).toBe(true);
  expect(await images.exists(`${name}@sha256:${'b'.repeat(64)}`)).toBe(false);
});
