/** What a step's inputs change, held against the sandbox that really builds and runs; and `command: validate`. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { outputDefinitions } from '../../action/outputs.ts';
import { commandsIn } from '../action/runner-log.ts';
import { lines, stepsAt, type Inputs, type StepOptions, type Steps } from './action-step.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

let sandbox: TemporarySandbox;
let steps: Steps;

beforeAll(async () => {
  sandbox = await startTemporarySandbox();
  steps = stepsAt(sandbox);
});
afterAll(() => sandbox.close());

/** Says what it was started with. */
const program = [
  'import json, os, sys',
  'names = ("LR", "OF_FILE", "OF_IMAGE", "TEXT", "CLUSTER_SPEC")',
  'print("saw", json.dumps({"argv": sys.argv[1:], **{n: os.environ.get(n) for n in names}}))',
];
const config = `workerPoolSpecs:
- machineSpec: {machineType: n1-standard-4}
  containerSpec:
    imageUri: $IMAGE
    args: [--from, file]
    env:
    - {name: LR, value: "1"}
    - {name: OF_FILE, value: kept}
`;
const dockerfile = `FROM python:3.12-slim AS base
ARG WORD=default
ENV OF_IMAGE=\${WORD}
WORKDIR /app
COPY train.py .
ENTRYPOINT ["python", "train.py"]

FROM base AS other
ENV OF_IMAGE=other
`;
const files = {
  'train.py': `${program.join('\n')}\n`,
  'config_gpu.yaml': config,
  Dockerfile: dockerfile,
};

interface Job {
  readonly displayName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly jobSpec: {
    readonly workerPoolSpecs: readonly Readonly<Record<string, unknown>>[];
    readonly [field: string]: unknown;
  };
}

async function train(inputs: Inputs) {
  const step = await steps.run(inputs, { files });
  const saw = lines(step.output).flatMap((line) => /^saw (\{.*\})$/.exec(line)?.[1] ?? []);
  return {
    step,
    saw: saw.map((text) => JSON.parse(text) as unknown),
    job: await steps.ask<Job>(`/v1/${step.outputs['job'] ?? ''}`),
  };
}

describe('inputs that beat the job config', () => {
  it('reach the program: arguments, variables, labels, name, machine, account, spot', async () => {
    const { step, saw, job } = await train({
      args: '--lr 0.1 "two words"',
      env: 'LR=0.5\nTEXT=a=b "c" $HOME',
      labels: 'team=vision\ncost-centre=42',
      display_name: 'Mine',
      spot: 'true',
      service_account: 'trainer@demo-project.iam.gserviceaccount.com',
      base_output_directory: 'gs://demo-project-trainyard-results/mine',
      build_args: 'WORD=two words',
      target: 'base',
      timeout: '10m',
    });
    expect(step).toMatchObject({ code: 0, outputs: { state: 'succeeded', built: 'true' } });
    expect(saw).toEqual([
      expect.objectContaining({
        argv: ['--lr', '0.1', 'two words'],
        LR: '0.5',
        OF_FILE: 'kept',
        OF_IMAGE: 'two words',
        TEXT: 'a=b "c" $HOME',
      }),
    ]);
    expect(step.outputs['output_directory']).toBe('gs://demo-project-trainyard-results/mine/');
    expect(job).toMatchObject({
      displayName: 'Mine',
      labels: { team: 'vision', 'cost-centre': '42', 'trainyard-run': step.outputs['run_id'] },
      jobSpec: {
        scheduling: { strategy: 'SPOT', timeout: '600s' },
        serviceAccount: 'trainer@demo-project.iam.gserviceaccount.com',
        baseOutputDirectory: { outputUriPrefix: 'gs://demo-project-trainyard-results/mine' },
      },
    });
  });

  it('leave everything to the config and the Dockerfile when they are empty', async () => {
    const { step, saw, job } = await train({});
    expect(step).toMatchObject({ code: 0, outputs: { built: 'true' } });
    expect(saw).toEqual([
      expect.objectContaining({ argv: ['--from', 'file'], LR: '1', OF_IMAGE: 'other', TEXT: null }),
    ]);
    expect(job.jobSpec['scheduling']).toEqual({ timeout: '21600s' });
    const again = await train({});
    expect(again.step.outputs).toMatchObject({ built: 'false', image: step.outputs['image'] });
  });

  it('run another command in the same image', async () => {
    const { step, saw } = await train({
      command_override: 'python -c "print(\'saw {}\')"',
      args: 'unused',
    });
    expect(step.code).toBe(0);
    expect(saw).toEqual([{}]);
  });

  it('start replicas, each of which knows the others', async () => {
    const { step, saw, job } = await train({ replica_count: '3', machine_type: 'n1-standard-8' });
    expect(step.code).toBe(0);
    expect(job.jobSpec.workerPoolSpecs).toMatchObject([
      { replicaCount: '1', machineSpec: { machineType: 'n1-standard-8' } },
      { replicaCount: '2', machineSpec: { machineType: 'n1-standard-8' } },
    ]);
    // The job is over when its first replica is, whatever the others have still to say.
    const clusters = saw.map((replica) =>
      String((replica as { CLUSTER_SPEC?: string }).CLUSTER_SPEC),
    );
    expect(clusters.filter((text) => text.includes('"type":"workerpool0"'))).toHaveLength(1);
    for (const text of clusters) expect(text).toContain('workerpool1');
  });
});

describe('build_config', () => {
  const own = `steps:
- name: gcr.io/cloud-builders/docker
  args: [build, -t, "\${_IMAGE}:$SHORT_SHA", --build-arg, "WORD=$_WORD", --target, base, .]
substitutions:
  _IMAGE: us-central1-docker.pkg.dev/$PROJECT_ID/trainyard/own
  _WORD: of the file
images: ["\${_IMAGE}:$SHORT_SHA"]
options: {dynamicSubstitutions: true}
`;
  const withConfig: StepOptions = { files: { ...files, 'own-build.yaml': own } };
  const inputs = { build_config: 'own-build.yaml', substitutions: '_WORD=of the step' };

  it('builds as the file says, and trains the image that came of it', async () => {
    const step = await steps.run(inputs, withConfig);
    expect(step).toMatchObject({ code: 0, outputs: { state: 'succeeded', built: 'true' } });
    expect(step.outputs['image']).toMatch(/\/trainyard\/own@sha256:[0-9a-f]{64}$/);
    expect(step.output).toMatch(/^saw .*"OF_IMAGE": "of the step"/m);
  });

  it.each([
    ['succeeds', 'base', 'success'],
    ['fails', 'nowhere', 'failure'],
  ])('shows the log of a build that %s from Cloud Logging alone', async (_what, target, status) => {
    const logging = own
      .replace('base', target)
      .replace('true}', 'true, logging: CLOUD_LOGGING_ONLY}');
    const options = { files: { ...files, 'own-build.yaml': logging } };
    const step = await steps.run({ ...inputs, command: 'build' }, options);
    expect(step.code).toBe(status === 'success' ? 0 : 1);
    const log = lines(step.output).filter((line) => line.startsWith('Step #0: '));
    expect(log[0]).toMatch(/^Step #0: Already have image/);
    expect(log.filter((line) => /: Step 1\/\d+ : FROM/.test(line))).toHaveLength(1);
    expect(step.output).toMatch(new RegExp(`^Build \\S+: ${status}$`, 'm'));
    expect(step.output).not.toContain('::warning::The build');
    if (status === 'failure') expect(step.summary).toContain('could not be found');
    const again = await steps.run({ command: 'follow', job: step.outputs['build_id'] ?? '' });
    expect(lines(again.output).filter((line) => line.startsWith('Step #0: '))).toEqual(log);
  });

  it('says that there is no log where the file wants none', async () => {
    const silent = own.replace('true}', 'true, logging: NONE}');
    const options = { files: { ...files, 'own-build.yaml': silent } };
    const step = await steps.run({ ...inputs, command: 'build' }, options);
    expect(step.code).toBe(0);
    expect(step.output.match(/the build keeps no log/g)).toHaveLength(1);
    expect(step.output).not.toMatch(/^Step #0|::warning::The build/m);
    const again = await steps.run({ command: 'follow', job: step.outputs['build_id'] ?? '' });
    expect(again.output.match(/The build keeps no log/g)).toHaveLength(1);
  });

  it('is what `command: build` builds too', async () => {
    const step = await steps.run({ ...inputs, command: 'build' }, withConfig);
    expect(step).toMatchObject({ code: 0, outputs: { state: 'succeeded', job: '' } });
    expect(step.outputs['image']).toMatch(/\/trainyard\/own@sha256:/);
  });

  it.each<[string, StepOptions, string, RegExp]>([
    ['is missing', { files }, 'no_config', /There is no build config `own-build\.yaml`/],
    [
      'is wrong',
      { files: { ...files, 'own-build.yaml': 'steps:\n- nam: x\n' } },
      'bad_config',
      /^::error file=own-build\.yaml,line=2,col=3::Not started: /m,
    ],
  ])('is refused when it %s', async (_what, options, reason, says) => {
    const before = await steps.inventory();
    for (const command of ['train', 'build']) {
      const step = await steps.run({ build_config: 'own-build.yaml', command }, options);
      expect(step).toMatchObject({ code: 1, outputs: { state: 'refused', reason } });
      expect(step.output).toMatch(says);
    }
    expect(await steps.inventory()).toEqual(before);
  });
});

describe('builder: docker', () => {
  let bin = '';
  beforeAll(async () => void (bin = await mkdtemp(join(tmpdir(), 'trainyard-docker-'))));
  afterAll(() => rm(bin, { recursive: true, force: true }));

  /** A docker of the test's own, which says that it has pushed that image. */
  async function withDocker(script: string): Promise<StepOptions> {
    await writeFile(join(bin, 'docker'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return { env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, RUNNER_TEMP: bin } };
  }

  it('trains what the docker of the runner has pushed, without a build', async () => {
    const { outputs } = await steps.run({ command: 'build' });
    const before = await steps.inventory();
    const metadata = JSON.stringify({ 'containerimage.digest': outputs['image_digest'] });
    const docker = await withDocker(
      `echo "docker $*"; for a; do case $a in --metadata-file=*) echo '${metadata}' > "\${a#*=}";; esac; done`,
    );
    const step = await steps.run({ builder: 'docker', args: '--epochs 1', target: 'x' }, docker);
    expect(step).toMatchObject({
      code: 0,
      outputs: { state: 'succeeded', image: outputs['image'], built: 'true', build_id: '' },
    });
    expect(step.output).toMatch(/^Build: .*\/digits from Dockerfile, by this runner's docker$/m);
    expect(step.output).toMatch(/^docker buildx build --push .*--target=x/m);
    expect(step.output).toMatch(/^epoch=1\/1 /m);
    expect(await steps.inventory()).toMatchObject({
      builds: before.builds,
      sources: before.sources,
    });
  });

  it.each(['train', 'build'])('ends `command: %s` when docker fails', async (command) => {
    const before = await steps.jobs();
    const docker = await withDocker('echo "no space left on device" >&2; exit 1');
    const step = await steps.run({ command, builder: 'docker' }, docker);
    expect(step).toMatchObject({ code: 1, outputs: { state: 'failed', reason: 'build_failed' } });
    expect(step.output).toMatch(/^::error::Docker could not build or push the image/m);
    expect(step.summary).toContain('no space left on device');
    expect(step.outputs['run_id']).toMatch(/^[a-z2-7]{8}$/);
    expect(await steps.jobs()).toEqual(before);
    expect(await steps.post(step)).toMatchObject({ code: 0, output: '' });
  });
});

describe('regions', () => {
  it('are tried in their order, within the attempts, and the outputs follow', async () => {
    // More replicas than the sandbox has a quota for, wherever they are asked for.
    const step = await steps.run({
      replica_count: '17',
      regions: 'us-central1, europe-west4=eu-results, us-west1',
    });
    expect(step).toMatchObject({
      code: 1,
      outputs: {
        state: 'failed',
        reason: 'quota',
        region: 'us-west1',
        output_directory: expect.stringMatching(
          /^gs:\/\/demo-project-trainyard-results-us-west1\//,
        ) as unknown,
      },
    });
    expect(step.output).toMatch(/^Attempt 1 in us-central1 ended: .*quota/m);
    expect(step.output).toMatch(/^Trying again in europe-west4; it starts over/m);
    expect(step.output).toMatch(/^Trying again in us-west1/m);
  });

  it('are not left when there is one attempt', async () => {
    const step = await steps.run({
      replica_count: '17',
      regions: 'us-central1, europe-west4',
      max_attempts: '1',
    });
    expect(step).toMatchObject({ code: 1, outputs: { reason: 'quota', region: 'us-central1' } });
    expect(step.output).not.toContain('Trying again');
  });
});

describe('max_cost_usd', () => {
  it('is what the timeout is made of where nobody wrote one', async () => {
    const step = await steps.run({ dry_run: 'true', max_cost_usd: '1' });
    expect(step.output).toMatch(
      /^Note: The timeout was cut from 6h to .* costs at most \$1\.00\.$/m,
    );
    expect(step.output).toMatch(/at most \$(?:0\.9\d|1\.00) until the timeout/);
  });

  it('never cuts a timeout that somebody wrote', async () => {
    const step = await steps.run({ dry_run: 'true', max_cost_usd: '1', timeout: '10h' });
    expect(step).toMatchObject({ code: 1, outputs: { reason: 'over_ceiling' } });
    expect(step.output).toMatch(/`timeout: 44m`.*`max_cost_usd` is the limit/);
  });

  it('was called otherwise, and says so', async () => {
    const env = { INPUT_MAX_USD: '2' };
    const step = await steps.run({}, { env });
    expect(step).toMatchObject({ code: 1, outputs: { reason: 'bad_argument' } });
    expect(step.output).toContain(
      '`max_usd` is no input any more; its successor is `max_cost_usd`.',
    );
  });
});

describe('prices', () => {
  it('stand in place of the list, for the estimate and for the ceiling', async () => {
    const prices = 'n1-standard-8: 2\nNVIDIA_TESLA_T4=1\npd-ssd: 7.30';
    const step = await steps.run({ dry_run: 'true', timeout: '2h', prices });
    // 2 + 1 an hour, and 100 GB of disk at a cent an hour each; at 0.006 a minute an hour's build is 0.36.
    expect(step.output).toMatch(/^Cost: about \$4\.00 an hour, at most \$8\.36 until/m);
    const dear = await steps.run({ dry_run: 'true', timeout: '2h', prices, max_cost_usd: '8.35' });
    expect(dear).toMatchObject({ code: 1, outputs: { reason: 'over_ceiling' } });
  });
});

describe('command: validate', () => {
  const validate = (inputs: Inputs, options: StepOptions = {}) =>
    steps.run({ command: 'validate', ...inputs }, options);

  it('prints the plan and its price, and does nothing', async () => {
    const before = await steps.inventory();
    const step = await validate({ gpu: 'T4:2', replica_count: '2' });
    expect(step).toMatchObject({ code: 0, outputs: { state: 'planned', job: '', built: 'false' } });
    expect(step.output).toMatch(/^Job: .* on 2 × n1-standard-8 with 2 × T4, in us-central1$/m);
    expect(step.output).toMatch(/^Cost: about \$\d+\.\d\d an hour, at most \$\d/m);
    expect(lines(step.output).at(-1)).toBe('Valid: this is what `train` would do.');
    expect(step.summary).toMatch(/\$\d+\.\d\d/);
    expect(await steps.inventory()).toEqual(before);
    expect(await steps.post(step)).toMatchObject({ code: 0, output: '' });
  });

  it('needs no credentials and no cloud', async () => {
    const step = await validate({}, { env: { TRAINYARD_GOOGLE_ENDPOINT: '' } });
    expect(step).toMatchObject({ code: 0, outputs: { state: 'planned' } });
    expect(commandsIn(step.output)).toEqual([]);
  });

  it('says all at once what would be refused: inputs, each place of the config, files', async () => {
    const before = await steps.inventory();
    const step = await validate(
      { timeout: '3', labels: 'Team=a', region: 'us-centrall1', max_cost_usd: '1' },
      {
        files: {
          Dockerfile: null,
          'config_gpu.yaml':
            'workerPoolSpecs:\n- machinSpec: {}\n  containerSpec: {imageUri: $IMAGE}\nscheduling: {timeout: x}\n',
        },
      },
    );
    expect(step).toMatchObject({ code: 1, outputs: { state: 'refused', reason: 'bad_argument' } });
    expect(Object.keys(step.outputs).sort()).toEqual(Object.keys(outputDefinitions).sort());
    const errors = lines(step.output).filter((line) => line.startsWith('::error'));
    const said = [
      /^::error::Would be refused: `timeout` must be a duration/,
      /^::error::Would be refused: `labels` takes names of/,
      /^::error::Would be refused: .*us-centrall1.*Did you mean `us-central1`\?/,
      /^::error file=config_gpu\.yaml,line=2,col=\d+::Would be refused: .*machinSpec/,
      /^::error file=config_gpu\.yaml,line=4,col=\d+::Would be refused: .*timeout/,
    ];
    for (const text of said) expect(errors).toContainEqual(expect.stringMatching(text));
    expect(step.summary).toMatch(/^\*\*Would be refused\*\*: /m);
    expect(await steps.inventory()).toEqual(before);
  });

  it.each<[string, Inputs, StepOptions, string, RegExp]>([
    ['a machine', { machine_type: 'n9-standard-4' }, {}, 'unknown_machine', /n1-standard-4/],
    ['a price', { max_cost_usd: '0.1', timeout: '9h' }, {}, 'over_ceiling', /`max_cost_usd`/],
    ['a missing file', {}, { files: { Dockerfile: null } }, 'no_dockerfile', /`Dockerfile`/],
    [
      "a fork's code in a privileged event",
      {},
      { env: { GITHUB_EVENT_NAME: 'pull_request_target', GITHUB_SHA: 'b'.repeat(40) } },
      'fork_not_approved',
      /may be a fork's\. .*allow_untrusted_head: true/,
    ],
    [
      "somebody else's commit in an event of our own",
      {},
      { env: { GITHUB_EVENT_NAME: 'workflow_dispatch', GITHUB_SHA: 'b'.repeat(40) } },
      'fork_not_approved',
      /\(workflow_dispatch\)/,
    ],
  ])('finds %s that `train` would refuse', async (_what, inputs, options, reason, says) => {
    const step = await validate(inputs, options);
    expect(step).toMatchObject({ code: 1, outputs: { state: 'refused', reason } });
    expect(step.output).toMatch(says);
    expect(await steps.run(inputs, options)).toMatchObject({ code: 1, outputs: { reason } });
  });
});

describe('an identity of its own', () => {
  it('says which permission is missing, before Google is asked anything', async () => {
    const workload_identity_provider =
      'projects/123456789012/locations/global/workloadIdentityPools/github/providers/github';
    const env = { TRAINYARD_GOOGLE_ENDPOINT: '' };
    const step = await steps.run({ workload_identity_provider }, { env });
    expect(step).toMatchObject({ code: 1, outputs: { reason: 'permission_denied' } });
    expect(lines(step.output).filter((line) => line.startsWith('::'))).toEqual([
      expect.stringMatching(
        /^::error::This job may not ask GitHub for the token .* Add `permissions: id-token: write` to the job/,
      ),
    ]);
  });
});
