import { describe, expect, it } from '@jest/globals';
import { readInputs, type ActionInputs } from '../../action/inputs.ts';

const provider =
  'projects/123456789012/locations/global/workloadIdentityPools/github/providers/github';
const project = { INPUT_PROJECT_ID: 'demo-project' };

function read(env: Record<string, string>): ActionInputs {
  const result = readInputs(env);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result.value;
}

function problems(env: Record<string, string>): string[] {
  const result = readInputs({ ...project, ...env });
  return result.ok ? [] : result.problems.map(({ message }) => message);
}

describe('readInputs', () => {
  it('needs no more than a project', () => {
    expect(read(project)).toEqual({
      command: 'train',
      projectId: 'demo-project',
      region: 'us-central1',
      config: 'config_cpu.yaml',
      dockerfile: 'Dockerfile',
      context: '.',
      buildRegion: 'global',
      registry: 'us-central1-docker.pkg.dev/demo-project/trainyard',
      places: [{ region: 'us-central1', bucket: 'demo-project-trainyard-results' }],
      maxAttempts: 1,
      allowUnknownMachines: false,
      allowUntrustedHead: false,
      build: { layerCache: true },
      job: {},
      sourceBucket: 'demo-project_cloudbuild',
      wait: true,
      dryRun: false,
      cancelOnInterrupt: true,
      detachAfterSeconds: 19_800,
      prComment: false,
    });
  });

  it('takes the project that google-github-actions/auth leaves behind', () => {
    expect(read({ GOOGLE_CLOUD_PROJECT: 'from-auth' }).projectId).toBe('from-auth');
  });

  it('reads what is given', () => {
    expect(
      read({
        ...project,
        INPUT_GPU: ' T4:2 ',
        INPUT_ARGS: '--lr 0.1\n--name "two words"',
        INPUT_TIMEOUT: '1h30m',
        INPUT_SOURCE_BUCKET: 'gs://my-bucket/',
        INPUT_WAIT: 'False',
        INPUT_REGION: 'europe-west4',
      }),
    ).toMatchObject({
      gpu: 'T4:2',
      args: ['--lr', '0.1', '--name', 'two words'],
      timeoutSeconds: 5_400,
      sourceBucket: 'my-bucket',
      wait: false,
      registry: 'europe-west4-docker.pkg.dev/demo-project/trainyard',
    });
  });

  it('takes what a run is compared by', () => {
    const comparison = {
      INPUT_COMPARE_AS: 'resnet',
      INPUT_METRIC: 'val/f1',
      INPUT_GOAL: 'maximize',
    };
    const value = { compareAs: 'resnet', metric: 'val/f1', goal: 'maximize' };
    expect(read({ ...project, ...comparison })).toMatchObject(value);
  });

  it.each([
    [
      { INPUT_GOAL: 'up', INPUT_METRIC: 'loss' },
      /`goal` does not know "up"; use maximize or minimize/,
    ],
    [{ INPUT_GOAL: 'minimize' }, /`goal` needs `metric`/],
    [{ INPUT_COMPARE_AS: 'two\nlines' }, /`compare_as` must be one line/],
  ])('says what is wrong with what it is compared by: %j', (env, problem) => {
    expect(problems(env)).toEqual([expect.stringMatching(problem)]);
  });

  it.each(['AIP_MODEL_DIR', 'CLOUD_ML_JOB', 'GOOGLE_CLOUD_PROJECT', 'LD_PRELOAD', 'PATH'])(
    'leaves the variable %s to the service',
    (name) => {
      expect(problems({ INPUT_ENV: `OK=1\n${name}=x` })).toEqual([
        expect.stringContaining(
          `\`env\` may not set "${name}", which the service or the loader sets`,
        ),
      ]);
    },
  );

  const lists: [string, Record<string, string>, Partial<ActionInputs>][] = [
    [
      'env: the value is all that stands after the first =',
      { INPUT_ENV: 'LR=0.1\n\n  NAME = two words \r\nQUERY=a=b&c=$(HOME)\nEMPTY=' },
      { job: { env: { LR: '0.1', NAME: ' two words ', QUERY: 'a=b&c=$(HOME)', EMPTY: '' } } },
    ],
    [
      'labels in any script',
      { INPUT_LABELS: 'team=vision\nстрана=日本\nempty=' },
      { job: { labels: { team: 'vision', страна: '日本', empty: '' } } },
    ],
    [
      'how the image is built',
      {
        INPUT_BUILD_ARGS: 'A=1\nB=two words',
        INPUT_TARGET: 'train',
        INPUT_PLATFORM: 'linux/amd64',
        INPUT_BUILD_MACHINE: 'E2_HIGHCPU_8',
        INPUT_LAYER_CACHE: 'false',
        INPUT_BUILD_TIMEOUT: '20m',
      },
      {
        build: {
          buildArgs: { A: '1', B: 'two words' },
          target: 'train',
          platform: 'linux/amd64',
          workerMachineType: 'E2_HIGHCPU_8',
          layerCache: false,
          timeoutSeconds: 1_200,
        },
      },
    ],
    [
      "the repository's own build",
      {
        INPUT_BUILD_CONFIG: 'ci/cloudbuild.yaml',
        INPUT_SUBSTITUTIONS: '_TAG=v1\n_WORDS=a=b $c',
        INPUT_IMAGE_NAME: 'digits',
        INPUT_BUILD_TIMEOUT: '5m',
      },
      {
        ownBuild: {
          config: 'ci/cloudbuild.yaml',
          substitutions: { _TAG: 'v1', _WORDS: 'a=b $c' },
          imageName: 'digits',
        },
        build: { timeoutSeconds: 300 },
      },
    ],
    [
      'a region alone',
      { INPUT_REGION: 'europe-west4', INPUT_RESULTS_BUCKET: 'mine' },
      { places: [{ region: 'europe-west4', bucket: 'mine' }], maxAttempts: 1 },
    ],
    [
      'prices in either form',
      {
        INPUT_PRICES:
          "# ours\nn1-standard-8: 0.25 # negotiated\n'g2-standard-4': 1\n\nNVIDIA_TESLA_T4=0.1\npd-ssd = 0.2",
      },
      {
        prices: {
          ...{ 'n1-standard-8': 0.25, 'g2-standard-4': 1 },
          ...{ NVIDIA_TESLA_T4: 0.1, 'pd-ssd': 0.2 },
        },
      },
    ],
    [
      'prices of machines that only their owner knows',
      { INPUT_PRICES: 'x9-mega-8: 3', INPUT_ALLOW_UNKNOWN_MACHINES: 'true' },
      { prices: { 'x9-mega-8': 3 } },
    ],
    [
      'secrets by their names',
      {
        INPUT_SECRETS_ENV:
          'KEY=projects/my-project/secrets/a_b-C/versions/latest\nOTHER=projects/123/secrets/s/versions/7',
      },
      {
        secrets: {
          versions: {
            KEY: 'projects/my-project/secrets/a_b-C/versions/latest',
            OTHER: 'projects/123/secrets/s/versions/7',
          },
          allowPlain: false,
        },
      },
    ],
    [
      'regions, each with its bucket or one of the name that goes with it',
      {
        INPUT_REGIONS: 'us-east1, europe-west4=gs://eu-results/\nus-west1',
        INPUT_RESULTS_BUCKET: 'results',
      },
      {
        region: 'us-east1',
        registry: 'us-east1-docker.pkg.dev/demo-project/trainyard',
        places: [
          { region: 'us-east1', bucket: 'results' },
          { region: 'europe-west4', bucket: 'eu-results' },
          { region: 'us-west1', bucket: 'results-us-west1' },
        ],
        maxAttempts: 3,
      },
    ],
    [
      'a region to begin with, and others',
      {
        INPUT_REGION: 'us-west1',
        INPUT_REGIONS: 'us-east1=a-1,us-west1=b-1',
        INPUT_MAX_ATTEMPTS: '5',
      },
      {
        region: 'us-west1',
        places: [
          { region: 'us-west1', bucket: 'b-1' },
          { region: 'us-east1', bucket: 'a-1' },
        ],
        maxAttempts: 5,
      },
    ],
    [
      'who the step is',
      {
        INPUT_WORKLOAD_IDENTITY_PROVIDER: provider,
        INPUT_LAUNCHER_SERVICE_ACCOUNT: 'launcher@demo-project.iam.gserviceaccount.com',
      },
      {
        identity: { provider, serviceAccount: 'launcher@demo-project.iam.gserviceaccount.com' },
      },
    ],
  ];

  it.each(lists)('reads %s', (_what, env, expected) => {
    expect(read({ ...project, ...env })).toMatchObject(expected);
  });

  it.each([
    ['true', true],
    ['false', false],
    ['', undefined],
  ])('takes `spot: %s` as %p, because only an empty one leaves it to the config', (text, spot) => {
    expect(read({ ...project, INPUT_SPOT: text }).job.spot).toBe(spot);
  });

  it.each([
    ['COMMAND', 'trian', '`command` does not know "trian"; did you mean train.'],
    ['COMMAND', 'deploy-everything', 'use train, '],
    ['REGION', 'evil.example/', 'must be a region such as us-central1'],
    ['REGISTRY', 'evil.example/p/r', 'must be a repository such as'],
    ['BUILD_REGION', 'global/../x', 'must be a location'],
    ['PROJECT_ID', 'UPPER', 'must be a project id'],
    ['TIMEOUT', '90', 'must be a duration such as 90m or 2h'],
    ['MAX_COST_USD', '-1', 'must be an amount of US dollars'],
    ['MAX_COST_USD', 'Infinity', 'must be an amount of US dollars'],
    ['MAX_USD', '5', '`max_usd` is no input any more; its successor is `max_cost_usd`.'],
    ['ENV', 'LR', '`env` must have one NAME=value a line, not "LR".'],
    ['ENV', 'A-B=1', '`env` takes names of letters, digits and `_`, not "A-B".'],
    ['ENV', 'A=1\nB=2\nA=3', '`env` sets "A" twice.'],
    ['ENV', Array.from({ length: 101 }, (_, i) => `A${i}=`).join('\n'), 'at most 100 entries'],
    ['BUILD_ARGS', '=1', '`build_args` takes names of'],
    ['LABELS', 'Team=a', '`labels` takes names of lower-case letters'],
    ['LABELS', '1team=a', '`labels` takes names of lower-case letters'],
    ['LABELS', `${'a'.repeat(64)}=a`, '`labels` takes names of'],
    ['LABELS', 'team=A b', '`labels` takes as the value of "team" at most 63 lower-case letters'],
    ['LABELS', 'trainyard-run=abc', '`labels` may not set "trainyard-run", which Trainyard and'],
    ['LABELS', 'goog-x=abc', '`labels` may not set "goog-x"'],
    [
      'REGIONS',
      'us-central1; us-east1',
      'must have entries such as us-central1 or us-central1=BUCKET',
    ],
    ['REGIONS', 'evil.example/=x', 'must have entries such as'],
    ['REGIONS', 'us-central1=a/../b', 'must have entries such as'],
    ['PRICES', 'n1-standard-8', 'must have one NAME=USD or `NAME: USD` a line'],
    ['PRICES', '{n1-standard-8: 1}', 'must have one NAME=USD or `NAME: USD` a line'],
    ['PRICES', 'n1-standard-8=0', 'an amount of US dollars above 0, not "0"'],
    ['PRICES', 'n1-standard-8: -1', 'an amount of US dollars above 0, not "-1"'],
    ['PRICES', 'n1-standard-8: 1e3', 'not "1e3"'],
    ['PRICES', 'n1-standard-8: free', 'not "free"'],
    ['PRICES', 'pd-ssd=1\npd-ssd=2', 'sets "pd-ssd" twice'],
    ['PRICES', 'n1-standrd-8: 1', 'Did you mean `n1-standard-8`?'],
    ['SECRETS_ENV', 'A', 'must have one NAME=value a line'],
    ['SECRETS_ENV', 'A=projects/p/secrets/s', 'versions/latest, not "projects/p/secrets/s"'],
    ['SECRETS_ENV', 'A=projects/my-project/secrets/../versions/1', "a version's name"],
    ['SECRETS_ENV', 'A=projects/my-project/secrets/s/versions/1:access', "a version's name"],
    ...['AIP_X', 'CLOUD_ML_X', 'GOOGLE_X', 'LD_PRELOAD', 'PATH', 'TRAINYARD_SECRETS'].map(
      (name): [string, string, string] => [
        'SECRETS_ENV',
        `${name}=projects/my-project/secrets/s/versions/1`,
        `may not set "${name}"`,
      ],
    ),
    ['REGIONS', 'us-east1,us-east1=bucket', '`regions` names "us-east1" twice.'],
    ['MAX_ATTEMPTS', '0', 'must be a whole number from 1 to 20'],
    ['REPLICA_COUNT', 'two', 'must be a whole number from 1 to 1000'],
    ['SPOT', 'yes', 'must be true or false'],
    ['START_TIMEOUT', '0m', 'must be a duration'],
    ['BUILD_TIMEOUT', '3600', 'must be a duration'],
    ['BUILDER', 'dokcer', 'did you mean docker'],
    ['BUILD_MACHINE', 'e2_highcpu_8', 'did you mean E2_HIGHCPU_8'],
    ['TARGET', '--push', "must be the name of a Dockerfile's stage"],
    ['PLATFORM', 'linux', 'must be a platform such as linux/amd64'],
    ['COMMAND_OVERRIDE', 'python "x', 'has a quote or a backslash without its end'],
    ['BASE_OUTPUT_DIRECTORY', 's3://bucket/x', 'must be a directory such as gs://my-bucket/runs'],
    ['BASE_OUTPUT_DIRECTORY', 'gs://b/x', 'must be a directory such as'],
    [
      'WORKLOAD_IDENTITY_PROVIDER',
      'projects/demo-project/locations/global/workloadIdentityPools/github/providers/github',
      'must be projects/NUMBER/locations/global/',
    ],
    [
      'LAUNCHER_SERVICE_ACCOUNT',
      'launcher@demo-project.iam.gserviceaccount.com',
      '`launcher_service_account` needs `workload_identity_provider`',
    ],
    ['WAIT', 'yes', 'must be true or false'],
    ['GPU', 'T4:', 'must be a GPU such as T4'],
    ['MACHINE_TYPE', 'n1', 'must be a machine type'],
    ['CONFIG', '../secrets.yaml', 'must be a relative path inside the workspace'],
    ['CONTEXT', '/etc', 'must be a relative path inside the workspace'],
    ['SERVICE_ACCOUNT', 'somebody@example.com', "must be a service account's e-mail"],
    ['SOURCE_BUCKET', 'a/b', 'must be a bucket name'],
    ['ARGS', '--name "open', 'has a quote or a backslash without its end'],
    ['DISPLAY_NAME', 'two\nlines', 'must be one line'],
  ])('refuses %s=%j', (name, value, message) => {
    const found = problems({ [`INPUT_${name}`]: value });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  it.each(['BUILD_ARGS', 'TARGET', 'PLATFORM', 'BUILD_MACHINE'])(
    'refuses %s where a build config would not hear of it',
    (name) => {
      const value = { BUILD_ARGS: 'A=1', PLATFORM: 'linux/amd64', BUILD_MACHINE: 'E2_MEDIUM' };
      const env = {
        INPUT_BUILD_CONFIG: 'cloudbuild.yaml',
        [`INPUT_${name}`]: (value as Record<string, string>)[name] ?? 'train',
      };
      expect(problems(env)).toEqual([
        expect.stringContaining(`\`${name.toLowerCase()}\` has no effect with \`build_config\``),
      ]);
    },
  );

  it.each([
    ['BUILD_CONFIG', 'cloudbuild.yaml'],
    ['BUILD_MACHINE', 'E2_MEDIUM'],
    ['BUILD_SERVICE_ACCOUNT', 'builder@demo-project.iam.gserviceaccount.com'],
  ])('refuses %s, which docker would not hear of', (name, value) => {
    expect(problems({ INPUT_BUILDER: 'docker', [`INPUT_${name}`]: value })).toEqual([
      `\`${name.toLowerCase()}\` has no effect with \`builder: docker\`.`,
    ]);
  });

  it.each([
    ['substitutions', 'tag=1', 'takes names of capitals, digits and `_`, a `_` first'],
    ['substitutions', 'PROJECT_ID=other', 'takes names of capitals'],
  ])('refuses %s: %s', (name, text, message) => {
    const env = { INPUT_BUILD_CONFIG: 'cloudbuild.yaml', [`INPUT_${name.toUpperCase()}`]: text };
    expect(problems(env)).toEqual([expect.stringContaining(message)]);
  });

  it('names everything that is wrong at once', () => {
    expect(
      problems({ INPUT_REGION: 'x', INPUT_TIMEOUT: '1', INPUT_DRY_RUN: 'maybe' }),
    ).toHaveLength(3);
    const result = readInputs({});
    expect(result).toMatchObject({ ok: false, problems: [{ input: 'project_id' }] });
  });

  it('repeats no more of a hostile value than can be read', () => {
    const [message] = problems({ INPUT_REGION: `x\n::error::${'y'.repeat(10_000)}` });
    expect(message!.length).toBeLessThan(250);
    expect(message).not.toContain('\n');
  });
});
