/** Google's error texts, quoted from its documents and users' reports, and the reason each one gets. */
import { describe, expect, it } from '@jest/globals';
import { classifyBuild, classifyJob, classifyRefusal } from '../../../shared/watch/classify.ts';
import type { BuildSnapshot, JobSnapshot } from '../../../shared/watch/run.ts';

const job = (state: JobSnapshot['state'], message?: string): JobSnapshot => ({
  name: 'projects/p/locations/r/customJobs/1',
  id: '1',
  state,
  labels: {},
  ...(message === undefined ? {} : { error: { code: 3, message } }),
});

describe('classifyJob', () => {
  const cases: [text: string | undefined, tail: string[], reason: string][] = [
    [
      'The replica workerpool0-0 exited with a non-zero status of 3. To find out more …',
      [],
      'user_code_exit',
    ],
    ['The replica workerpool0-0 exited with a non-zero status of 137.', [], 'out_of_memory'],
    [
      'The replica workerpool0-0 ran out of memory and exited with a non-zero status of 9.',
      [],
      'out_of_memory',
    ],
    [
      'The replica workerpool0-0 exited with a non-zero status of 1.',
      ['RuntimeError: CUDA out of memory. Tried to'],
      'cuda_out_of_memory',
    ],
    [
      'The replica workerpool0-0 exited with a non-zero status of 1.',
      [
        "trainyard: could not get the secret KEY (projects/p/secrets/s/versions/1) as the job's account, which needs roles/secretmanager.secretAccessor on it: HTTP 403: Permission denied",
      ],
      'permission_denied',
    ],
    [
      'The replica workerpool0-0 exited with a non-zero status of 1.',
      ["trainyard: could not get the secret KEY (x) as the job's account: HTTP 404: not found"],
      'bad_config',
    ],
    [
      'The replica workerpool0-0 exited with a non-zero status of 127.',
      ['trainyard: secrets_env needs Python 3 in the image, and there is no python3 or python'],
      'bad_config',
    ],
    [
      'The replica workerpool0-0 exited with a non-zero status of 1.',
      ['a program that says trainyard: could not get the secret'],
      'user_code_exit',
    ],
    // What a program had said is not why its machine was taken from it.
    [
      'The replica workerpool0-0 was preempted.',
      ['RuntimeError: CUDA out of memory, trying a smaller batch'],
      'preempted',
    ],
    [
      'Resources are insufficient in region: us-central1. Please try a different region',
      [],
      'stockout',
    ],
    [
      'The following quota metrics exceed quota limits: aiplatform.googleapis.com/custom_model_training_nvidia_t4_gpus',
      [],
      'quota',
    ],
    ['Internal error occurred for the current attempt.', [], 'internal'],
    [undefined, [], 'internal'],
  ];
  it.each(cases)('%s', (text, tail, reason) => {
    const result = classifyJob(job('failed', text), tail, 3600);
    expect(result.reason).toBe(reason);
    expect(result.message).toMatch(/\.$/);
    expect(result.fix).toMatch(/\.$/);
  });

  it('knows an expired and a cancelled job by their state', () => {
    const startTime = '2026-01-01T00:00:00Z';
    expect(classifyJob({ ...job('expired'), startTime }, [], 7_200)).toMatchObject({
      reason: 'timeout',
      message: 'the job was ended after its timeout of 2h.',
    });
    expect(classifyJob(job('expired'), [], 60).reason).toBe('start_timeout');
    expect(classifyJob(job('cancelled'), [], 60).reason).toBe('cancelled');
  });

  it('bounds what it quotes', () => {
    expect(classifyJob(job('failed', 'x'.repeat(100_000)), [], 60).message.length).toBeLessThan(
      400,
    );
  });
});

describe('classifyBuild', () => {
  const build = (status: BuildSnapshot['status'], statusDetail?: string): BuildSnapshot => ({
    name: 'projects/p/locations/global/builds/1',
    id: '1',
    status,
    tags: [],
    images: [],
    ...(statusDetail === undefined ? {} : { statusDetail }),
  });
  const cases: [status: BuildSnapshot['status'], detail: string | undefined, reason: string][] = [
    ['failure', 'Build step 0 failed: exited with status 1', 'build_failed'],
    ['failure', undefined, 'build_failed'],
    ['timeout', undefined, 'build_timeout'],
    ['expired', undefined, 'build_timeout'],
    ['cancelled', undefined, 'cancelled'],
    ['internal_error', undefined, 'internal'],
    ['failure', 'constraints/compute.vmExternalIpAccess', 'org_policy'],
  ];
  it.each(cases)('%s %s', (status, detail, reason) => {
    expect(classifyBuild(build(status, detail)).reason).toBe(reason);
  });

  const step = 'Build step failure: build step 0 "gcr.io/cloud-builders/docker@sha256:0f" failed: ';
  it.each([
    [
      `${step}Dockerfile:8: COPY failed: file not found: nowhere.txt`,
      '`Dockerfile:8`: COPY failed: file not found: nowhere.txt',
      'Correct line 8 of `Dockerfile` and push.',
    ],
    [
      `${step}images/train.Dockerfile:12: unknown instruction: RUM`,
      '`images/train.Dockerfile:12`: unknown instruction: RUM',
      'Correct line 12 of `images/train.Dockerfile` and push.',
    ],
    [
      `${step}step exited with non-zero status: 1`,
      'the image could not be built: step 0: step exited with non-zero status: 1',
      'The last lines of the build log below say which step failed.',
    ],
    [
      'failed to push us-east1-docker.pkg.dev/my-project/images/digits:1: Repository "images" not found',
      'there is no repository `images` in Artifact Registry to push the image to.',
      'Make it: `gcloud artifacts repositories create images --repository-format=docker --location=us-east1 --project=my-project`.',
    ],
    [
      'at 10:30: nothing',
      'the image could not be built: at 10:30: nothing',
      'The last lines of the build log below say which step failed.',
    ],
  ])('leads with what is wrong: %s', (detail, message, fix) => {
    expect(classifyBuild(build('failure', detail))).toEqual({
      ...{ reason: 'build_failed', message, fix },
    });
  });
});

describe('classifyRefusal', () => {
  const cases: [status: number, text: string, reason: string][] = [
    [400, 'Invalid JSON payload received. Unknown name "x"', 'bad_config'],
    [400, 'Machine type n1-standard-1 is not supported.', 'bad_config'],
    [
      400,
      'bucket is in location us. It must be in the same regional location as the job',
      'bucket_region',
    ],
    [
      400,
      'failed precondition: due to quota restrictions, Cloud Build cannot run builds in this region',
      'build_region_restricted',
    ],
    [403, 'Permission aiplatform.customJobs.create denied', 'permission_denied'],
    [403, 'Vertex AI API has not been used in project 1 before or it is disabled.', 'api_disabled'],
    [403, 'This API method requires billing to be enabled.', 'billing_disabled'],
    [429, 'Too many requests', 'quota'],
    [500, 'oops', 'internal'],
  ];
  it.each(cases)('%i %s', (status, text, reason) => {
    expect(classifyRefusal('job', status, text).reason).toBe(reason);
  });
});
