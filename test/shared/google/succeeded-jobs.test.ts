import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stepPorts, type StepPorts } from '../../../shared/google/step-ports.ts';
import { googleError, startLocalService, type LocalService } from './local-service.ts';

let service: LocalService;
let ports: StepPorts;

beforeAll(async () => {
  service = await startLocalService();
  const clock = { sleep: () => Promise.resolve() };
  ports = stepPorts({ endpoint: service.endpoint, clock });
});
afterAll(() => service.close());

const parent = 'projects/demo-project/locations/us-central1';
const labels = { 'trainyard-tier': 'base', 'trainyard-repository': '1001' };
const where = {
  ...{ project: 'demo-project', region: 'us-central1', labels },
  since: new Date('2026-01-01T00:00:00.000Z'),
};

function job(id: string, createTime: string, more: object = {}) {
  return {
    name: `${parent}/customJobs/${id}`,
    ...{ state: 'JOB_STATE_SUCCEEDED', labels, createTime },
    jobSpec: { baseOutputDirectory: { outputUriPrefix: `gs://results/${id}/` } },
    ...more,
  };
}

describe('succeeded jobs', () => {
  it('are asked for by labels, state and time, page by page', async () => {
    const pages: Readonly<Record<string, object>> = {
      '': { customJobs: [job('1', '2026-01-02T00:00:00Z')], nextPageToken: 'p2' },
      p2: {
        customJobs: [job('3', '2026-01-04T00:00:00Z'), job('2', '2026-01-03T00:00:00Z')],
      },
    };
    service.behave(({ query }) => ({ json: pages[query.get('pageToken') ?? ''] }));
    const found = await ports.succeededJobs.list(where);
    expect(found.map(({ spec }) => spec.baseOutputDirectory?.outputUriPrefix)).toEqual([
      'gs://results/1/',
      'gs://results/3/',
      'gs://results/2/',
    ]);
    expect(service.requests.map(({ path }) => path)).toEqual(
      Array(2).fill(`/v1/${parent}/customJobs`),
    );
    expect(service.requests[0]?.query.get('filter')).toBe(
      'labels.trainyard-tier=base AND labels.trainyard-repository=1001 AND state="JOB_STATE_SUCCEEDED" AND create_time>="2026-01-01T00:00:00.000Z"',
    );
    expect(service.requests[0]?.query.get('pageSize')).toBe('100');
  });

  it('stops after 20 pages of a list without end', async () => {
    service.behave(() => ({
      json: { customJobs: [job('1', '2026-01-02T00:00:00Z')], nextPageToken: 'more' },
    }));
    expect(await ports.succeededJobs.list(where)).toHaveLength(20);
  });

  it.each([
    ['another label', { labels: { ...labels, 'trainyard-tier': 'pull' } }],
    ['no labels', { labels: undefined }],
    ['another state', { state: 'JOB_STATE_FAILED' }],
  ])('leaves out what the service was not asked for: %s', async (_what, more) => {
    service.behave(() => ({ json: { customJobs: [job('1', '2026-01-02T00:00:00Z', more)] } }));
    expect(await ports.succeededJobs.list(where)).toEqual([]);
  });

  it.each([
    ['a value', { ...where, labels: { 'trainyard-tier': 'base OR state=x' } }],
    ['a key', { ...where, labels: { 'a b': 'base' } }],
    ['a region', { ...where, region: 'evil.example/' }],
  ])('asks nothing with %s that has no place in a filter or an address', async (_what, wrong) => {
    service.behave(() => ({ json: {} }));
    await expect(ports.succeededJobs.list(wrong)).rejects.toMatchObject({ reason: 'bad_config' });
    expect(service.requests).toEqual([]);
  });

  it('says that they may not be listed', async () => {
    service.behave(() => googleError(403, 'PERMISSION_DENIED', 'no'));
    const failure = { operation: 'customJobs.list', status: 403, retryable: false };
    await expect(ports.succeededJobs.list(where)).rejects.toMatchObject(failure);
  });
});
