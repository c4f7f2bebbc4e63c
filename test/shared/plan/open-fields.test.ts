import { describe, expect, it } from '@jest/globals';
import type { CustomJobSpec } from '../../../shared/config/job-spec.ts';
import { forbiddenFields, openableFields } from '../../../shared/plan/open-fields.ts';

const spec = {
  tensorboard: 't',
  experiment: 'e',
  serviceAccount: 'a@b',
  workerPoolSpecs: [
    { machineSpec: { machineType: 'n1-standard-4', reservationAffinity: {} }, nfsMounts: [] },
  ],
} as unknown as CustomJobSpec;

describe('forbiddenFields', () => {
  it('keeps closed what nobody opened', () => {
    expect(forbiddenFields(spec)).toEqual([
      'tensorboard',
      'experiment',
      'serviceAccount',
      'workerPoolSpecs[0].nfsMounts',
      'workerPoolSpecs[0].machineSpec.reservationAffinity',
    ]);
  });

  it('opens what the policy names, and never identity, output, network or a shell', () => {
    const all = [...openableFields, 'serviceAccount', 'network', 'enableWebAccess', 'nfsMounts'];
    expect(forbiddenFields(spec, ['tensorboard'])).not.toContain('tensorboard');
    expect(forbiddenFields(spec, all)).toEqual(['serviceAccount', 'workerPoolSpecs[0].nfsMounts']);
  });
});
