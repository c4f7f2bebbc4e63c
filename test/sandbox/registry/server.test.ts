import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mediaTypes } from '../../../sandbox/registry/manifest.ts';
import { openRegistry, type Registry } from '../../../sandbox/registry/registry.ts';
import { startRegistry, type RegistryServer } from '../../../sandbox/registry/server.ts';

const digestOf = (bytes: string | Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

interface ErrorBody {
  errors: { code: string }[];
}

describe('the registry', () => {
  let directory: string;
  let registry: Registry;
  let server: RegistryServer;
  const path = 'demo-project/trainyard/digits';
  const name = `us-central1-docker.pkg.dev/${path}`;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'registry-test-'));
    registry = await openRegistry({ dataDir: directory });
    server = await startRegistry({ registry, port: 0 });
  });

  afterAll(async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });

  const call = (route: string, init?: RequestInit): Promise<Response> =>
    fetch(`${server.url}/v2/${route}`, init);
  const codeOf = async (response: Response): Promise<string | undefined> =>
    ((await response.json()) as ErrorBody).errors[0]?.code;

  /** As docker does it: POST, PATCH, PUT. */
  const pushBlob = async (content: string, digest = digestOf(content)): Promise<Response> => {
    const begun = await call(`${path}/blobs/uploads/`, { method: 'POST' });
    expect(begun.status).toBe(202);
    const location = `${server.url}${begun.headers.get('location') ?? ''}`;
    const half = Math.floor(content.length / 2);
    const headers = { 'content-range': `0-${half - 1}` };
    const patched = await fetch(location, {
      method: 'PATCH',
      body: content.slice(0, half),
      headers,
    });
    expect(patched.status).toBe(202);
    expect(patched.headers.get('range')).toBe(`0-${half - 1}`);
    return fetch(`${location}?digest=${digest}`, { method: 'PUT', body: content.slice(half) });
  };

  const manifestOf = (config: string, layer: string): string =>
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.config, digest: digestOf(config), size: config.length },
      layers: [{ mediaType: mediaTypes.layer, digest: digestOf(layer), size: layer.length }],
    });

  const putManifest = (reference: string, body: string): Promise<Response> =>
    call(`${path}/manifests/${reference}`, {
      method: 'PUT',
      body,
      headers: { 'content-type': mediaTypes.manifest },
    });

  it('says that it is there', async () => {
    const response = await call('');
    expect(response.status).toBe(200);
    expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
  });

  it('gives back what was pushed, by tag and by digest', async () => {
    expect((await pushBlob('{"config":1}')).status).toBe(201);
    expect((await pushBlob('a layer')).status).toBe(201);
    const body = manifestOf('{"config":1}', 'a layer');
    const pushed = await putManifest('v1', body);
    expect(pushed.status).toBe(201);
    const digest = digestOf(body);
    expect(pushed.headers.get('docker-content-digest')).toBe(digest);
    for (const reference of ['v1', digest]) {
      const pulled = await call(`${path}/manifests/${reference}`);
      expect(pulled.headers.get('content-type')).toBe(mediaTypes.manifest);
      expect(await pulled.text()).toBe(body);
    }
    const blob = await call(`${path}/blobs/${digestOf('a layer')}`);
    expect(await blob.text()).toBe('a layer');
    const head = await call(`${path}/blobs/${digestOf('a layer')}`, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe('7');
    const tags = await call(`${path}/tags/list`);
    expect(await tags.json()).toEqual({ name: path, tags: ['v1'] });
    const [image] = await registry.listImages('us-central1-docker.pkg.dev/demo-project/trainyard');
    expect(image).toMatchObject({ name, digest, tags: ['v1'], sizeBytes: 19 });
  });

  it('moves a tag, and finds everything again after a restart', async () => {
    await pushBlob('other layer');
    const body = manifestOf('{"config":1}', 'other layer');
    await putManifest('v1', body);
    await putManifest('constructor', body);
    const again = await openRegistry({ dataDir: directory });
    expect((await again.getManifest(name, 'v1'))?.digest).toBe(digestOf(body));
    expect(await again.listTags(name)).toEqual(['constructor', 'v1']);
    expect(await again.getManifest(name, 'toString')).toBeUndefined();
    expect(await again.deleteTag(name, 'constructor')).toBe(true);
    expect(await again.deleteTag(name, 'constructor')).toBe(false);
  });

  it('mounts a blob that another repository has', async () => {
    const known = digestOf('a layer');
    const mount = (digest: string): Promise<Response> =>
      call(`demo-project/other/x/blobs/uploads/?mount=${digest}&from=${path}`, { method: 'POST' });
    expect((await mount(known)).status).toBe(201);
    expect((await mount(digestOf('unknown'))).status).toBe(202);
  });

  it('lists images of whole path components only', async () => {
    const prefix = 'us-central1-docker.pkg.dev/demo-project/train';
    expect(await registry.listImages(prefix)).toEqual([]);
  });

  it('refuses content that is not what its digest says, and keeps nothing', async () => {
    const claimed = digestOf('something else');
    const response = await pushBlob('not that', claimed);
    expect(response.status).toBe(400);
    expect(await codeOf(response)).toBe('DIGEST_INVALID');
    expect((await call(`${path}/blobs/${claimed}`)).status).toBe(404);
    expect((await call(`${path}/blobs/${digestOf('not that')}`)).status).toBe(404);
  });

  it('refuses a manifest under a digest that is not its own', async () => {
    const body = manifestOf('{"config":1}', 'a layer');
    const response = await putManifest(digestOf('else'), body);
    expect(await codeOf(response)).toBe('DIGEST_INVALID');
  });

  it('refuses a chunk that does not follow the last one', async () => {
    const begun = await call(`${path}/blobs/uploads/`, { method: 'POST' });
    const location = `${server.url}${begun.headers.get('location') ?? ''}`;
    const headers = { 'content-range': '5-9' };
    const response = await fetch(location, { method: 'PATCH', body: 'xxxxx', headers });
    expect(response.status).toBe(416);
  });

  it.each([
    [
      'a manifest whose layer is missing',
      manifestOf('{"config":1}', 'gone'),
      'MANIFEST_BLOB_UNKNOWN',
    ],
    ['a manifest that is not JSON', 'hello', 'MANIFEST_INVALID'],
    ['a manifest of another shape', '{"schemaVersion":1}', 'MANIFEST_INVALID'],
    [
      'a manifest that lies about a size',
      manifestOf('{"config":1}', 'a layer').replace('"size":7', '"size":8'),
      'MANIFEST_INVALID',
    ],
  ])('refuses %s', async (_what, body, code) => {
    expect(await codeOf(await putManifest('bad', body))).toBe(code);
  });

  it.each([
    ['demo-project/Upper/manifests/v1', 'NAME_INVALID', 400],
    ['demo-project/x/manifests/.bad', 'TAG_INVALID', 400],
    ['demo-project/x/manifests/sha256:12', 'DIGEST_INVALID', 400],
    ['demo-project/x/manifests/%2e%2e%2f', 'TAG_INVALID', 400],
    ['demo-project/x/manifests/none', 'MANIFEST_UNKNOWN', 404],
    ['demo-project/none/tags/list', 'NAME_UNKNOWN', 404],
    [`demo-project/x/blobs/${digestOf('none')}`, 'BLOB_UNKNOWN', 404],
    ['demo-project/x/blobs/uploads/nobody', 'BLOB_UPLOAD_UNKNOWN', 404],
    ['nothing', 'UNSUPPORTED', 404],
  ])('GET %s: %s', async (route, code, status) => {
    const response = await call(route);
    expect(response.status).toBe(status);
    expect(await codeOf(response)).toBe(code);
  });

  it('refuses a manifest that is too large', async () => {
    const response = await putManifest('big', ' '.repeat(4 * 1024 * 1024 + 1));
    expect(response.status).toBe(413);
  });

  it('is shut to other hosts', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { host: 'evil.example' };
      request(`${server.url}/v2/`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });
});
