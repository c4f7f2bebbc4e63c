/**
 * The workflows that people copy, run: each step of the example and of the documents that uses the Action, by the
 * shipped bundle, with what GitHub would hand to it.
 */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stepsAt, type Inputs, type Steps } from './action-step.ts';
import {
  evaluated,
  isOurs,
  isWanted,
  jobsIn,
  jobsInDocument,
  type Contexts,
  type Job,
} from './workflow-steps.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

const root = join(import.meta.dirname, '../..');
const example = 'examples/digits/.github/workflows/train.yml';
const pullRequestExample = 'examples/digits/.github/workflows/train-pull-request.yml';
/** The documents' own name for the reader's project. */
const read = (path: string): string =>
  readFileSync(join(root, path), 'utf8').replaceAll('my-project', 'demo-project');

let sandbox: TemporarySandbox;
let steps: Steps;
let contexts: Contexts;

beforeAll(async () => {
  sandbox = await startTemporarySandbox();
  steps = stepsAt(sandbox);
  await makeSecret('wandb');
  const account = (name: string): string => `${name}@demo-project.iam.gserviceaccount.com`;
  contexts = {
    'vars.PROJECT_ID': 'demo-project',
    'vars.WORKLOAD_IDENTITY_PROVIDER':
      'projects/123456789012/locations/global/workloadIdentityPools/github/providers/github',
    'vars.LAUNCHER': account('launcher'),
    'vars.BUILDER': account('builder'),
    'vars.TRAINER': account('trainer'),
    'inputs.config': undefined,
    'github.token': sandbox.description.github.tokens.writer,
    ...(await startedRun()),
  };
});
afterAll(() => sandbox.close());

async function post(path: string, body: object): Promise<void> {
  const answer = await fetch(`${sandbox.description.google.endpoint}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect([path, answer.status]).toEqual([path, 200]);
}

/** What docs/action.md says that the account needs. */
async function makeSecret(id: string): Promise<void> {
  const secrets = '/v1/projects/demo-project/secrets';
  const members = ['serviceAccount:trainer@demo-project.iam.gserviceaccount.com'];
  const bindings = [{ role: 'roles/secretmanager.secretAccessor', members }];
  await post(`${secrets}?secretId=${id}`, { replication: { automatic: {} } });
  await post(`${secrets}/${id}:addVersion`, { payload: { data: 'a2V5' } });
  await post(`${secrets}/${id}:setIamPolicy`, { policy: { bindings } });
}

/** For snippets that go on with what another step or workflow has begun. */
async function startedRun(): Promise<Contexts> {
  const { outputs } = await steps.run({ wait: 'false', args: '--epochs 2' });
  return {
    'inputs.job': outputs['job'],
    'steps.train.outputs.run_id': outputs['run_id'],
  };
}

const expectedStates: Readonly<Record<string, string>> = {
  train: 'succeeded',
  validate: 'planned',
  follow: 'succeeded',
  // As its job ends before it is cancelled, or does not.
  cancel: 'succeeded|cancelled',
};

/** Runs the job's steps in their order; other people's actions are taken as done. */
async function run({ event, steps: given }: Job, more: Contexts = {}): Promise<Contexts> {
  let known: Contexts = { ...contexts, ...more };
  for (const step of given) {
    if (!isWanted(step, known)) continue;
    if (isOurs(step)) {
      const inputs = evaluated(step.with, known) as Inputs;
      // What google-github-actions/auth leaves behind.
      const auth = { GOOGLE_CLOUD_PROJECT: 'demo-project', GITHUB_EVENT_NAME: event };
      const env = { ...auth, ...(event === 'pull_request' ? pullRequestEvent() : {}) };
      const result = await steps.run(inputs, { exactly: true, env });
      const state = expectedStates[inputs.command ?? 'train'];
      expect([result.output, result.code, result.outputs['state']]).toEqual([
        expect.anything(),
        0,
        expect.stringMatching(`^(?:${state})$`),
      ]);
      const outputs = Object.entries(result.outputs).map(
        ([name, value]) => [`steps.${step.id ?? ''}.outputs.${name}`, value] as const,
      );
      known = { ...known, ...Object.fromEntries(outputs) };
    } else if (step.run !== undefined) {
      const env = evaluated(step.env, known);
      expect(Object.entries(env).filter(([, value]) => value === '')).toEqual([]);
      const { stdout } = await promisify(execFile)('bash', ['-e', '-c', step.run], {
        env: { PATH: process.env['PATH'], ...env },
      });
      for (const value of Object.values(env)) expect(stdout).toContain(value);
    }
  }
  return known;
}

/** The sandbox's own pull request, as the runner tells of it. */
function pullRequestEvent(): Readonly<Record<string, string>> {
  const { api, pull } = sandbox.description.github;
  const file = join(sandbox.dataDir, 'event.json');
  const repository = { id: 1001, default_branch: 'main' };
  const pull_request = { number: pull, head: { repo: { id: repository.id } } };
  writeFileSync(file, JSON.stringify({ repository, pull_request }));
  const ref = `refs/pull/${pull}/merge`;
  return { GITHUB_API_URL: api, GITHUB_EVENT_PATH: file, GITHUB_REF: ref };
}

const places: [string, readonly Job[]][] = [
  ...['README.md', 'docs/action.md'].map((path): [string, readonly Job[]] => [
    path,
    jobsInDocument(read(path)),
  ]),
];

it('asks for no variable that the documents do not set', () => {
  const names = [...read('docs/action.md').matchAll(/^gh variable set (\w+) /gm)];
  const known = Object.keys(contexts).filter((name) => name.startsWith('vars.'));
  expect(names.map(([, name = '']) => `vars.${name}`).sort()).toEqual(known.sort());
});

describe(example, () => {
  const [job] = jobsIn(read(example));

  it.each([
    ['a push', undefined],
    ['somebody who chooses a config', 'config_cpu.yaml'],
  ])('does what it says for %s', async (_who, config) => {
    await run(job as Job, { 'inputs.config': config });
  });

  it('trains what a pull request is compared with', async () => {
    const base = await run(job as Job);
    const [onPull] = jobsIn(read(pullRequestExample));
    const known = await run(onPull as Job);
    expect(known['steps.train.outputs.baseline']).toContain(base['steps.train.outputs.run_id']);
    expect(known['steps.train.outputs.change']).toMatch(/^(?:same|better|worse)$/);
  });
});

describe.each(places)('%s', (_path, jobs) => {
  it('has examples', () => {
    expect(jobs).not.toEqual([]);
  });

  it.each(jobs.map((job, at) => [at + 1, job] as const))(
    'example %i works as it stands',
    async (_number, job) => {
      await run(job);
    },
  );
});

const hasActionlint = ((): boolean => {
  try {
    execFileSync('actionlint', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe('actionlint', () => {
  (hasActionlint ? it : it.skip)(
    'finds nothing in the workflows (skipped where it is not installed)',
    () => {
      const workflows = [example, pullRequestExample, '.github/workflows/ci.yml'].map((path) =>
        join(root, path),
      );
      expect(() => execFileSync('actionlint', workflows, { encoding: 'utf8' })).not.toThrow();
    },
  );
});
