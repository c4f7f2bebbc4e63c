/** Which names an image can be pushed under. */
import { expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkRepository } from '../../../sandbox/google/artifacts/check-repository.ts';
import { startSandbox } from '../../../sandbox/start.ts';

const name = 'projects/demo-project/locations/us-central1/repositories/trainyard';
const repositories = {
  get: (asked: string) => (asked === name ? { name } : undefined),
};
const host = 'us-central1-docker.pkg.dev';

it.each([
  ['in a repository', `${host}/demo-project/trainyard/digits`, undefined],
  ['below a directory of one', `${host}/demo-project/trainyard/a/b`, undefined],
  ['at another registry', 'gcr.io/demo-project/digits', undefined],
  ['in a repository that is not there', `${host}/demo-project/nope/digits`, /"nope" not found/],
  ['in another project', `${host}/other/trainyard/digits`, /"trainyard" not found/],
  ['in another region', 'us-east1-docker.pkg.dev/demo-project/trainyard/digits', /not found/],
  ['in no project', `${host}/digits`, /Invalid image name/],
  ['as the repository itself', `${host}/demo-project/trainyard`, /Invalid image name/],
])('an image %s', (_name, image, refusal) => {
  const check = (): void => checkRepository(repositories, image);
  if (refusal === undefined) expect(check).not.toThrow();
  else expect(check).toThrow(refusal);
});

it("is asked of Artifact Registry before the sandbox's registry takes an image", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'trainyard-push-'));
  const sandbox = await startSandbox({ dataDir, port: 0, app: false, realistic: false });
  const config = { digest: `sha256:${'0'.repeat(64)}`, mediaType: 'application/json', size: 1 };
  const push = async (path: string): Promise<unknown> => {
    const answer = await fetch(`${sandbox.description.registry}/v2/${path}/manifests/one`, {
      method: 'PUT',
      headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
      body: JSON.stringify({ schemaVersion: 2, config, layers: [] }),
    });
    return answer.json();
  };
  expect(await push('demo-project/nope/digits')).toMatchObject({
    errors: [{ code: 'NAME_UNKNOWN', message: 'Repository "nope" not found' }],
  });
  expect(await push('demo-project/trainyard/digits')).toMatchObject({
    errors: [{ code: 'MANIFEST_BLOB_UNKNOWN' }],
  });
  await sandbox.close();
  await rm(dataDir, { recursive: true, force: true });
});
