/** One listing for all looks of a tick, and nothing that it leaves out is taken for ended. */
import { describe, expect, it } from '@jest/globals';
import { SharedLooks } from '../../../app/watch/shared-looks.ts';
import { CloudError } from '../../../shared/errors.ts';
import { isJobOver, type JobState } from '../../../shared/watch/run.ts';

const tickMs = 15_000;
interface Job {
  readonly id: string;
  readonly state: JobState;
}

class Cloud {
  now = 0;
  readonly states = new Map<string, JobState>();
  /** What lists do not show, or show as it was. */
  readonly unlisted = new Set<string>();
  readonly lagging = new Map<string, JobState>();
  readonly calls: string[] = [];
  failure: CloudError | undefined;
  readonly looks = new SharedLooks<Job>(
    {
      collection: 'customJobs',
      get: (name) => {
        this.calls.push(`get ${idOf(name)}`);
        return Promise.resolve({ id: idOf(name), state: this.states.get(idOf(name)) ?? 'unknown' });
      },
      list: ({ project, region }) => {
        this.calls.push(`list ${project} ${region}`);
        if (this.failure !== undefined) return Promise.reject(this.failure);
        const shown = [...this.states]
          .map(([id, state]) => ({ id, state: this.lagging.get(id) ?? state }))
          .filter(({ id, state }) => !this.unlisted.has(id) && !isJobOver(state));
        return Promise.resolve(shown);
      },
      stateOf: ({ state }) => state,
      isOver: ({ state }) => isJobOver(state),
    },
    { clock: { now: () => new Date(this.now) }, tickMs },
  );

  constructor(jobs: number) {
    for (let job = 0; job < jobs; job++) this.states.set(`j${job}`, 'running');
  }

  async look(...ids: readonly string[]): Promise<JobState[]> {
    const found = await Promise.all(ids.map((id) => this.looks.get(nameOf(id))));
    return found.map(({ state }) => state);
  }

  /** The calls since the last time. */
  asked(): string[] {
    return this.calls.splice(0);
  }
}

function nameOf(id: string, place = 'projects/demo-project/locations/us-central1'): string {
  return `${place}/customJobs/${id}`;
}

function idOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

const list = 'list demo-project us-central1';

describe('looks at many jobs', () => {
  it('cost one listing a tick, however many there are and whenever they come', async () => {
    const cloud = new Cloud(1_000);
    const ids = [...cloud.states.keys()];
    expect(new Set(await cloud.look(...ids))).toEqual(new Set(['running']));
    for (cloud.now = 0; cloud.now < tickMs; cloud.now += 1_000) await cloud.look('j7');
    expect(cloud.asked()).toEqual([list]);
    cloud.now = tickMs;
    await cloud.look(...ids);
    expect(cloud.asked()).toEqual([list]);
  });

  it('cost one for each project and region', async () => {
    const cloud = new Cloud(1);
    await cloud.looks.get(nameOf('j0'));
    await cloud.looks.get(nameOf('j0', 'projects/demo-project/locations/us-east1'));
    await cloud.looks.get(nameOf('j0', 'projects/other-project/locations/us-east1'));
    expect(cloud.asked()).toEqual([
      list,
      'list demo-project us-east1',
      'list other-project us-east1',
    ]);
  });

  it('fetch what a listing leaves out: it may be too new, or have ended', async () => {
    const cloud = new Cloud(3);
    cloud.unlisted.add('j1');
    cloud.states.set('j2', 'failed');
    expect(await cloud.look('j0', 'j1', 'j2')).toEqual(['running', 'running', 'failed']);
    expect(cloud.asked()).toEqual([list, 'get j1', 'get j2']);
  });

  it('never show as running again what has ended, though lists lag', async () => {
    const cloud = new Cloud(2);
    cloud.unlisted.add('j1');
    cloud.states.set('j1', 'succeeded');
    expect(await cloud.look('j1')).toEqual(['succeeded']);
    cloud.unlisted.clear();
    cloud.lagging.set('j1', 'running');
    for (let tick = 1; tick < 5; tick++) {
      cloud.now = tick * tickMs;
      expect(await cloud.look('j0', 'j1')).toEqual(['running', 'succeeded']);
    }
  });

  it('fetch what was cancelled until lists know of it', async () => {
    const cloud = new Cloud(2);
    await cloud.look('j0');
    cloud.states.set('j0', 'cancelling');
    cloud.looks.touched(nameOf('j0'));
    expect(await cloud.look('j0', 'j1')).toEqual(['cancelling', 'running']);
    cloud.asked();
    cloud.now = 4 * tickMs;
    await cloud.look('j0', 'j1');
    expect(cloud.asked()).toEqual([list]);
  });

  it('come sooner while something changes, and then as before', async () => {
    const cloud = new Cloud(2);
    const listedAt: number[] = [];
    for (; cloud.now <= 5 * tickMs; cloud.now += 1_000) {
      if (cloud.now === 2 * tickMs) cloud.states.set('j0', 'cancelling');
      await cloud.look('j0', 'j1');
      if (cloud.asked().includes(list)) listedAt.push(cloud.now / tickMs);
    }
    expect(listedAt).toEqual([0, 1, 2, 2 + 1 / 3, 3 + 1 / 3, 4 + 1 / 3]);
  });

  it('all wait when a listing fails in passing, and ask no more for it before the next tick', async () => {
    const cloud = new Cloud(3);
    cloud.failure = new CloudError('customJobs.list', 'busy', {
      ...{ status: 503, retryable: true, ambiguous: false },
    });
    for (const id of ['j0', 'j1', 'j2']) await expect(cloud.look(id)).rejects.toThrow('busy');
    expect(cloud.asked()).toEqual([list]);
    cloud.failure = undefined;
    cloud.now = tickMs;
    expect(await cloud.look('j0')).toEqual(['running']);
  });

  it('fetch where listing is forbidden', async () => {
    const cloud = new Cloud(2);
    cloud.failure = new CloudError('customJobs.list', 'denied', {
      ...{ status: 403, retryable: false, ambiguous: false },
    });
    expect(await cloud.look('j0', 'j1')).toEqual(['running', 'running']);
    expect(cloud.asked()).toEqual([list, 'get j0', 'get j1']);
  });
});
