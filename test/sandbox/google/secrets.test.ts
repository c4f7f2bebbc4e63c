/** Secret Manager and the metadata servers of jobs, asked as production is. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fakeExecutor, parent, project, projectNumber, startWorld, type World } from './world.ts';

const secrets = `/v1/projects/${project}/secrets`;
const trainer = `trainer@${project}.iam.gserviceaccount.com`;
const automatic = { replication: { automatic: {} } };
const payload = { data: Buffer.from('value').toString('base64') };

let world: World;
beforeEach(async () => {
  world = await startWorld();
  await made(world, 's');
});
afterEach(() => world.close());

async function made(at: World, id: string): Promise<void> {
  expect(await at.call('POST', `${secrets}?secretId=${id}`, automatic)).toMatchObject({
    status: 200,
  });
  expect(await at.call('POST', `${secrets}/${id}:addVersion`, { payload })).toMatchObject({
    status: 200,
    body: { name: `projects/${projectNumber}/secrets/${id}/versions/1`, state: 'ENABLED' },
  });
}

describe('a secret', () => {
  it.each(['1', 'latest'])('is read by its version %s, with its checksum', async (version) => {
    expect(await world.call('GET', `${secrets}/s/versions/${version}:access`)).toMatchObject({
      status: 200,
      body: {
        name: `projects/${projectNumber}/secrets/s/versions/1`,
        payload: { ...payload, dataCrc32c: '3789554531' },
      },
    });
  });

  it.each<[string, string, string, unknown, number, RegExp]>([
    [
      'a version that is not there',
      'GET',
      '/s/versions/2:access',
      undefined,
      404,
      /versions\/2\] not found/,
    ],
    [
      'no secret',
      'GET',
      '/t/versions/1:access',
      undefined,
      404,
      /\[projects\/\d+\/secrets\/t\] not found/,
    ],
    ['one that is there already', 'POST', '?secretId=s', automatic, 409, /already exists/],
    ['no replication', 'POST', '?secretId=t', {}, 400, /'replication' is required/],
    ['a bad name', 'POST', '?secretId=a.b', automatic, 400, /Invalid secret id/],
    ['no Base64', 'POST', '/s:addVersion', { payload: { data: '%' } }, 400, /Base64/],
    [
      'a wrong checksum',
      'POST',
      '/s:addVersion',
      { payload: { ...payload, dataCrc32c: '1' } },
      400,
      /checksum/,
    ],
    ['no number of a page', 'GET', '?pageSize=x', undefined, 400, /page_size/],
    ['a filter', 'GET', '?filter=x', undefined, 400, /does not filter/],
    ['an unknown field', 'POST', '/s:addVersion', { data: 'x' }, 400, /Unknown name ..data/],
    [
      'a member of no kind',
      'POST',
      '/s:setIamPolicy',
      { policy: { bindings: [{ role: 'roles/a.b', members: ['me'] }] } },
      400,
      /unknown type/,
    ],
  ])('is refused with %s', async (_what, verb, path, body, status, says) => {
    const answer = await world.call(verb, `${secrets}${path}`, body);
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(says);
  });

  it('is listed in pages with what it is labelled, and found no more when it was deleted', async () => {
    const described = { ...automatic, labels: { team: 'a' }, annotations: { note: 'B c' } };
    await world.call('POST', `${secrets}?secretId=other`, described);
    const first = await world.call('GET', `${secrets}?pageSize=1`);
    expect(first.body).toMatchObject({
      secrets: [{ name: `projects/${projectNumber}/secrets/other`, ...described }],
      totalSize: 2,
    });
    const { nextPageToken = '' } = first.body as { nextPageToken?: string };
    const { body } = await world.call('GET', `${secrets}?pageToken=${nextPageToken}`);
    expect(body).toMatchObject({ secrets: [{ name: `projects/${projectNumber}/secrets/s` }] });
    expect(body).not.toHaveProperty('nextPageToken');

    expect(await world.call('DELETE', `${secrets}/s`)).toMatchObject({ status: 200, body: {} });
    expect(await world.call('GET', `${secrets}/s/versions/1:access`)).toMatchObject({
      status: 404,
    });
    expect(await world.call('DELETE', `${secrets}/s`)).toMatchObject({ status: 404 });
  });

  it('shows its versions without what is in them, newest first', async () => {
    await world.call('POST', `${secrets}/s:addVersion`, { payload });
    const name = `projects/${projectNumber}/secrets/s/versions`;
    const createTime = expect.any(String);
    const version = (number: number) => ({
      ...{ name: `${name}/${number}`, createTime, state: 'ENABLED' },
    });
    const { body } = await world.call('GET', `${secrets}/s/versions`);
    expect(body).toEqual({ versions: [version(2), version(1)], totalSize: 2 });
    expect((await world.call('GET', `${secrets}/s/versions/latest`)).body).toEqual(version(2));
  });

  it('is of this project only', async () => {
    expect(await world.call('GET', '/v1/projects/other/secrets/s/versions/1:access')).toMatchObject(
      { status: 403 },
    );
  });

  it('is not read while its version is disabled', async () => {
    await world.call('POST', `${secrets}/s/versions/1:disable`, {});
    expect(await world.call('GET', `${secrets}/s/versions/latest:access`)).toMatchObject({
      status: 400,
      body: { error: { status: 'FAILED_PRECONDITION' } },
    });
    await world.call('POST', `${secrets}/s/versions/1:enable`, {});
    expect(await world.call('GET', `${secrets}/s/versions/1:access`)).toMatchObject({
      status: 200,
    });
  });

  it('survives a restart', async () => {
    world = await world.restart();
    expect(await world.call('GET', `${secrets}/s/versions/1:access`)).toMatchObject({
      status: 200,
    });
  });

  it('does not open to a token that nobody has given', async () => {
    const headers = { authorization: 'Bearer ya29.mine' };
    const answer = await world.call('GET', `${secrets}/s/versions/1:access`, undefined, headers);
    expect(answer).toMatchObject({ status: 401, body: { error: { status: 'UNAUTHENTICATED' } } });
  });
});

describe('a job', () => {
  /** What a job of that account is told when it asks as its metadata server lets it. */
  async function asJob(serviceAccount?: string) {
    const told: { token?: string; answer?: Response; foreign?: number } = {};
    const executor = fakeExecutor({
      run: async ({ env }) => {
        const metadata = `http://${env['GCE_METADATA_HOST']}/computeMetadata/v1/instance/service-accounts/default`;
        const headers = { 'Metadata-Flavor': 'Google' };
        told.foreign = (await fetch(`${metadata}/token`)).status;
        const answer = await fetch(`${metadata}/token`, { headers });
        told.token = ((await answer.json()) as { access_token: string }).access_token;
        told.answer = await fetch(
          `${env['TRAINYARD_GOOGLE_ENDPOINT']}${secrets}/s/versions/1:access`,
          {
            headers: { authorization: `Bearer ${told.token}` },
          },
        );
        return { exitCode: 0, signal: null };
      },
    });
    await world.close();
    world = await startWorld({ executor });
    await made(world, 's');
    const policy = {
      bindings: [
        { role: 'roles/secretmanager.secretAccessor', members: [`serviceAccount:${trainer}`] },
      ],
    };
    await world.call('POST', `${secrets}/s:setIamPolicy`, { policy });
    const created = await world.call('POST', `/v1/${parent}/customJobs`, {
      displayName: 'j',
      jobSpec: {
        ...(serviceAccount === undefined ? {} : { serviceAccount }),
        workerPoolSpecs: [
          {
            machineSpec: { machineType: 'n1-standard-4' },
            replicaCount: '1',
            containerSpec: {
              imageUri: `us-central1-docker.pkg.dev/${project}/trainyard/digits:v1`,
            },
          },
        ],
      },
    });
    const { name } = created.body as { name: string };
    for (;;) {
      const { state } = (await world.call('GET', `/v1/${name}`)).body as { state: string };
      if (state === 'JOB_STATE_SUCCEEDED') break;
      expect(state).not.toBe('JOB_STATE_FAILED');
    }
    return told;
  }

  it.each<[string, string | undefined, number, RegExp]>([
    ['the account that was granted it', trainer, 200, /"dataCrc32c"/],
    [
      'another account',
      `other@${project}.iam.gserviceaccount.com`,
      403,
      /'secretmanager\.versions\.access' denied/,
    ],
    ["Google's agent", undefined, 403, /insufficient authentication scopes/],
  ])('reads a secret as %s', async (_who, account, status, says) => {
    const { answer, foreign, token } = await asJob(account);
    expect(foreign).toBe(403);
    expect(answer?.status).toBe(status);
    expect(await answer?.text()).toMatch(says);
    // The token ends with the job.
    const headers = { authorization: `Bearer ${token ?? ''}` };
    const later = await world.call('GET', `${secrets}/s/versions/1:access`, undefined, headers);
    expect(later.status).toBe(401);
  });
});
