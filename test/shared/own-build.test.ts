/** Runs whose image comes out of the repository's own build config: which image they use, and which never. */
import { describe, expect, it } from '@jest/globals';
import type { BuildConfig } from '../../shared/config/build-config.ts';
import { startRun } from '../../shared/flow.ts';
import type { OwnImage, Plan } from '../../shared/plan/plan.ts';
import { digest, plan, World } from './world.ts';

const host = 'us-central1-docker.pkg.dev/demo-project/train';
const other = `sha256:${'c'.repeat(64)}`;

function ownPlan(
  config: Partial<BuildConfig>,
  image: OwnImage = { from: 'reported' },
  runId = 'k7q2m4xa',
): Plan {
  const { dockerfile: _, imageName: __, ...place } = plan.build;
  const build = { steps: [{ name: 'ubuntu' }], ...config };
  return {
    ...plan,
    runId,
    build: { ...place, kind: 'cloudbuild', file: 'cloudbuild.yaml', config: build, image },
  };
}

/** When the first build of a world begins. */
const begins = '2026-01-02T03:00:00.000Z';
const later = '2026-01-02T03:00:07.000Z';
const earlier = '2026-01-02T02:59:59.000Z';

describe('the image of a build config', () => {
  it.each<[string, readonly string[], OwnImage, string]>([
    ['the only one', [`${host}/a:$BUILD_ID`], { from: 'reported' }, `${host}/a@${digest}`],
    [
      'one with two tags',
      [`${host}/a:1`, `${host}/a:latest`],
      { from: 'reported' },
      `${host}/a@${digest}`,
    ],
    [
      'the one that was named',
      [`${host}/a:1`, `${host}/b:1`],
      { from: 'reported', name: 'b' },
      `${host}/b@${digest}`,
    ],
  ])('is the digest that Cloud Build reported: %s', async (_what, images, image, expected) => {
    const world = new World(ownPlan({ images }, image));
    await world.live();
    expect(world.saved.end?.outcome).toBe('succeeded');
    expect(world.saved.image).toBe(expected);
  });

  it.each<[string, readonly string[], OwnImage, object]>([
    [
      'several and none was named',
      [`${host}/a:1`, `${host}/b:1`],
      { from: 'reported' },
      {
        reason: 'bad_config',
        message: `the build made several images: \`${host}/a\`, \`${host}/b\`.`,
      },
    ],
    [
      'none of the name',
      [`${host}/a:1`],
      { from: 'reported', name: 'b' },
      { reason: 'internal', message: expect.stringContaining('reported no digest') },
    ],
  ])('ends the run: %s', async (_what, images, image, end) => {
    const world = new World(ownPlan({ images }, image));
    await world.live();
    expect(world.saved.end).toMatchObject({ outcome: 'failed', ...end });
    expect(world.jobs).toHaveLength(0);
  });
});

describe('an image that a step pushed by itself', () => {
  const image: OwnImage = { from: 'pushed', tag: `${host}/digits:$_TAG-$BUILD_ID` };
  const config = { substitutions: { _TAG: 'v1' } };

  it('is what its tag stands for, if that came while the build ran', async () => {
    const world = new World(ownPlan(config, image));
    world.tags.set(`${host}/digits:v1-b0`, { digest: other, uploadedAt: later });
    await world.live();
    expect(world.saved.end?.outcome).toBe('succeeded');
    expect(world.saved.image).toBe(`${host}/digits@${other}`);
  });

  it.each<[string, OwnImage, string | undefined, RegExp]>([
    ['was there before', image, earlier, /was in the registry before the build began/],
    ['has no time', image, undefined, /was in the registry before the build began/],
    [
      'is not there',
      { from: 'pushed', tag: `${host}/elsewhere:1` },
      later,
      /the registry has no `.*elsewhere:1`/,
    ],
    [
      'has a name that only Cloud Build knows',
      { from: 'pushed', tag: `${host}/digits:$TRIGGER_NAME` },
      later,
      /digits:\$TRIGG…` cannot be looked up/,
    ],
  ])('ends the run when it %s', async (_what, chosen, uploadedAt, message) => {
    const world = new World(ownPlan(config, chosen));
    world.tags.set(`${host}/digits:v1-b0`, { digest: other, uploadedAt });
    await world.live();
    expect(world.saved.end).toMatchObject({
      outcome: 'failed',
      reason: 'image_not_found',
      message: expect.stringMatching(message),
      fix: expect.stringContaining('`images:`'),
    });
    expect(world.jobs).toHaveLength(0);
  });

  it('may come in the instant in which the build begins', async () => {
    const world = new World(ownPlan(config, image));
    world.tags.set(`${host}/digits:v1-b0`, { digest: other, uploadedAt: begins });
    await world.live();
    expect(world.saved.image).toBe(`${host}/digits@${other}`);
  });

  it('waits when the registry cannot answer, and ends when it will not', async () => {
    const world = new World(ownPlan(config, image));
    world.tags.set(`${host}/digits:v1-b0`, { digest: other, uploadedAt: later });
    world.registryTroubles = [503, 429];
    await world.live();
    expect(world.saved.image).toBe(`${host}/digits@${other}`);
    const refused = new World(ownPlan(config, image));
    refused.registryTroubles = [403];
    await refused.live();
    expect(refused.saved.end).toMatchObject({ reason: 'permission_denied' });
  });
});

describe('a build config whose image is there already', () => {
  const config = { images: [`${host}/digits:$BUILD_ID`], substitutions: { _A: 'b' } };

  async function afterFirstRun(next: Plan): Promise<World> {
    const world = new World(ownPlan(config));
    await world.live();
    world.saved = startRun(next, world.now);
    return world;
  }

  it('is not built again, whatever the build put into its tags', async () => {
    const world = await afterFirstRun(ownPlan(config, undefined, 'zzzzzzzz'));
    await world.live();
    expect(world.builds).toHaveLength(1);
    expect(world.saved.reused).toEqual({ build: world.builds[0]!.name, digest });
    expect(world.saved.image).toBe(`${host}/digits@${digest}`);
    expect(world.saved.source).toBeUndefined();
  });

  it.each<[string, Plan, (world: World) => void]>([
    [
      'a substitution differs',
      ownPlan({ ...config, substitutions: { _A: 'c' } }, undefined, 'zzzzzzzz'),
      () => undefined,
    ],
    [
      'the file differs',
      ownPlan({ ...config, steps: [{ name: 'debian' }] }, undefined, 'zzzzzzzz'),
      () => undefined,
    ],
    [
      'the registry has lost it',
      ownPlan(config, undefined, 'zzzzzzzz'),
      (world) => world.deletedImages.add(`${host}/digits@${digest}`),
    ],
    ['it was built for a Dockerfile', { ...plan, runId: 'zzzzzzzz' }, () => undefined],
  ])('is built anew when %s', async (_what, next, arrange) => {
    const world = await afterFirstRun(next);
    arrange(world);
    await world.live();
    expect(world.saved.reused).toBeUndefined();
    expect(world.builds).toHaveLength(2);
  });
});
