/** What an image runs, asked of a registry that is what it should be, and of some that are not. */
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import nock from 'nock';
import { createImagePrograms } from '../../../shared/google/image-programs.ts';
import { createSender } from '../../../shared/google/requests.ts';
import { createRest } from '../../../shared/google/rest.ts';

const host = 'https://us-central1-docker.pkg.dev';
const name = 'my-project/trainyard/team/digits';

beforeEach(() => nock.disableNetConnect());
afterEach(() => {
  nock.cleanAll();
  nock.enableNetConnect();
});
afterAll(() => nock.restore());

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** Stored under its own digest unless told otherwise. */
function serve(kind: 'manifests' | 'blobs', content: unknown, digest?: string): string {
  const text = JSON.stringify(content);
  const at = digest ?? digestOf(text);
  nock(host, { reqheaders: { authorization: 'Bearer tok' } })
    .get(`/v2/${name}/${kind}/${at}`)
    .reply(200, text);
  return at;
}

function read(digest: string) {
  const rest = createRest({
    endpoint: { kind: 'production' },
    accessToken: () => Promise.resolve('tok'),
  });
  const sender = createSender({ clock: { sleep: () => Promise.resolve() } });
  return createImagePrograms(rest, sender).read(`us-central1-docker.pkg.dev/${name}@${digest}`);
}

const config = { config: { Entrypoint: ['python', 'train.py'], Cmd: ['--lr', '1'] } };
const program = { entrypoint: ['python', 'train.py'], cmd: ['--lr', '1'] };

describe('an image', () => {
  it.each([
    ['both', config, program],
    ['neither', { config: { Entrypoint: null } }, { entrypoint: [], cmd: [] }],
    ['no config at all', {}, { entrypoint: [], cmd: [] }],
  ])('says its ENTRYPOINT and CMD: %s', async (_what, content, expected) => {
    const digest = serve('blobs', content);
    expect(await read(serve('manifests', { config: { digest } }))).toEqual(expected);
  });

  it('of several platforms is the one of the machines', async () => {
    const manifest = serve('manifests', { config: { digest: serve('blobs', config) } });
    const arm = { digest: digestOf('arm'), platform: { os: 'linux', architecture: 'arm64' } };
    const amd = { digest: manifest, platform: { os: 'linux', architecture: 'amd64' } };
    expect(await read(serve('manifests', { manifests: [arm, amd] }))).toEqual(program);
  });

  it('whose config lies elsewhere is read there, without the token', async () => {
    const text = JSON.stringify(config);
    const digest = digestOf(text);
    const manifest = serve('manifests', { config: { digest } });
    nock(host)
      .get(`/v2/${name}/blobs/${digest}`)
      .reply(302, '', { location: 'https://storage.example/blob' });
    nock('https://storage.example', { badheaders: ['authorization'] })
      .get('/blob')
      .reply(200, text);
    expect(await read(manifest)).toEqual(program);
  });

  it.each<[string, () => string]>([
    ['that is another one', () => serve('manifests', { config: {} }, digestOf('other'))],
    [
      'whose config is another one',
      () => serve('manifests', { config: { digest: serve('blobs', config, digestOf('x')) } }),
    ],
    ['without a config', () => serve('manifests', {})],
    ['for other machines only', () => serve('manifests', { manifests: [] })],
  ])('%s is refused', async (_what, make) => {
    await expect(read(make())).rejects.toMatchObject({
      name: 'CloudError',
      operation: 'images.pull',
      retryable: false,
    });
  });

  it('whose manifest is larger than any is refused', async () => {
    const content = { config: {}, annotations: { note: 'x'.repeat(4 * 1024 ** 2) } };
    await expect(read(serve('manifests', content))).rejects.toMatchObject({
      ...{ name: 'CloudError', status: 413, retryable: false },
    });
  });

  it.each<[number, boolean]>([
    [401, false],
    [404, false],
    [503, true],
  ])('that cannot be had (%i) is a failure of the cloud', async (status, retryable) => {
    const digest = digestOf('x');
    nock(host).get(`/v2/${name}/manifests/${digest}`).times(4).reply(status, 'no');
    await expect(read(digest)).rejects.toMatchObject({ name: 'CloudError', status, retryable });
  });

  it.each(['evil.example/a/b@', 'us-central1-docker.pkg.dev.evil.example/my-project/r/n@'])(
    'at %j gets no token',
    async (where) => {
      const rest = createRest({
        endpoint: { kind: 'production' },
        accessToken: () => Promise.reject(new Error('was asked for a token')),
      });
      const programs = createImagePrograms(rest, createSender());
      await expect(programs.read(`${where}${digestOf('x')}`)).rejects.toMatchObject({
        name: 'UserError',
      });
    },
  );
});
