import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { googlePorts } from '../../../shared/google/index.ts';
import { startLocalService, type LocalService } from './local-service.ts';

let service: LocalService;

beforeAll(async () => {
  service = await startLocalService();
});
afterAll(() => service.close());

const parent = 'projects/demo-project/locations/us-central1';

function job(id: string, owner: string, state = 'JOB_STATE_RUNNING') {
  return {
    name: `${parent}/customJobs/${id}`,
    ...{ state, labels: { 'trainyard-owner': owner }, createTime: '2026-01-02T00:00:00Z' },
    jobSpec: {
      workerPoolSpecs: [{ machineSpec: { machineType: 'n1-standard-4' }, replicaCount: '2' }],
    },
  };
}

it('are asked for by owner and time, in whatever state, page by page', async () => {
  const clock = { sleep: () => Promise.resolve() };
  const ports = googlePorts({ endpoint: service.endpoint, clock });
  const pages: Readonly<Record<string, object>> = {
    '': { customJobs: [job('1', 'workflow')], nextPageToken: 'p2' },
    // A list that gives more than was asked for is not believed.
    p2: { customJobs: [job('2', 'workflow', 'JOB_STATE_FAILED'), job('3', 'mine')] },
  };
  service.behave(({ query }) => ({ json: pages[query.get('pageToken') ?? ''] }));
  const found = await ports.startedJobs.list({
    ...{ project: 'demo-project', region: 'us-central1', owner: 'workflow' },
    since: new Date('2026-01-01T00:00:00.000Z'),
  });
  expect(found.map(({ snapshot: { id, state } }) => [id, state])).toEqual([
    ['1', 'running'],
    ['2', 'failed'],
  ]);
  expect(found[0]?.spec.workerPoolSpecs[0]).toMatchObject({
    machineSpec: { machineType: 'n1-standard-4' },
    replicaCount: '2',
  });
  expect(service.requests.map(({ path }) => path)).toEqual(
    Array(2).fill(`/v1/${parent}/customJobs`),
  );
  expect(service.requests[0]?.query.get('filter')).toBe(
    'labels.trainyard-owner=workflow AND create_time>="2026-01-01T00:00:00.000Z"',
  );
});
