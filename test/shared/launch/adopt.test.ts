/** Which of the resources with a run's label are the run's: forgeries are left alone, whatever they copy. */
import { describe, expect, it } from '@jest/globals';
import { startRun } from '../../../shared/flow.ts';
import { sortOutBuilds, sortOutJobs, type Strange } from '../../../shared/launch/adopt.ts';
import {
  buildFacts,
  jobFacts,
  macTag,
  toBuildRequest,
  toJobRequest,
} from '../../../shared/launch/requests.ts';
import type { ResourceMac } from '../../../shared/launch/resource-mac.ts';
import { takeStep } from '../../../shared/launch/take-step.ts';
import type { BuildSnapshot, JobSnapshot, Run } from '../../../shared/watch/run.ts';
import { digest, plan as basic, World } from '../world.ts';

const trainer = 'trainer@demo-project.iam.gserviceaccount.com';
const builder = 'builder@demo-project.iam.gserviceaccount.com';
const ownAgent = 'service-12@gcp-sa-aiplatform-cc.iam.gserviceaccount.com';
const image = `us-central1-docker.pkg.dev/demo-project/trainyard/digits@${digest}`;
const mac: ResourceMac = (facts) => `mac of ${JSON.stringify(facts)}`;

const plan = {
  ...basic,
  job: { ...basic.job, spec: { ...basic.job.spec, serviceAccount: trainer } },
};
const at = '2026-01-02T03:00:00.000Z';
const run: Run = {
  ...startRun(plan, new Date(at)),
  image,
  source: { bucket: 'b', object: 'source/c.tgz', generation: '1', contentHash: 'c' },
};
const intent = { intent: { at, inDoubtSince: at } };
const { labels } = toJobRequest(run, mac);

function job(change: Partial<JobSnapshot> = {}): JobSnapshot {
  return {
    ...{ name: 'j', id: 'j', state: 'queued', createTime: '2026-01-02T03:00:01.000Z' },
    ...{ labels, serviceAccount: trainer, images: [image] },
    ...change,
  };
}
const without = (key: string) => {
  const { [key]: _, ...rest } = labels;
  return rest;
};

describe('sortOutJobs', () => {
  it.each<[string, Partial<JobSnapshot>, Strange['why'] | 'ours' | 'neither', Partial<Run>?]>([
    ['what this attempt asked for', {}, 'ours'],
    ['a clock that is a little behind', { createTime: '2026-01-02T02:59:30.000Z' }, 'ours'],
    ['planted before', { createTime: '2026-01-02T02:58:00.000Z' }, 'older'],
    ['no MAC', { labels: without('trainyard-mac') }, 'mac'],
    ['an empty MAC', { labels: { ...labels, 'trainyard-mac': '' } }, 'mac'],
    [
      "another run's MAC",
      {
        labels: {
          ...labels,
          'trainyard-mac': mac({ ...jobFacts(run), runId: 'zzzzzzzz' }),
        },
      },
      'mac',
    ],
    ['another image', { images: ['evil.example/miner@sha256:0'] }, 'image'],
    ['a tag instead of the digest', { images: [image.replace(/@.*/, ':latest')] }, 'image'],
    ['a second pool', { images: [image, 'evil.example/miner'] }, 'image'],
    ['no image', { images: [] }, 'image'],
    ['another account', { serviceAccount: 'base@demo-project.iam.gserviceaccount.com' }, 'account'],
    ["the service's own account", { serviceAccount: ownAgent }, 'account'],
    ['the attempt before', { labels: { ...labels, 'trainyard-attempt': '0' } }, 'neither'],
  ])('%s', (_what, change, expected) => {
    const found = sortOutJobs(run, intent, [job(change)], mac);
    expect(found.ours).toEqual(expected === 'ours' ? [job(change)] : []);
    const isStrange = expected !== 'ours' && expected !== 'neither';
    expect(found.strange).toEqual(isStrange ? [{ name: 'j', why: expected }] : []);
  });

  it('takes the oldest that fits, and gives the others as extras', () => {
    const second = job({ name: 'k', createTime: '2026-01-02T03:00:05.000Z' });
    const forged = job({ name: 'f', labels: without('trainyard-mac') });
    const { ours } = sortOutJobs(run, intent, [second, forged, job()], mac);
    expect(ours.map(({ name }) => name)).toEqual(['j', 'k']);
  });

  it("takes what the first of two intents' request made after all", () => {
    const again = { intent: { at: '2026-01-02T03:10:00.000Z', firstAt: at } };
    expect(sortOutJobs(run, again, [job()], mac).ours).toHaveLength(1);
  });

  it.each([undefined, ownAgent])('whose account nobody named may be %s', (serviceAccount) => {
    const unnamed: Run = { ...startRun(basic, new Date(at)), image };
    const its = job({ labels: toJobRequest(unnamed, mac).labels });
    const { serviceAccount: _, ...bare } = its;
    const found = serviceAccount === undefined ? bare : { ...bare, serviceAccount };
    expect(sortOutJobs(unnamed, intent, [found], mac).ours).toHaveLength(1);
    expect(sortOutJobs(unnamed, intent, [its], mac).strange[0]?.why).toBe('account');
  });

  it.each<[string, Partial<JobSnapshot>, number]>([
    ['fits', {}, 1],
    ['is older', { createTime: '2026-01-02T02:00:00.000Z' }, 0],
    ['has another image', { images: ['x'] }, 0],
    ['has another account', { serviceAccount: 'x@y' }, 0],
  ])('goes by the rest where there is no key: one that %s', (_what, change, count) => {
    const bare = toJobRequest(run).labels;
    expect(bare).not.toHaveProperty('trainyard-mac');
    const { ours } = sortOutJobs(run, intent, [job({ labels: bare, ...change })], undefined);
    expect(ours).toHaveLength(count);
  });
});

describe('sortOutBuilds', () => {
  const built = { ...plan, build: { ...basic.build, serviceAccount: builder } };
  const its: Run = { ...run, plan: built };
  const account = `projects/demo-project/serviceAccounts/${builder}`;
  const tags = toBuildRequest(built, built.build, run.source!, mac).build.tags ?? [];
  const build = (change: Partial<BuildSnapshot> = {}): BuildSnapshot => ({
    ...{ name: 'b', id: 'b', status: 'queued', createTime: '2026-01-02T03:00:01.000Z' },
    ...{ tags, images: [], serviceAccount: account },
    ...change,
  });

  it.each<[string, Partial<BuildSnapshot>, Strange['why'] | undefined]>([
    ['what was asked for', {}, undefined],
    ['planted before', { createTime: '2026-01-02T02:58:00.000Z' }, 'older'],
    ['no MAC', { tags: tags.filter((tag) => !tag.includes('-mac-')) }, 'mac'],
    [
      "a job's MAC",
      { tags: [...tags.filter((tag) => !tag.includes('-mac-')), macTag(mac(jobFacts(run)))] },
      'mac',
    ],
    ['another account', { serviceAccount: account.replace('builder', 'base') }, 'account'],
    ['the same account, bare', { serviceAccount: builder }, undefined],
  ])('%s', (_what, change, why) => {
    const found = sortOutBuilds(its, intent, [build(change)], mac);
    expect(found.ours).toHaveLength(why === undefined ? 1 : 0);
    expect(found.strange).toEqual(why === undefined ? [] : [{ name: 'b', why }]);
  });

  it('carries a MAC of its own facts', () => {
    expect(tags).toContain(macTag(mac(buildFacts(built))));
  });
});

describe('a run whose answer was lost while somebody planted a job', () => {
  it.each([
    ['with our labels but the MAC', (_: string, key: string) => key !== 'trainyard-mac'],
    ['with the run label only', (_: string, key: string) => key === 'trainyard-run'],
  ])('%s: keeps its own and leaves that one alone', async (_what, copies) => {
    const world = new World();
    world.mac = mac;
    const planted = { ...toJobRequest({ ...run, plan: basic }).labels };
    const copied = Object.entries(planted).filter(([key, value]) => copies(value, key));
    world.jobs.push(
      job({
        name: 'projects/demo-project/locations/us-central1/customJobs/forged',
        createTime: new Date(world.now.getTime() + 10_000).toISOString(),
        labels: { ...Object.fromEntries(copied), 'trainyard-attempt': '1' },
      }),
    );
    // One of these is the answer to the job's creation.
    const seen: string[] = [];
    for (let at = 1; at <= 44; at++) {
      const next = new World();
      next.mac = mac;
      next.jobs.push(...world.jobs);
      next.fuse = { at, when: 'after', as: 'ambiguous' };
      await next.live();
      expect(next.saved.end?.outcome).toBe('succeeded');
      expect(next.saved.job?.name).not.toMatch(/forged/);
      expect(next.jobs).toHaveLength(2);
      expect(next.cancelled).toEqual(new Set());
      seen.push(...next.strangers.map(({ why }) => why));
    }
    expect(new Set(seen)).toEqual(new Set(['mac']));
  });
});

describe('a second one of the run', () => {
  const cases = (['job', 'build'] as const).flatMap((what) =>
    [undefined, 403, 404, 429, 503].map((status) => {
      return { what, status, how: status === undefined ? 'succeeds' : `is answered by ${status}` };
    }),
  );
  const source = { bucket: 'b', object: 'source/c.tgz', generation: '1', contentHash: 'c' };
  const times = ['2026-01-02T03:00:01.000Z', '2026-01-02T03:00:02.000Z'];

  it.each(cases)('$what whose cancellation $how: the first is taken', async (given) => {
    const { what, status } = given;
    const world = new World();
    const doubtful = { intent: { at: world.now.toISOString(), inDoubtSince: at } };
    const its: Run = { ...startRun(basic, world.now), source, [what]: doubtful };
    const inDoubt = what === 'job' ? { ...its, image } : its;
    for (const [n, createTime] of times.entries()) {
      const one = { name: `${what}-${n}`, id: String(n), createTime };
      const { tags = [] } = toBuildRequest(basic, basic.build, source).build;
      if (what === 'build') world.builds.push({ ...one, tags, status: 'queued', images: [] });
      else {
        const name = `projects/demo-project/locations/us-central1/customJobs/${n}`;
        const { labels } = toJobRequest(inDoubt);
        world.jobs.push({ ...one, name, labels, state: 'queued', images: [image] });
      }
    }
    const [first, second] = what === 'job' ? world.jobs : world.builds;
    if (status !== undefined) world.uncancellable.set(second!.name, status);
    world.now = new Date('2026-01-02T03:00:10.000Z');
    const found = await takeStep({ do: 'find', what }, inDoubt, world.ports());
    expect(found[what]).toMatchObject({ name: first!.name, snapshot: first });
    expect([...world.cancelled]).toEqual(status === undefined ? [second!.name] : []);
    expect(world.extrasLeft).toEqual(status === undefined ? [] : [[second!.name, status]]);
  });
});
