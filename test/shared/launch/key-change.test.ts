/** The private key is changed while runs go on: nobody takes his own build or job for a stranger's and buys another. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { fromOpenJob, judgeOrphan } from '../../../shared/launch/orphans.ts';
import { deriveResourceMac } from '../../../shared/launch/resource-mac.ts';
import { plan, World } from '../world.ts';

function newKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
const [before, after] = [newKey(), newKey()] as const;
/** What replicas have at each step, and those that are there beside one another while a step is rolled out. */
const steps = [
  deriveResourceMac(before),
  deriveResourceMac(before, after),
  deriveResourceMac(after, before),
  deriveResourceMac(after),
] as const;
const [first, prepared, changed, last] = steps;

const repository = { ...plan.subject, repository: { ...plan.subject.repository, id: 1001 } };
const labelled = {
  ...plan,
  subject: repository,
  job: {
    ...plan.job,
    labels: {
      'trainyard-owner': 'test',
      'trainyard-repository': '1001',
      'trainyard-sha': plan.subject.headSha,
    },
  },
};

describe('a run whose process dies while the key is changed', () => {
  it.each([
    ['prepared', first, prepared],
    ['prepared, by a replica that is not yet', prepared, first],
    ['changed', prepared, changed],
    ['changed, by a replica that is not yet', changed, prepared],
    ['forgotten', changed, last],
  ])('is followed on once it is %s: one build, one job', async (_step, mine, theirs) => {
    for (let at = 1; at <= 44; at++) {
      const world = new World(labelled);
      world.listLagMs = 3_000;
      world.mac = mine;
      world.fuse = { at, when: 'after', as: 'crash' };
      if ((await world.live()) === 'ended') break;
      world.mac = theirs;
      expect(await world.live()).toBe('ended');
      expect(world.saved.end?.outcome).toBe('succeeded');
      expect(world.builds).toHaveLength(1);
      expect(world.jobs).toHaveLength(1);
      expect(world.strangers).toEqual([]);
    }
  });

  it('signs with its own key alone, and believes no third one', async () => {
    const world = new World(labelled);
    world.mac = changed;
    await world.live();
    const { labels } = world.jobs[0]!;
    expect(labels['trainyard-mac']).toMatch(/^[0-9a-f]{40}$/);
    const context = { owner: 'test', now: world.now, isServed: () => true };
    const verdicts = [changed, last, prepared, first, deriveResourceMac(newKey(), before)].map(
      (mac) => judgeOrphan(fromOpenJob(world.jobs[0]!), undefined, { ...context, mac }).kind,
    );
    expect(verdicts).toEqual(['unknown', 'unknown', 'unknown', 'foreign', 'foreign']);
  });
});
