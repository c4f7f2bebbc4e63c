import { expect, it } from '@jest/globals';
import { consoleLinks } from '../../app/console-links.ts';
import { running } from '../shared/report/runs.ts';
import { plan } from '../shared/world.ts';

it('leads to the job where it is, which may be another region than the first', () => {
  expect(consoleLinks(running).job).toContain('/locations/us-central1/training/1?');
  const elsewhere = [{ ...plan.job, region: 'us-east1' }];
  const attempt = {
    region: 'us-central1',
    endTime: '2026-01-02T03:00:30Z',
    reason: 'stockout',
    message: 'no machine was free.',
  } as const;
  const moved = { ...running, plan: { ...plan, elsewhere }, attempts: [attempt] };
  expect(consoleLinks(moved).job).toContain('/locations/us-east1/training/1?');
});
