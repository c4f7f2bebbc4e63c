import { describe, expect, it } from '@jest/globals';
import type { BuildConfig } from '../../../shared/config/build-config.ts';
import { contentTag, toBuildRequest } from '../../../shared/launch/requests.ts';
import type { OwnBuild } from '../../../shared/plan/plan.ts';
import { plan } from '../world.ts';

const { dockerfile: _, imageName: __, ...place } = plan.build;
const hash = 'f'.repeat(64);
const source = { bucket: 'b', object: 'source/f.tgz', generation: '7', contentHash: hash };
const steps = [{ name: 'ubuntu' }];

function own(config: Partial<BuildConfig>): OwnBuild {
  const serviceAccount = 'builder@p.iam.gserviceaccount.com';
  const image = { from: 'reported' } as const;
  const file = 'cloudbuild.yaml';
  return {
    ...place,
    serviceAccount,
    kind: 'cloudbuild',
    file,
    image,
    config: { steps, ...config },
  };
}

const ourAccount = 'projects/demo-project/serviceAccounts/builder@p.iam.gserviceaccount.com';
/** As a Dockerfile's build has them; the last one tells its content. */
const ourTags = toBuildRequest(plan, plan.build, source).build.tags!.slice(0, -1);
const ourBucket = 'gs://demo-project_cloudbuild';

describe('a build by a build config', () => {
  it.each<[string, Partial<BuildConfig>, Partial<BuildConfig>]>([
    [
      'a silent file gets what is ours',
      {},
      {
        serviceAccount: ourAccount,
        logsBucket: ourBucket,
        timeout: '600s',
        options: { logging: 'GCS_ONLY' },
      },
    ],
    [
      "the file's own win",
      { serviceAccount: 'projects/p/serviceAccounts/x', logsBucket: 'gs://own', timeout: '5s' },
      {
        serviceAccount: 'projects/p/serviceAccounts/x',
        logsBucket: 'gs://own',
        timeout: '5s',
        options: { logging: 'GCS_ONLY' },
      },
    ],
    [
      'a log that goes to Cloud Logging needs no bucket',
      { options: { logging: 'CLOUD_LOGGING_ONLY', machineType: 'E2_HIGHCPU_8' } },
      {
        serviceAccount: ourAccount,
        timeout: '600s',
        options: { logging: 'CLOUD_LOGGING_ONLY', machineType: 'E2_HIGHCPU_8' },
      },
    ],
    [
      'nor does one that goes to the regional bucket',
      { options: { defaultLogsBucketBehavior: 'REGIONAL_USER_OWNED_BUCKET' } },
      {
        serviceAccount: ourAccount,
        timeout: '600s',
        options: {
          defaultLogsBucketBehavior: 'REGIONAL_USER_OWNED_BUCKET',
          logging: 'GCS_ONLY',
        },
      },
    ],
    [
      'a log in both places needs one',
      { options: { logging: 'LEGACY' } },
      {
        serviceAccount: ourAccount,
        logsBucket: ourBucket,
        timeout: '600s',
        options: { logging: 'LEGACY' },
      },
    ],
  ])('%s', (_what, config, expected) => {
    const build = own(config);
    expect(toBuildRequest(plan, build, source)).toEqual({
      project: 'demo-project',
      region: 'global',
      source: { bucket: 'b', object: 'source/f.tgz', generation: '7' },
      build: {
        steps,
        ...expected,
        tags: [...ourTags, contentTag(plan, build, hash)],
      },
    });
  });

  it("keeps the file's own tags and dollars", () => {
    const config = { tags: ['nightly'], steps: [{ name: 'u', args: ['$_A', '$$HOME'] }] };
    const { build } = toBuildRequest(plan, own(config), source);
    expect(build.tags?.slice(0, -1)).toEqual(['nightly', ...ourTags]);
    expect(build.steps).toEqual(config.steps);
  });
});

describe('its content tag', () => {
  const tag = (config: Partial<BuildConfig>): string => contentTag(plan, own(config), hash);

  it.each<[string, Partial<BuildConfig>]>([
    ['a step', { steps: [{ name: 'ubuntu', args: ['x'] }] }],
    ['a substitution', { substitutions: { _A: 'b' } }],
    ['an option', { options: { env: ['A=1'] } }],
    ['the account', { serviceAccount: 'projects/p/serviceAccounts/x' }],
  ])('depends on %s', (_what, config) => {
    expect(tag(config)).not.toBe(tag({}));
    expect(tag(config)).toBe(tag(structuredClone(config)));
  });

  it('depends on the tier and the files, and is none of a Dockerfile', () => {
    expect(contentTag({ ...plan, tier: 'base' }, own({}), hash)).not.toBe(tag({}));
    expect(contentTag(plan, own({}), 'e'.repeat(64))).not.toBe(tag({}));
    expect(contentTag(plan, plan.build, hash)).not.toBe(tag({}));
  });
});
