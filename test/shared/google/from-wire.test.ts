import { describe, expect, it } from '@jest/globals';
import {
  fromBuild,
  fromJob,
  fromJobState,
  fromTimestamp,
} from '../../../shared/google/from-wire.ts';

describe('from the wire', () => {
  it.each([
    ['JOB_STATE_QUEUED', 'queued'],
    ['JOB_STATE_PARTIALLY_SUCCEEDED', 'partially_succeeded'],
    [3, 'running'],
    [6, 'cancelling'],
    [0, 'unknown'],
    [99, 'unknown'],
    ['JOB_STATE_DREAMING', 'unknown'],
    [null, 'unknown'],
    [undefined, 'unknown'],
  ])('reads the job state %j as %s', (wire, state) => {
    expect(fromJobState(wire)).toBe(state);
  });

  it.each([
    ['WORKING', 'working'],
    [10, 'pending'],
    ['7', 'cancelled'],
    [8, 'unknown'],
    ['constructor', 'unknown'],
    [null, 'unknown'],
  ])('reads the build status %j as %s', (status, expected) => {
    expect(fromBuild({ status }, 'projects/p/locations/r/builds/1').status).toBe(expected);
  });

  it.each([
    [{ seconds: '1767323045', nanos: 678_901_000 }, '2026-01-02T03:04:05.678Z'],
    [{ seconds: 1_767_323_045 }, '2026-01-02T03:04:05.000Z'],
    [{ seconds: { toString: () => '1767323045' }, nanos: null }, '2026-01-02T03:04:05.000Z'],
    [{ seconds: '9'.repeat(30) }, undefined],
    [null, undefined],
  ])('reads the instant %j', (wire, iso) => {
    expect(fromTimestamp(wire)).toBe(iso);
  });

  it('says what a job runs, as whom, and for how long', () => {
    const jobSpec = {
      serviceAccount: 'trainer@demo-project.iam.gserviceaccount.com',
      scheduling: { timeout: { seconds: '3600' } },
      workerPoolSpecs: [{ containerSpec: { imageUri: 'a@sha256:b' } }, {}, { containerSpec: null }],
    };
    expect(fromJob({ name: 'j', jobSpec })).toMatchObject({
      serviceAccount: jobSpec.serviceAccount,
      timeoutSeconds: 3_600,
      images: ['a@sha256:b', '', ''],
    });
    const account = 'projects/p/serviceAccounts/b@p.iam.gserviceaccount.com';
    expect(fromBuild({ serviceAccount: account }, 'b').serviceAccount).toBe(account);
  });

  it('needs no field but can do without any', () => {
    expect(fromJob({})).toEqual({ name: '', id: '', state: 'unknown', labels: {} });
    expect(fromBuild({}, 'projects/p/locations/r/builds/1')).toEqual({
      name: 'projects/p/locations/r/builds/1',
      id: '1',
      status: 'unknown',
      tags: [],
      images: [],
    });
  });
});
