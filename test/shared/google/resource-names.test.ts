import { describe, expect, it } from '@jest/globals';
import * as names from '../../../shared/google/resource-names.ts';

describe('resource names', () => {
  it.each([
    [
      'region',
      names.region,
      ['us-central1', 'europe-west12', 'global'],
      ['us-central1/', 'a.b', 'x', ''],
    ],
    [
      'project',
      names.project,
      ['demo-project', 'example.com:old-one', '123456789012'],
      ['p/../q', 'Demo', '-abcdef'],
    ],
    ['bucket', names.bucket, ['a_b.c-d', 'demo-project_cloudbuild'], ['a/b', '..', 'A', 'a?b']],
    ['tag', names.tag, ['trainyard-run-abcd2345'], ['a" OR tags="b', 'a b']],
    ['id', names.resourceId, ['42', '11111111-2222'], ['42" OR "1"="1', '../x', '']],
    ['object', names.objectName, ['a/b c.txt', 'ü'], ['', '.', '..', 'a\nb']],
    [
      'e-mail',
      names.serviceAccount,
      ['a@p.iam.gserviceaccount.com'],
      ['a@example.com', 'a/b@p.iam.gserviceaccount.com'],
    ],
  ] as const)('%s', (_what, check, good, bad) => {
    for (const text of good) expect(check(text)).toBe(text);
    for (const text of bad) expect(() => check(text)).toThrow();
  });

  const digest = `sha256:${'a'.repeat(64)}`;
  it.each([
    [
      `us-central1-docker.pkg.dev/demo-project/trainyard/digits@${digest}`,
      `projects/demo-project/locations/us-central1/repositories/trainyard/dockerImages/digits@${digest}`,
    ],
    [
      `europe-docker.pkg.dev/demo-project/images/team/digits@${digest}`,
      `projects/demo-project/locations/europe/repositories/images/dockerImages/team%2Fdigits@${digest}`,
    ],
  ])('names the image %s as the API does', (image, name) => {
    expect(names.dockerImageName(image)).toBe(name);
  });

  it('names a tag as the API does, and only a tag', () => {
    const image = 'europe-docker.pkg.dev/demo-project/images/team/digits';
    expect(names.dockerTagName(`${image}:v1.0_x-y`)).toBe(
      'projects/demo-project/locations/europe/repositories/images/packages/team%2Fdigits/tags/v1.0_x-y',
    );
    for (const text of [image, `${image}@${digest}`, `${image}:v1@${digest}`, `${image}:v1/x`])
      expect(() => names.dockerTagName(text)).toThrow();
  });

  it.each([
    'us-central1-docker.pkg.dev/demo-project/trainyard/digits:latest',
    `evil.example/demo-project/trainyard/digits@${digest}`,
    `evil.example/us-docker.pkg.dev/demo-project/trainyard/digits@${digest}`,
    `us-docker.pkg.dev/p/../trainyard/digits@${digest}`,
    `us-docker.pkg.dev/demo-project/trainyard/digits@${digest}/..`,
  ])('refuses the image %s', (image) => {
    expect(() => names.dockerImageName(image)).toThrow();
  });

  it('takes names apart', () => {
    expect(
      names.parseResourceName('projects/p12345/locations/us-central1/builds/a-1', 'builds'),
    ).toEqual({
      project: 'p12345',
      region: 'us-central1',
      id: 'a-1',
    });
    expect(names.parseBucketUri('gs://logs/some/prefix/')).toEqual({
      bucket: 'logs',
      prefix: 'some/prefix',
    });
    expect(names.parseBucketUri('logs')).toEqual({ bucket: 'logs', prefix: '' });
  });

  it.each([
    'projects/p12345/locations/evil.example/builds/1',
    'projects/p12345/locations/us-central1/customJobs/1',
    'projects/p12345/locations/us-central1/builds/1/../2',
    '',
  ])('refuses the name %j', (name) => {
    expect(() => names.parseResourceName(name, 'builds')).toThrow();
  });
});
