/** Where a new project may build, and what Cloud Build says of everywhere else. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { regions } from '../../../sandbox/google/state/regions.ts';
import { startTriggerWorld, type TriggerWorld } from './trigger-world.ts';
import { startWorld, type World } from './world.ts';

const steps = [{ name: 'ubuntu', args: ['true'] }];
const allowed = [
  ...['global', 'us-central1', 'us-west2', 'europe-west1', 'asia-east1'],
  ...['australia-southeast1', 'southamerica-east1'],
];
const words =
  'failed precondition: due to quota restrictions, cannot run builds in this region, see https://cloud.google.com/build/docs/locations#restricted_regions_for_some_projects';
const restricted = { error: { code: 400, status: 'FAILED_PRECONDITION', message: words } };

describe('a build', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  const create = (location: string, build: object = {}) =>
    world.call('POST', `/v1/projects/demo-project/locations/${location}/builds`, {
      steps,
      ...build,
    });

  it.each(['global', ...regions])('in %s runs, or is refused and not kept', async (location) => {
    const answer = await create(location);
    const path = `/v1/projects/demo-project/locations/${location}/builds`;
    const { body } = await world.call('GET', path);
    if (allowed.includes(location)) {
      expect(answer.status).toBe(200);
      expect(body).toMatchObject({ builds: [{ steps }] });
    } else {
      expect(answer.body).toEqual(restricted);
      expect(body).toEqual({});
    }
  });

  it('runs in the region of a private pool, whose quota is another one', async () => {
    const name = 'projects/demo-project/locations/europe-west3/workerPools/w';
    expect((await create('europe-west3', { options: { pool: { name } } })).status).toBe(200);
  });

  it('is told first what is wrong with itself', async () => {
    const { body } = await create('europe-west3', { steps: [] });
    expect(body).toMatchObject({ error: { status: 'INVALID_ARGUMENT' } });
  });

  it('finds no place that does not exist', async () => {
    const { body } = await create('wonderland');
    const message = "Permission denied on 'locations/wonderland' (or it may not exist).";
    expect(body).toEqual({ error: { code: 403, status: 'PERMISSION_DENIED', message } });
  });
});

describe('a trigger in a restricted region', () => {
  let world: TriggerWorld;
  beforeAll(async () => {
    world = await startTriggerWorld({ locations: ['europe-west3'] });
  });
  afterAll(() => world.close());

  it('is created and builds nothing: whoever runs it is told, or else the history', async () => {
    const github = { owner: 'acme', name: 'digits', push: { branch: '^main$' } };
    const id = await world.create({ name: 'there', build: { steps }, github }, 'europe-west3');
    const name = `projects/demo-project/locations/europe-west3/triggers/${id}`;
    const run = world.call('POST', `${name}:run`, { source: { branchName: 'main' } });
    await expect(run).rejects.toThrow(JSON.stringify(words));

    await world.push('main', { 'a.txt': '1\n' });
    expect(await world.builds(id, 1, 'europe-west3')).toMatchObject([
      {
        status: 'FAILURE',
        statusDetail:
          'Failed to trigger build: generic::failed_precondition: due to quota restrictions, cannot run builds in this region, see https://cloud.google.com/build/docs/locations#restricted_regions_for_some_projects',
      },
    ]);
  });
});
