import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { googlePorts } from '../../../shared/google/index.ts';
import { startLocalService, type LocalService } from './local-service.ts';

let service: LocalService;
let ports: ReturnType<typeof googlePorts>;

beforeAll(async () => {
  service = await startLocalService();
  ports = googlePorts({ endpoint: service.endpoint });
});
afterAll(async () => {
  await service.close();
});

it('asks for the newest entries once, and gives their lines oldest first', async () => {
  service.behave(() => ({
    json: {
      entries: [
        { insertId: 'c', timestamp: '2026-01-02T00:00:02Z', textPayload: 'four' },
        { insertId: 'b', timestamp: '2026-01-02T00:00:01Z', textPayload: 'two\nthree\n' },
        { insertId: 'a', timestamp: '2026-01-02T00:00:00Z', textPayload: 'one' },
      ],
      nextPageToken: 'there is more, and nobody asks for it',
    },
  }));
  const where = { project: 'demo-project', jobId: '42', since: '2026-01-01T00:00:00Z', limit: 3 };
  const lines = await ports.logTails?.tail(where);
  expect(lines?.map(({ text }) => text)).toEqual(['one', 'two', 'three', 'four']);
  expect(service.requests).toHaveLength(1);
  expect(JSON.parse(service.requests[0]!.body)).toEqual({
    resourceNames: ['projects/demo-project'],
    filter:
      'resource.type="ml_job" AND resource.labels.job_id="42" AND timestamp>="2026-01-01T00:00:00.000Z"',
    orderBy: 'timestamp desc',
    pageSize: 3,
  });
});
