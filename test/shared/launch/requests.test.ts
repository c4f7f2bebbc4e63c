import { describe, expect, it } from '@jest/globals';
import { contentTag, toBuildRequest, toJobRequest } from '../../../shared/launch/requests.ts';
import type { DockerfileBuild, Plan } from '../../../shared/plan/plan.ts';
import { startRun } from '../../../shared/flow.ts';
import { plan } from '../world.ts';

const build = plan.build;
const hash = 'f'.repeat(64);
const source = { bucket: 'b', object: 'source/f.tgz', generation: '7', contentHash: hash };

function argsOf(changes: Partial<DockerfileBuild>, tier: Plan['tier'] = 'pull'): readonly string[] {
  const request = toBuildRequest({ ...plan, tier }, { ...build, ...changes }, source);
  return request.build.steps[0]!.args!;
}

describe('contentTag', () => {
  const tag = (changes: Partial<DockerfileBuild> = {}, tier: Plan['tier'] = 'pull'): string =>
    contentTag({ ...plan, tier }, { ...build, ...changes }, hash);

  it('fits into an image tag and a build tag', () => {
    expect(tag()).toMatch(/^c-[0-9a-f]{40}$/);
  });

  it.each<[string, Partial<DockerfileBuild>]>([
    ['the Dockerfile', { dockerfile: 'other/Dockerfile' }],
    ['a build argument', { buildArgs: { A: '1' } }],
    ['the target', { target: 'train' }],
    ['the platform', { platform: 'linux/arm64' }],
    ['the builder', { serviceAccount: 'other@p.iam.gserviceaccount.com' }],
  ])('depends on %s', (_what, changes) => {
    expect(tag(changes)).not.toBe(tag());
  });

  it('depends on the trust tier and the content, and on nothing else', () => {
    expect(tag({}, 'base')).not.toBe(tag());
    expect(contentTag(plan, build, 'e'.repeat(64))).not.toBe(tag());
    expect(tag({ buildArgs: { A: '1', B: '2' } })).toBe(tag({ buildArgs: { B: '2', A: '1' } }));
    expect(tag({ timeoutSeconds: 1, layerCache: false, workerMachineType: 'x' })).toBe(tag());
    // No two lists of arguments run together.
    expect(tag({ buildArgs: { A: '1,B=2' } })).not.toBe(tag({ buildArgs: { A: '1', B: '2' } }));
  });
});

describe('toBuildRequest', () => {
  it('is one docker build whose image Cloud Build pushes and reports', () => {
    const request = toBuildRequest(plan, { ...build, layerCache: false }, source);
    const tag = contentTag(plan, build, hash);
    const image = `${build.imageName}:${tag}`;
    expect(request).toEqual({
      project: 'demo-project',
      region: 'global',
      source: { bucket: 'b', object: 'source/f.tgz', generation: '7' },
      build: {
        steps: [
          {
            name: 'gcr.io/cloud-builders/docker',
            args: ['build', '-t', image, '-f', 'Dockerfile', '.'],
            env: ['DOCKER_BUILDKIT=1'],
          },
        ],
        images: [image],
        tags: [
          ...['trainyard', 'trainyard-run-k7q2m4xa', 'trainyard-owner-test'],
          ...['trainyard-repository-1', `trainyard-sha-${plan.subject.headSha}`, tag],
        ],
        timeout: '600s',
        logsBucket: 'gs://demo-project_cloudbuild',
        options: { logging: 'GCS_ONLY' },
      },
    });
  });

  it('passes build arguments as a vector, whatever is in them; for Cloud Build $$ is a plain $', () => {
    const args = argsOf({ buildArgs: { GREETING: 'a b; $(rm -rf /) $HOME', EMPTY: '' } });
    expect(args.join('\n')).toContain(
      ['--build-arg', 'GREETING=a b; $$(rm -rf /) $$HOME', '--build-arg', 'EMPTY='].join('\n'),
    );
  });

  it('builds the target for the platform, on the machine that is named', () => {
    const args = argsOf({ target: 'train', platform: 'linux/amd64' });
    expect(args.join(' ')).toContain('--target train --platform linux/amd64');
    const chosen = { ...build, workerMachineType: 'E2_HIGHCPU_8' };
    expect(toBuildRequest(plan, chosen, source).build.options).toEqual({
      machineType: 'E2_HIGHCPU_8',
      logging: 'GCS_ONLY',
    });
  });

  it.each<[Plan['tier'], readonly string[]]>([
    ['base', ['base']],
    ['pull', ['pull', 'base']],
    ['fork', ['fork', 'base']],
  ])('of the tier %s reads the layers of %j and writes its own only', (tier, read) => {
    const args = argsOf({}, tier);
    const from = args.filter((_arg, at) => args[at - 1] === '--cache-from');
    expect(from).toEqual(read.map((one) => `${build.imageName}:cache-${one}`));
    const { images } = toBuildRequest({ ...plan, tier }, build, source).build;
    expect(images!.slice(1)).toEqual([`${build.imageName}:cache-${tier}`]);
  });
});

describe('toJobRequest', () => {
  it('puts the digest where the image was asked for, and only there', () => {
    const other = { replicaCount: '1', containerSpec: { imageUri: 'gcr.io/other@sha256:0' } };
    const spec = { workerPoolSpecs: [...plan.job.spec.workerPoolSpecs, other] };
    const request = toJobRequest({
      ...startRun({ ...plan, job: { ...plan.job, spec } }, new Date(0)),
      image: 'name@sha256:1',
    });
    expect(request.spec.workerPoolSpecs.map((pool) => pool.containerSpec?.imageUri)).toEqual([
      'name@sha256:1',
      'gcr.io/other@sha256:0',
    ]);
    expect(request.labels).toEqual({ 'trainyard-run': 'k7q2m4xa', 'trainyard-attempt': '1' });
  });
});
