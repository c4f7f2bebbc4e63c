/** What can be known of a build or job that the step has not planned. */
import { describe, expect, it } from '@jest/globals';
import { attachedBuild, attachedJob } from '../../action/attached.ts';
import { parseResource } from '../../action/resource-input.ts';
import { withEntryShim } from '../../shared/launch/entry-shim.ts';
import type { JobDescription } from '../../shared/ports.ts';
import { firstLine } from '../../shared/report/headline.ts';
import { renderCard } from '../../shared/report/render-card.ts';

const where = { projectId: 'demo-project', region: 'europe-west4', buildRegion: 'global' };
const uuid = '0123abcd-0123-4567-89ab-0123456789ab';

describe('parseResource', () => {
  it.each([
    ['projects/demo-project/locations/us-central1/customJobs/123', 'job', 'demo-project'],
    ['projects/other-project/locations/us-central1/customJobs/123', 'job', 'other-project'],
    // Google answers with the project's number; the input says which project that is.
    ['projects/123456789012/locations/us-central1/customJobs/123', 'job', 'demo-project'],
    [`projects/123456789012/locations/global/builds/${uuid}`, 'build', 'demo-project'],
  ])('takes %s', (text, kind, project) => {
    const region = text.split('/')[3];
    expect(parseResource(text, where)).toEqual({ kind, name: text, project, region });
  });

  it('takes the id of a job or of a build alone', () => {
    expect(parseResource('123', where)?.name).toBe(
      'projects/demo-project/locations/europe-west4/customJobs/123',
    );
    expect(parseResource(uuid, where)?.name).toBe(
      `projects/demo-project/locations/global/builds/${uuid}`,
    );
  });

  it.each([
    '',
    'nightly',
    'projects/p/locations/us-central1/customJobs/1/../../x',
    'projects/demo-project/locations/global/customJobs/1',
    'projects/demo-project/locations/us-central1/pipelineJobs/1',
    'projects/demo-project/locations/us-central1.evil.example/customJobs/1',
    'https://us-central1-aiplatform.googleapis.com/v1/projects/demo-project/locations/us-central1/customJobs/1',
    ' projects/demo-project/locations/us-central1/customJobs/1\n',
  ])('refuses %j', (text) => {
    expect(parseResource(text, where)).toBeUndefined();
  });
});

const name = 'projects/1/locations/us-central1/customJobs/7';
const resource = { kind: 'job', name, project: 'demo-project', region: 'us-central1' } as const;
const follower = {
  repository: { id: 1, fullName: 'acme/digits' },
  headSha: 'c0ffee'.repeat(7).slice(0, 40),
  requestedBy: { id: 2, login: 'wes' },
};
const ours = {
  'trainyard-run': 'k7q2m4xa',
  'trainyard-owner': 'workflow',
  'trainyard-sha': 'c0ffeec',
};

function described(
  labels: Readonly<Record<string, string>>,
  spec: Partial<JobDescription['spec']> = {},
): JobDescription {
  return {
    displayName: 'nightly',
    snapshot: { name, id: '7', state: 'running', createTime: '2026-01-02T03:00:00.000Z', labels },
    spec: {
      workerPoolSpecs: [
        {
          machineSpec: {
            machineType: 'n1-standard-8',
            acceleratorType: 'NVIDIA_TESLA_T4',
            acceleratorCount: 2,
          },
          replicaCount: '1',
          containerSpec: { imageUri: 'image', args: ['--epochs', '3'] },
        },
        {},
        { machineSpec: { machineType: 'n1-standard-4' }, replicaCount: '3' },
      ],
      scheduling: { timeout: '3600s' },
      baseOutputDirectory: { outputUriPrefix: 'gs://bucket/run' },
      ...spec,
    },
  };
}

const attach = (job: JobDescription) => attachedJob(job, resource, follower, 'workflow');

describe('attachedJob', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    [
      'the lines that read its secrets',
      withEntryShim(['python', 'train.py']),
      ['python', 'train.py'],
    ],
    ['none', ['/bin/sh', '-c', 'python train.py'], ['/bin/sh', '-c', 'python train.py']],
  ])('shows the program of a job with %s before it', (_what, command, shown) => {
    const pool = { machineSpec: { machineType: 'n1-standard-4' }, containerSpec: { command } };
    const { run } = attach(described(ours, { workerPoolSpecs: [pool] }));
    expect(run.plan.job.spec.workerPoolSpecs[0]?.containerSpec?.command).toEqual(shown);
  });

  it('reads the plan back from the job', () => {
    const { run, isOurs } = attach(described(ours));
    expect(isOurs).toBe(true);
    expect(run).toMatchObject({
      createdAt: '2026-01-02T03:00:00.000Z',
      plan: {
        runId: 'k7q2m4xa',
        project: 'demo-project',
        subject: { headSha: follower.headSha },
        job: {
          region: 'us-central1',
          machine: { machineType: 'n1-standard-8', gpu: 'T4', gpuCount: 2, replicas: 4 },
          outputUriPrefix: 'gs://bucket/run/',
          timeoutSeconds: 3_600,
        },
        estimate: { timeoutSeconds: 3_600 },
      },
      job: { name },
    });
    expect(run.plan.estimate.usdPerHour).toBeGreaterThan(1);
    // The first look must read the log, whatever the state.
    expect(run.job).not.toHaveProperty('snapshot');
  });

  it.each([
    ['no labels', {}, false],
    ["another owner's", { ...ours, 'trainyard-owner': 'app-4242' }, false],
    ['a run id that we would not make', { ...ours, 'trainyard-run': 'UPPER-CASE' }, false],
  ])('knows that it is not ours: %s', (_what, labels, expected) => {
    expect(attach(described(labels)).isOurs).toBe(expected);
  });

  it('calls a job without a commit by its name, and gives it the same id each time', () => {
    const [first, second] = [attach(described({})), attach(described({}))];
    expect(first.run.plan.runId).toMatch(/^[a-z2-7]{8}$/);
    expect(first.run.plan.runId).toBe(second.run.plan.runId);
    const now = new Date('2026-01-02T03:10:00Z');
    expect(firstLine(first.run, { now })).toMatch(/^Waiting for a machine to train nightly /);
    const card = renderCard(first.run, { now, sandbox: false, links: {} });
    expect(card).not.toContain('c0ffee');
    expect(card).not.toContain('asked by');
  });

  it('does not take the commit of the step for that of the job', () => {
    const { run } = attach(described({ ...ours, 'trainyard-sha': 'abcdef0' }));
    expect(run.plan.subject.headSha).toBe('abcdef0');
  });

  it('knows no price for a machine that is not in the catalogue, and says so', () => {
    const pools = [{ machineSpec: { machineType: 'z9-mega-1' }, replicaCount: '1' }];
    const { run } = attach(described({}, { workerPoolSpecs: pools }));
    const started = { ...described({}).snapshot, startTime: run.createdAt };
    const now = new Date('2026-01-02T04:00:00Z');
    const running = { ...run, job: { ...run.job!, snapshot: started } };
    expect(firstLine(running, { now })).not.toContain('$');
    expect(renderCard(running, { now, sandbox: false, links: {} })).toContain('Cost: not known');
  });
});

describe('attachedBuild', () => {
  const build = { ...resource, kind: 'build' } as const;
  it.each([
    [['trainyard-run-k7q2m4xa', 'trainyard-owner-workflow'], 'k7q2m4xa', true],
    [['trainyard-run-k7q2m4xa'], 'k7q2m4xa', false],
    [[], expect.stringMatching(/^[a-z2-7]{8}$/), false],
  ])('with the tags %j', (tags, runId, isOurs) => {
    const snapshot = { name: 'n', id: 'b', status: 'working', tags, images: [] } as const;
    const attached = attachedBuild(snapshot, build, follower, 'workflow');
    expect(attached).toMatchObject({ isOurs, run: { plan: { runId }, build: { name: 'n' } } });
  });
});
