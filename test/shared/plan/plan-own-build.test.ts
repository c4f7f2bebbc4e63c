import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  planOwnBuild,
  type OwnBuildContext,
  type OwnBuildRequest,
} from '../../../shared/plan/plan-own-build.ts';
import type { OwnBuild } from '../../../shared/plan/plan.ts';
import type { Refusal } from '../../../shared/policy/decision.ts';

const host = 'us-central1-docker.pkg.dev/demo-project/train';
const docker = 'gcr.io/cloud-builders/docker';
const sha = '3f2c1ab'.padEnd(40, '0');
const context: OwnBuildContext = {
  tier: 'base',
  authority: 'workflow',
  subject: {
    repository: { id: 1, fullName: 'acme/digits' },
    headSha: sha,
    requestedBy: { id: 7, login: 'olivia' },
  },
  project: 'demo-project',
  place: {
    region: 'global',
    sourceBucket: 'demo-project_cloudbuild',
    logsBucket: 'demo-project_cloudbuild',
    timeoutSeconds: 3_600,
  },
};

function plan(
  text: string | undefined,
  asked: Partial<OwnBuildRequest> = {},
  where: Partial<OwnBuildContext> = {},
): OwnBuild | Refusal {
  const answer = planOwnBuild(
    { path: 'cloudbuild.yaml', text, ...asked },
    { ...context, ...where },
  );
  return answer.kind === 'rejected' ? answer : answer.build;
}
const images = (...names: string[]): string =>
  `steps: [{name: ubuntu}]\nimages: ${JSON.stringify(names)}\n`;
const step = (name: string, ...args: string[]): string =>
  `steps: ${JSON.stringify([{ name, args }])}\n`;

describe("a repository's own build", () => {
  it("is planned as the example's file says", () => {
    const path = join(import.meta.dirname, '../../../examples/digits/cloudbuild.yaml');
    const request = { path: 'cloudbuild.yaml', text: readFileSync(path, 'utf8') };
    const answer = planOwnBuild({ ...request, substitutions: { _IMAGE_NAME: 'mnist' } }, context);
    expect(answer).toMatchObject({
      kind: 'planned',
      build: {
        kind: 'cloudbuild',
        file: 'cloudbuild.yaml',
        region: 'global',
        timeoutSeconds: 3_600,
        image: { from: 'reported' },
        config: {
          substitutions: { _REGION: 'us-central1', _REPOSITORY: 'trainyard', _IMAGE_NAME: 'mnist' },
        },
      },
      notes: [],
    });
  });

  it('works where its private pool is', () => {
    const pool = 'options: {pool: {name: projects/p/locations/europe-west1/workerPools/w}}';
    expect(plan(images('a/b') + pool)).toMatchObject({ region: 'europe-west1' });
  });
});

describe('the built-in substitutions', () => {
  const known = {
    COMMIT_SHA: sha,
    REVISION_ID: sha,
    SHORT_SHA: '3f2c1ab',
    REPO_NAME: 'digits',
    REPO_FULL_NAME: 'acme/digits',
  };
  it.each<[string, OwnBuildRequest['ref'], Record<string, string>]>([
    ['neither branch nor tag', undefined, {}],
    ['a branch', { kind: 'branch', name: 'f/x' }, { BRANCH_NAME: 'f/x', REF_NAME: 'f/x' }],
    ['a tag', { kind: 'tag', name: 'v1' }, { TAG_NAME: 'v1', REF_NAME: 'v1' }],
  ])('are sent as a trigger fills them in: %s', (_what, ref, more) => {
    const names = [...Object.keys(known), 'BRANCH_NAME', 'TAG_NAME', 'REF_NAME', 'BUILD_ID'];
    const text = step('ubuntu', ...names.map((name) => `\${${name}}`)) + 'images: [a/b]';
    const build = plan(text, ref === undefined ? {} : { ref });
    expect(build).toMatchObject({ config: { substitutions: expect.anything() } });
    expect((build as OwnBuild).config.substitutions).toEqual({ ...known, ...more });
  });

  it.each<[string, string, readonly string[]]>([
    ['used nowhere', images('a/b'), []],
    ['used in a tag', images('a/b:$SHORT_SHA'), ['SHORT_SHA']],
    ['a plain dollar', images('a/b:$$SHORT_SHA'), []],
    ["a script's own", 'steps: [{name: u, script: "$SHORT_SHA"}]\nimages: [a/b]', []],
    [
      'mapped into a script',
      'steps: [{name: u, script: "$SHORT_SHA", automapSubstitutions: true}]\nimages: [a/b]',
      ['SHORT_SHA'],
    ],
  ])('are left out unless used, because Cloud Build refuses others: %s', (_what, text, names) => {
    const { config } = plan(text) as OwnBuild;
    expect(Object.keys(config.substitutions ?? {})).toEqual(names);
  });
});

describe('the image that the job runs', () => {
  it.each<[string, string, string | undefined, OwnBuild['image']]>([
    ['the only one', images(`${host}/digits:$BUILD_ID`), undefined, { from: 'reported' }],
    [
      'one with several tags',
      images(`${host}/digits:$SHORT_SHA`, `${host}/digits:latest`),
      undefined,
      { from: 'reported' },
    ],
    [
      "one of the file's artifacts",
      `steps: [{name: u}]\nartifacts: {images: ['${host}/a']}`,
      undefined,
      { from: 'reported' },
    ],
    [
      'the one that is named, by its last part',
      images(`${host}/digits:1`, `${host}/other:1`),
      'digits',
      { from: 'reported', name: 'digits' },
    ],
    [
      'the one that is named in full',
      images(`${host}/digits:1`, `${host}/other:1`),
      `us-central1-docker.pkg.dev/$PROJECT_ID/train/other:1`,
      { from: 'reported', name: `${host}/other` },
    ],
    [
      'one that a step pushes',
      step(docker, 'push', `us-central1-docker.pkg.dev/$PROJECT_ID/train/digits:$BUILD_ID`),
      undefined,
      { from: 'pushed', tag: `${host}/digits:$BUILD_ID` },
    ],
    [
      'one that buildx pushes',
      step(docker, 'buildx', 'build', '--push', '-t', `${host}/digits`, '.'),
      undefined,
      { from: 'pushed', tag: `${host}/digits:latest` },
    ],
    [
      'one that kaniko pushes',
      step('gcr.io/kaniko-project/executor:v1', `--destination=${host}/digits:1`, '--cache=true'),
      undefined,
      { from: 'pushed', tag: `${host}/digits:1` },
    ],
    [
      'one that a script pushes, when its tag is named',
      step('ubuntu', 'build.sh'),
      `${host}/digits:1`,
      { from: 'pushed', tag: `${host}/digits:1` },
    ],
  ])('is %s', (_what, text, imageName, image) => {
    expect(plan(text, imageName === undefined ? {} : { imageName })).toMatchObject({ image });
  });

  it.each<[string, string, string | undefined, RegExp]>([
    [
      'several',
      images(`${host}/a:1`, `${host}/b:1`),
      undefined,
      /several images: `.*\/train\/a`, `.*\/train\/b`/,
    ],
    ['no such name', images(`${host}/a`), 'b', /no image of it is called `b`: `.*\/train\/a`/],
    ['none at all', step('ubuntu', 'x'), undefined, /lists no `images`, and no step/],
    ['a build without a push', step(docker, 'build', '-t', 'a', '.'), undefined, /lists no/],
    [
      'pushed elsewhere',
      step(docker, 'push', 'gcr.io/p/digits'),
      undefined,
      /`gcr.io\/p\/digits:latest`, and only Artifact Registry/,
    ],
    [
      'several that are pushed',
      step(docker, 'push', `${host}/a`).replace(
        ']\n',
        `, ${JSON.stringify({ name: docker, args: ['push', `${host}/b`] })}]\n`,
      ),
      undefined,
      /several images: `.*a`, `.*b`/,
    ],
  ])('is asked for: %s', (_what, text, imageName, message) => {
    expect(plan(text, imageName === undefined ? {} : { imageName })).toMatchObject({
      kind: 'rejected',
      reason: 'bad_config',
      message: expect.stringMatching(message),
      fix: expect.stringMatching(/image_name|images:/),
    });
  });
});

describe('what is refused', () => {
  it.each<[string, string | undefined, Partial<OwnBuildRequest>, Refusal['reason'], RegExp]>([
    ['a file that is not there', undefined, {}, 'no_config', /no build config `cloudbuild.yaml`/],
    ['a file that is wrong', 'steps: 1', {}, 'bad_config', /^`cloudbuild.yaml:1:8`: `steps` must/],
    ...['TAG', '_tag', 'COMMIT_SHA', '', '_A B'].map(
      (name): [string, string, Partial<OwnBuildRequest>, Refusal['reason'], RegExp] => [
        `a substitution called ${JSON.stringify(name)}`,
        images('a/b'),
        { substitutions: { [name]: 'x' } },
        'bad_argument',
        /is no name of a substitution/,
      ],
    ),
    [
      'a value without end',
      images('a/b'),
      { substitutions: { _A: 'x'.repeat(4_001) } },
      'bad_argument',
      /longer than 4000 characters/,
    ],
  ])('%s', (_what, text, asked, reason, message) => {
    const answer = plan(text, asked);
    expect(answer).toMatchObject({ reason, message: expect.stringMatching(message) });
  });

  const mayNot: readonly [string, string][] = [
    ['serviceAccount', 'serviceAccount: projects/p/serviceAccounts/a@b'],
    ['logsBucket', 'logsBucket: gs://elsewhere'],
    ['availableSecrets', 'availableSecrets: {secretManager: [{versionName: v, env: A}]}'],
    ['secrets', 'secrets: [{kmsKeyName: k}]'],
    ['artifacts', 'artifacts: {objects: {location: gs://x, paths: [a]}}'],
    ['gitConfig', 'gitConfig: {http: {proxySecretVersionName: v}}'],
    [
      'dependencies',
      'dependencies: [{gitSource: {repository: {url: u}, revision: r, destPath: d}}]',
    ],
    ['options.pool', 'options: {pool: {name: projects/p/locations/us-west1/workerPools/w}}'],
    ['options.workerPool', 'options: {worker_pool: w}'],
    ['options.secretEnv', 'options: {secretEnv: [A]}'],
    ['options.defaultLogsBucketBehavior', 'options: {defaultLogsBucketBehavior: LEGACY_BUCKET}'],
    ['tags[0]', 'tags: [trainyard-run-k7q2m4xa]'],
    ['tags[1]', `tags: [fine, c-${'0'.repeat(40)}]`],
    ['tags[0]', "tags: ['$_A']\nsubstitutions: {_A: c-0}"],
  ];
  it.each(mayNot)('%s in a pull request: %s', (field, line) => {
    const text = `${images('a/b')}${line}`;
    const refusal = {
      kind: 'rejected',
      reason: 'field_not_allowed',
      message: expect.stringContaining(`\`${field}\``),
    };
    expect(plan(text, {}, { tier: 'pull' })).toMatchObject(refusal);
    // The App knows no workflow's author who would answer for it.
    expect(plan(text, {}, { tier: 'base', authority: 'app' })).toMatchObject(refusal);
    expect(plan(text)).toMatchObject({ kind: 'cloudbuild' });
  });

  it('secretEnv of a step in a pull request', () => {
    const text = 'steps: [{name: u, secretEnv: [A]}]\nimages: [a/b]';
    const message = expect.stringContaining('`steps[0].secretEnv`');
    expect(plan(text, {}, { tier: 'pull' })).toMatchObject({ message });
  });

  it("nothing that only says how to build, also of a pull request's file", () => {
    const text = `${images('a/b')}
options: {machineType: E2_HIGHCPU_8, logging: CLOUD_LOGGING_ONLY, env: [A=1], diskSizeGb: 200}
tags: [fine]
timeout: 600s
queueTtl: 60s`;
    expect(plan(text, {}, { tier: 'pull', authority: 'app' })).toMatchObject({
      kind: 'cloudbuild',
    });
  });

  it("a fork's file, whatever it says", () => {
    expect(plan(images('a/b'), {}, { tier: 'fork' })).toMatchObject({
      reason: 'field_not_allowed',
    });
  });
});
