import { describe, expect, it } from '@jest/globals';
import { readInputs, type ActionInputs } from '../../action/inputs.ts';

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
      maxUsd: 20,
      sourceBucket: 'demo-project_cloudbuild',
      resultsBucket: 'demo-project-trainyard-results',
      wait: true,
      dryRun: false,
      cancelOnInterrupt: true,
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

  it.each([
    ['COMMAND', 'trian', '`command` does not know "trian"; did you mean train.'],
    ['COMMAND', 'deploy-everything', 'use train or build'],
    ['REGION', 'evil.example/', 'must be a region such as us-central1'],
    ['REGISTRY', 'evil.example/p/r', 'must be a repository such as'],
    ['BUILD_REGION', 'global/../x', 'must be a location'],
    ['PROJECT_ID', 'UPPER', 'must be a project id'],
    ['TIMEOUT', '90', 'must be a duration such as 90m or 2h'],
    ['MAX_USD', '-1', 'must be an amount of US dollars'],
    ['MAX_USD', 'Infinity', 'must be an amount of US dollars'],
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
