/**
 * What Cloud Build refuses of a build that is well-formed.
 * @see https://github.com/GoogleCloudPlatform/cloud-build-local/blob/ee604808232a647bd2738e7558a98e13d5e76040/validate/validate_test.go
 */
import { describe, expect, it } from '@jest/globals';
import {
  checkBuild,
  checkSubstituted,
  withoutEmptyTags,
} from '../../../sandbox/google/builds/validate-build.ts';
import { ApiError } from '../../../sandbox/google/wire/api-error.ts';
import type { JsonObject } from '../../../sandbox/google/wire/json.ts';

const step = { name: 'gcr.io/cloud-builders/docker' };
const volume = { name: 'cache', path: '/cache' };
const secret = { versionName: 'projects/p/secrets/token/versions/1', env: 'TOKEN' };
const withToken = { ...step, secretEnv: ['TOKEN'] };
const availableSecrets = { secretManager: [secret] };

function refusal(build: JsonObject): string | undefined {
  try {
    checkBuild(build);
    checkSubstituted(withoutEmptyTags(build));
    return undefined;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'INVALID_ARGUMENT') return error.message;
    throw error;
  }
}

describe('is refused', () => {
  it.each<[name: string, build: JsonObject, message: RegExp]>([
    [
      'a step whose image has no name',
      { steps: [{ name: 'a B' }] },
      /invalid build step name "a B"/,
    ],
    ['an image with capitals', { images: ['gcr.io/p/A'] }, /invalid image name "gcr.io\/p\/A"/],
    ['an image whose tag is empty', { images: ['gcr.io/p/a:'] }, /could not parse reference/],
    ['one among the artifacts', { artifacts: { images: [''] } }, /invalid image name ""/],
    [
      'two lists of images',
      { images: ['gcr.io/p/a'], artifacts: { images: ['gcr.io/p/b'] } },
      /cannot specify different \.images and \.artifacts\.images/,
    ],
    [
      'more images than 100',
      { images: Array.from({ length: 101 }, (_, i) => `gcr.io/p/a${i}`) },
      /cannot specify more than 100 images/,
    ],
    [
      'artifacts without a place',
      { artifacts: { objects: { paths: ['a'] } } },
      /location field is/,
    ],
    [
      'artifacts beside Cloud Storage',
      { artifacts: { objects: { location: 'bucket', paths: ['a'] } } },
      /must begin with 'gs:\/\/'/,
    ],
    [
      'artifacts of nothing',
      { artifacts: { objects: { location: 'gs://b' } } },
      /paths field empty/,
    ],
    [
      'artifacts with a space',
      { artifacts: { objects: { location: 'gs://b', paths: ['a b'] } } },
      /"a b" contains whitespace/,
    ],
    [
      'artifacts twice',
      { artifacts: { objects: { location: 'gs://b', paths: ['a', 'a'] } } },
      /remove duplicates \[a\]/,
    ],
    ['a variable without a value', { steps: [{ ...step, env: ['A'] }] }, /"A" must be of the form/],
    ['one for all steps', { options: { env: ['A'] } }, /"A" must be of the form "KEY=VALUE"/],
    [
      'more variables than 100',
      { steps: [{ ...step, env: Array.from({ length: 101 }, (_, i) => `A${i}=`) }] },
      /too many envs \(max: 100\)/,
    ],
    [
      'more arguments than 100',
      { steps: [{ ...step, args: Array.from({ length: 101 }, () => 'a') }] },
      /build step 0 too many args \(max: 100\)/,
    ],
    [
      'a long argument',
      { steps: [{ ...step, args: ['a', 'a'.repeat(10_001)] }] },
      /build step 0 arg 1 too long \(max: 10000\)/,
    ],
    ['a long directory', { steps: [{ ...step, dir: 'a'.repeat(1_001) }] }, /dir too long/],
    [
      'a script and an entrypoint',
      { steps: [{ ...step, script: 'ls', entrypoint: 'sh' }] },
      /build step 0 both script and entrypoint provided/,
    ],
    [
      'a step that waits for itself',
      { steps: [{ ...step, id: 'a', waitFor: ['a'] }] },
      /"a" depends/,
    ],
    ['a step that is called -', { steps: [{ ...step, id: '-' }] }, /the ID is not unique/],
    ['a time below nothing', { timeout: '-1s' }, /timeout must be >=0/],
    ['a queue below nothing', { queueTtl: '-1s' }, /queue_ttl must be >=0/],
    ["a step's below nothing", { steps: [{ ...step, timeout: '-1s' }] }, /step timeout must be >0/],
    [
      'a step that may take longer than its build',
      { timeout: '60s', steps: [{ ...step, timeout: '61s' }] },
      /build step timeout 61s must be <= build timeout 60s/,
    ],
    ['a disk that is too large', { options: { diskSizeGb: '4001' } }, /4001 \(max: 4000\)/],
    [
      'more tags than 64',
      { tags: Array.from({ length: 65 }, (_, i) => `t${i}`) },
      /number of tags 65/,
    ],
    [
      'an account by its address alone',
      { serviceAccount: 'a@p.iam.gserviceaccount.com', options: { logging: 'NONE' } },
      /must be of the format projects\/\{PROJECT_ID\}\/serviceAccounts\/\{ACCOUNT\}/,
    ],
    [
      'a volume that one step has',
      { steps: [{ ...step, volumes: [volume] }, step] },
      /Volume "cache" is only used by one step/,
    ],
    ...(
      [
        ['a volume without a name', { path: '/a' }, /volume name "" does not match/],
        ['a volume below no root', { name: 'cache', path: 'a' }, /must be absolute/],
        ['a volume over the source', { name: 'cache', path: '/workspace/' }, /is reserved/],
        [
          "a volume in the service's place",
          { name: 'cache', path: '/cloudbuild/a' },
          /cannot start/,
        ],
      ] as const
    ).map(([name, bad, message]): [string, JsonObject, RegExp] => [
      name,
      { steps: [step, step].map((one) => ({ ...one, volumes: [bad] })) },
      message,
    ]),
    [
      'two volumes in one place',
      {
        steps: [step, step].map((one) => ({
          ...one,
          volumes: [volume, { ...volume, name: 'two' }],
        })),
      },
      /volume path "\/cache" is defined in more than one volume entry/,
    ],
    [
      "a volume in the place of the build's",
      {
        steps: [step, step].map((one) => ({ ...one, volumes: [{ ...volume, name: 'two' }] })),
        options: { volumes: [volume] },
      },
      /volume path "\/cache" is defined in more than one/,
    ],
    ['volumes of one step', { options: { volumes: [volume] } }, /fewer than two steps/],
    ['a secret that is not there', { steps: [withToken] }, /"TOKEN" is used without being defined/],
    ['a secret that no step uses', { availableSecrets }, /"TOKEN" is defined without being used/],
    [
      'a secret that is there twice',
      { steps: [withToken], availableSecrets: { secretManager: [secret, secret] } },
      /"TOKEN" is defined more than once/,
    ],
    [
      'a secret that is a variable too',
      { steps: [{ ...withToken, env: ['TOKEN=a'] }], availableSecrets },
      /step 0 has secret and non-secret env "TOKEN"/,
    ],
    [
      'a secret of all steps that one names again',
      { steps: [withToken], options: { secretEnv: ['TOKEN'] }, availableSecrets },
      /step 0 uses the global secretEnv "TOKEN"/,
    ],
  ])('%s', (_name, change, message) => {
    expect(refusal({ steps: [step], ...change })).toMatch(message);
  });
});

describe('is taken', () => {
  it.each<[name: string, build: JsonObject]>([
    ['the least', {}],
    ['no time at all, which is the default', { timeout: '0s' }],
    [
      'a volume that two steps have',
      { steps: [step, step].map((one) => ({ ...one, volumes: [volume] })) },
    ],
    ['a volume of all steps', { steps: [step, step], options: { volumes: [volume] } }],
    ['a secret that a step uses', { steps: [withToken], availableSecrets }],
    ['a secret of all steps', { options: { secretEnv: ['TOKEN'] }, availableSecrets }],
    ['an image by its digest', { images: [`gcr.io/p/a@sha256:${'0'.repeat(64)}`] }],
    ['one list in both places', { images: ['gcr.io/p/a'], artifacts: { images: ['gcr.io/p/a'] } }],
    ['files', { artifacts: { objects: { location: 'gs://b/x', paths: ['a', '*.whl'] } } }],
    ['a variable whose value is empty', { steps: [{ ...step, env: ['A='] }] }],
    ['an argument that is just short enough', { steps: [{ ...step, args: ['a'.repeat(10_000)] }] }],
    ['a step as long as its build', { timeout: '60s', steps: [{ ...step, timeout: '60s' }] }],
    ['the largest disk', { options: { diskSizeGb: '4000' } }],
  ])('%s', (_name, change) => {
    expect(refusal({ steps: [step], ...change })).toBeUndefined();
  });
});

it('leaves out tags that are empty or there already', () => {
  expect(withoutEmptyTags({ tags: ['a', '', 'b', 'a'] })).toEqual({ tags: ['a', 'b'] });
});
