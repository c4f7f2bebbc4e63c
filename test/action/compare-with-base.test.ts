/** Which run of the default branch a workflow's run is held against, and what is said where there is none. */
import { describe, expect, it } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import { compareLabel, compareLabelOf } from '../../action/compare-as.ts';
import { compareWithBase, type BasePorts } from '../../action/compare-with-base.ts';
import { CloudError } from '../../shared/errors.ts';
import type { JobDescription, SucceededJobs } from '../../shared/ports.ts';
import { firstLine } from '../../shared/report/headline.ts';
import type { Run } from '../../shared/watch/run.ts';
import { plan as somePlan } from '../shared/world.ts';

const now = new Date('2026-06-01T12:00:00.000Z');
const daysAgo = (days: number): string =>
  new Date(now.getTime() - days * 24 * 3_600_000).toISOString();
const sha = (letter: string): string => letter.repeat(40);
const same = compareLabelOf({ config: 'config_gpu.yaml' });
const labelsOf = (runId: string, tier: string, headSha = sha('b')) => ({
  ...{ 'trainyard-owner': 'workflow', 'trainyard-repository': '1', 'trainyard-tier': tier },
  ...{ 'trainyard-run': runId, 'trainyard-sha': headSha },
  ...same,
});

const own: Run = {
  createdAt: daysAgo(0),
  plan: { ...somePlan, job: { ...somePlan.job, labels: labelsOf(somePlan.runId, 'pull') } },
  job: { intent: { at: daysAgo(0) }, name: 'projects/1/locations/us-central1/customJobs/1' },
  metrics: { values: { val_accuracy: 0.961 }, series: { loss: [{ step: 1, value: 0.5 }] } },
  end: { outcome: 'succeeded', at: daysAgo(0) },
};

interface Base {
  readonly runId?: string;
  readonly days?: number;
  readonly region?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly metrics?: string;
  /** Days after the job's end at which its file was last written. */
  readonly overwritten?: number;
  readonly snapshot?: Partial<JobDescription['snapshot']>;
}

const metricsOf = (accuracy: number): string => JSON.stringify({ val_accuracy: accuracy });

/** A project with these jobs; what was asked of it is remembered. */
function project(...bases: readonly Base[]) {
  const asked: Parameters<SucceededJobs['list']>[0][] = [];
  const jobs = bases.map((base, at) => {
    const { runId = `basebas${'abcdefg'.charAt(at)}`, days = 1, region = 'us-central1' } = base;
    const labels = { ...labelsOf(runId, 'base'), ...base.labels };
    const times = { createTime: daysAgo(days), endTime: daysAgo(days - 0.01) };
    const name = `projects/1/locations/${region}/customJobs/${at + 100}`;
    const job: JobDescription = {
      displayName: 'digits',
      snapshot: { name, id: `${at + 100}`, state: 'succeeded', ...times, labels, ...base.snapshot },
      spec: {
        workerPoolSpecs: [
          {
            machineSpec: { machineType: 'n1-standard-4' },
            containerSpec: { imageUri: 'image', args: ['--epochs', '3'] },
          },
        ],
        baseOutputDirectory: { outputUriPrefix: `gs://results/1/base/${runId}/` },
      },
    };
    const file = {
      name: `1/base/${runId}/metrics.json`,
      ...{ size: 1, generation: '1', createdAt: daysAgo(days - 0.005 - (base.overwritten ?? 0)) },
    };
    return { job, region, days, file, text: base.metrics ?? metricsOf(0.957) };
  });
  const ports: BasePorts = {
    succeededJobs: {
      list: (where) => {
        asked.push(where);
        const found = jobs
          .filter(({ region }) => region === where.region)
          .filter(({ job }) => (job.snapshot.createTime ?? '') >= where.since.toISOString());
        return Promise.resolve(found.map(({ job }) => job));
      },
    },
    objects: {
      list: ({ prefix }) =>
        Promise.resolve(jobs.map(({ file }) => file).filter(({ name }) => name.startsWith(prefix))),
      read: ({ object }) =>
        Promise.resolve(Buffer.from(jobs.find(({ file }) => file.name === object)?.text ?? '')),
    },
    // The patience is never over.
    clock: { now: () => now, sleep: () => Promise.withResolvers<undefined>().promise },
    interrupt: new AbortController().signal,
  };
  return { ports, asked };
}

const options = { regions: ['us-central1'], branch: 'main' };
const compared = (ports: BasePorts, run = own) => compareWithBase(run, ports, options);
const accuracyOf = (run: Run): number | undefined => run.baseline?.values['val_accuracy'];

describe('a run is held against the default branch', () => {
  it('with its values, curves and parameters, and says so in its first line', async () => {
    const { ports, asked } = project({
      runId: 'basebase',
      metrics: JSON.stringify({ val_accuracy: 0.957 }),
    });
    const { run, why } = await compared(ports);
    expect(why).toBeUndefined();
    expect(run.baseline).toMatchObject({
      ...{ runId: 'basebase', headSha: sha('b'), branch: 'main', values: { val_accuracy: 0.957 } },
      parameters: { '--epochs': '3', machine: 'n1-standard-4' },
    });
    expect(firstLine(run, { now })).toContain('val_accuracy 0.961 (+0.004 against main)');
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      ...{ project: 'demo-project', region: 'us-central1' },
      labels: {
        ...{ 'trainyard-owner': 'workflow', 'trainyard-repository': '1' },
        ...{ 'trainyard-tier': 'base', ...same },
      },
    });
  });

  it.each<[string, readonly Base[], number | undefined]>([
    [
      'the newest of several',
      [{ days: 3 }, { days: 1, metrics: metricsOf(0.9) }, { days: 2 }],
      0.9,
    ],
    ['one of another region', [{ region: 'europe-west4', metrics: metricsOf(0.8) }], 0.8],
    ['an old one where there is no younger', [{ days: 200, metrics: metricsOf(0.7) }], 0.7],
    ['none that is older than a year', [{ days: 366 }], undefined],
    [
      'the one before one without metrics',
      [
        { days: 1, metrics: '{}' },
        { days: 2, metrics: metricsOf(0.6) },
      ],
      0.6,
    ],
    [
      'the one before one whose file is cut off',
      [
        { days: 1, metrics: '{"val_acc' },
        { days: 2, metrics: metricsOf(0.6) },
      ],
      0.6,
    ],
    [
      'the one before one whose file was overwritten later',
      [
        { days: 2, overwritten: 1, metrics: metricsOf(0.1) },
        { days: 3, metrics: metricsOf(0.6) },
      ],
      0.6,
    ],
    ['not itself', [{ runId: somePlan.runId }], undefined],
    ['not its own job', [{ snapshot: { name: own.job?.name ?? '' } }], undefined],
    ['none with a sha that is none', [{ labels: { 'trainyard-sha': 'main' } }], undefined],
    ['none with a run that is none', [{ labels: { 'trainyard-run': '../../x' } }], undefined],
  ])('%s', async (_which, bases, accuracy) => {
    const { ports } = project(...bases);
    const regions = ['us-central1', 'europe-west4'];
    const { run } = await compareWithBase(own, ports, { ...options, regions });
    expect(accuracyOf(run)).toBe(accuracy);
  });

  it('also where one of the regions cannot be asked', async () => {
    const { ports } = project({});
    const list: SucceededJobs['list'] = (where) =>
      where.region === 'europe-west4'
        ? Promise.reject(new CloudError('customJobs.list', 'no', { ...refused, status: 403 }))
        : ports.succeededJobs.list(where);
    const regions = ['us-central1', 'europe-west4'];
    const asking = { ...ports, succeededJobs: { list } };
    const { run } = await compareWithBase(own, asking, { ...options, regions });
    expect(accuracyOf(run)).toBe(0.957);
  });
});

const refused = { retryable: false, ambiguous: false };
const failing = (operation: string, status: number, message: string) => () =>
  Promise.reject(new CloudError(operation, message, { ...refused, status }));

describe('a run that is held against nothing', () => {
  it.each<[string, BasePorts, RegExp]>([
    ['nothing has run', project().ports, /^Nothing of main to compare with yet\. Train the same/],
    ['nothing can be read', project({ metrics: '[]' }).ports, /newest runs left no metrics/],
    [
      'jobs may not be listed',
      {
        ...project().ports,
        succeededJobs: { list: failing('customJobs.list', 403, 'Permission denied') },
      },
      /Permission denied\. Grant the step's account `roles\/aiplatform\.viewer`\.$/,
    ],
    [
      'results may not be read',
      {
        ...project({}).ports,
        objects: { ...project().ports.objects, list: failing('objects.list', 403, 'no access') },
      },
      /no access\. Grant the step's account `roles\/storage\.objectViewer`/,
    ],
    [
      'the service is down',
      { ...project().ports, succeededJobs: { list: failing('customJobs.list', 503, 'busy') } },
      /^Not compared with main: customJobs\.list: busy\.$/,
    ],
    [
      'something of ours is wrong',
      { ...project().ports, succeededJobs: { list: () => Promise.reject(new TypeError('x')) } },
      /^Not compared with main: Unexpected error, please report it: TypeError: x/,
    ],
    [
      'no answer comes in time',
      {
        ...project().ports,
        clock: { now: () => now, sleep: () => Promise.resolve() },
        succeededJobs: { list: () => Promise.withResolvers<never>().promise },
      },
      /^Not compared with main: Google Cloud did not say in time/,
    ],
  ])('says why: %s', async (_why, ports, sentence) => {
    const { run, why } = await compared(ports);
    expect(run).toEqual(own);
    expect(why).toMatch(sentence);
  });

  it('asks nothing more once it has given up', async () => {
    const { ports } = project({});
    const listed = Promise.withResolvers<readonly JobDescription[]>();
    const asked: string[] = [];
    const { why } = await compared({
      ...ports,
      clock: { now: () => now, sleep: () => Promise.resolve() },
      succeededJobs: { list: () => listed.promise },
      objects: {
        list: (where) => {
          asked.push(where.prefix);
          return ports.objects.list(where);
        },
        read: ports.objects.read,
      },
    });
    expect(why).toMatch(/did not say in time/);
    listed.resolve(
      await ports.succeededJobs.list({
        ...{ project: 'demo-project', region: 'us-central1' },
        ...{ labels: {}, since: new Date(0) },
      }),
    );
    await setImmediate();
    expect(asked).toEqual([]);
  });

  it('says nothing when it is the first of the default branch itself', async () => {
    const { job } = own.plan;
    const base = { ...own, plan: { ...own.plan, job: { ...job, labels: labelsOf('x', 'base') } } };
    expect(await compared(project().ports, base)).toEqual({ run: base });
  });

  it('says nothing when the workflow is being cancelled', async () => {
    const { ports } = project({});
    const interrupt = AbortSignal.abort();
    expect(await compared({ ...ports, interrupt })).toEqual({ run: own });
  });

  it.each<[string, Readonly<Record<string, string>>, number]>([
    ['that nobody has labelled', {}, 1],
    ["of an App's", { ...labelsOf('x', 'pull'), 'trainyard-owner': 'app-42' }, 1],
    ['of another repository', { ...labelsOf('x', 'pull'), 'trainyard-repository': '2' }, 1],
    ['of no repository', { ...labelsOf('x', 'pull'), 'trainyard-repository': '0' }, 0],
  ])('asks nothing for a job %s', async (_whose, labels, id) => {
    const { ports, asked } = project({});
    const { job, subject } = own.plan;
    const repository = { ...subject.repository, id };
    const plan = { ...own.plan, subject: { ...subject, repository }, job: { ...job, labels } };
    expect(await compared(ports, { ...own, plan })).toEqual({ run: { ...own, plan } });
    expect(asked).toEqual([]);
  });
});

describe('what trains the same', () => {
  const value = (config: string, compareAs?: string): string =>
    compareLabelOf({ config, ...(compareAs === undefined ? {} : { compareAs }) })[compareLabel];

  it.each([
    ['./config_gpu.yaml', undefined, 'config_gpu.yaml', undefined, true],
    ['config_gpu.yaml', undefined, 'config_cpu.yaml', undefined, false],
    ['a/config.yaml', undefined, 'a-config.yaml', undefined, false],
    ['one.yaml', 'resnet', 'other.yaml', 'resnet', true],
    ['one.yaml', 'resnet', 'one.yaml', 'Resnet', false],
  ])('%s as %s and %s as %s: %s', (config, compareAs, otherConfig, otherAs, expected) => {
    expect(value(config, compareAs) === value(otherConfig, otherAs)).toBe(expected);
  });

  it.each([['é'], ['-'], [`${'long/'.repeat(30)}.yaml`], ['config gpu.yaml']])(
    'is a label that Google takes: %s',
    (config) => {
      expect(value(config)).toMatch(/^[a-z0-9][a-z0-9-]{10,62}$/);
    },
  );
});
