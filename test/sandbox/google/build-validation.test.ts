/** What Cloud Build refuses when a build is created, and what its substitutions make of it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BuildExecution } from '../../../sandbox/executor/executor.ts';
import { fakeExecutor, startWorld, until, type World } from './world.ts';

let world: World;
const executed = new Map<string, BuildExecution>();

beforeAll(async () => {
  const executor = fakeExecutor({
    build: (build) => {
      executed.set(build.id, build);
      return Promise.resolve({ status: 'SUCCESS', images: [] });
    },
  });
  world = await startWorld({ executor });
});
afterAll(() => world.close());

const path = '/v1/projects/demo-project/locations/global/builds';
const step = { name: 'ubuntu' };
const account = 'projects/demo-project/serviceAccounts/cb@demo-project.iam.gserviceaccount.com';

describe('is refused', () => {
  it.each([
    ['no steps', {}, /must have at least one step/],
    ['a step without a name', { steps: [{ args: ['x'] }] }, /build step 0 must have a name/],
    [
      'an unknown name',
      { steps: [step], foo: 1 },
      /Unknown name "foo" at 'build': Cannot find field\./,
    ],
    [
      'an unknown name in a step',
      { steps: [{ ...step, arg: 'x' }] },
      /Unknown name "arg" at 'build.steps\[0\]'/,
    ],
    ['steps by name', { steps: { a: step } }, /Invalid value at 'build.steps'/],
    [
      'arguments that are text',
      { steps: [{ ...step, args: 'x' }] },
      /Invalid value at 'build.steps\[0\].args'/,
    ],
    [
      'a machine that does not exist',
      { steps: [step], options: { machineType: 'E2_HUGE' } },
      /Invalid value at 'build.options.machine_type'/,
    ],
    [
      'more substitutions than 200',
      {
        steps: [step],
        substitutions: Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`_V${i}`, ''])),
      },
      /201 parameters; at most 200 are allowed/,
    ],
    [
      'a value of more than 4000 bytes',
      { steps: [{ ...step, args: ['$_A'] }], substitutions: { _A: 'ä'.repeat(2_001) } },
      /the value of "_A" is longer than 4000 bytes/,
    ],
    [
      'a value that refers to itself',
      {
        steps: [{ ...step, args: ['$_A'] }],
        substitutions: { _A: '$_B', _B: '$_A' },
        options: { dynamicSubstitutions: true },
      },
      /the value of "_A" refers to itself/,
    ],
    ['minutes', { steps: [step], timeout: '10m' }, /duration must end with 's'/],
    ['more than a day', { steps: [step], timeout: '86401s' }, /at most 86400s/],
    [
      'two sources',
      { steps: [step], source: { storageSource: {}, gitSource: {} } },
      /oneof field 'source' is already set/,
    ],
    ['a tag with a space', { steps: [step], tags: ['a b'] }, /invalid build tag "a b"/],
    ['a tag that is too long', { steps: [step], tags: ['x'.repeat(129)] }, /invalid build tag/],
    [
      'a script and arguments',
      { steps: [{ ...step, script: 'ls', args: ['x'] }] },
      /build step 0 both script and args provided/,
    ],
    [
      'two steps of one id',
      {
        steps: [
          { ...step, id: 'a' },
          { ...step, id: 'a' },
        ],
      },
      /build step #1 - "a": the ID is not unique/,
    ],
    [
      'a wait for nobody',
      {
        steps: [
          { ...step, waitFor: ['later'] },
          { ...step, id: 'later' },
        ],
      },
      /depends on "later", which has not been defined/,
    ],
    [
      'an account without a place for its log',
      { steps: [step], serviceAccount: account },
      /if 'build.service_account' is specified, the build must either \(a\) specify 'build.logs_bucket'/,
    ],
    [
      'GCS_ONLY, which is no place',
      { steps: [step], serviceAccount: account, options: { logging: 'GCS_ONLY' } },
      /if 'build.service_account' is specified/,
    ],
    [
      'a substitution with a lower-case name',
      { steps: [step], substitutions: { _a: 'x' } },
      /"_a" must match/,
    ],
    [
      'a built-in one',
      { steps: [step], substitutions: { PROJECT_ID: 'x' } },
      /"PROJECT_ID" must match/,
    ],
    [
      'one that nobody uses',
      { steps: [step], substitutions: { _A: 'x' } },
      /"_A" is not matched in the template/,
    ],
    [
      "a trigger's own that nobody uses",
      { steps: [step], substitutions: { SHORT_SHA: 'x' } },
      /"SHORT_SHA" is not matched in the template/,
    ],
    [
      'one whose value is itself',
      {
        steps: [{ ...step, args: ['$_A'] }],
        substitutions: { _A: '$_B', _B: '$_A' },
        options: { dynamicSubstitutions: true },
      },
      /the value of "_A" refers to itself/,
    ],
    [
      'one that nobody gives',
      { steps: [{ ...step, args: ['$_A'] }] },
      /"_A" is not matched in the substitution data/,
    ],
    [
      'a built-in one that does not exist',
      { steps: [{ ...step, args: ['$NOPE'] }] },
      /"NOPE" is not a valid built-in substitution/,
    ],
  ])('%s', async (_name, build, message) => {
    const { status, body } = await world.call('POST', path, build);
    expect([status, body]).toEqual([
      400,
      {
        error: expect.objectContaining({
          status: 'INVALID_ARGUMENT',
          message: expect.stringMatching(message),
        }),
      },
    ]);
  });
});

describe('an account is taken', () => {
  it.each([
    ['with a logs bucket', { logsBucket: 'gs://b' }],
    ['with CLOUD_LOGGING_ONLY', { options: { logging: 'CLOUD_LOGGING_ONLY' } }],
    ['with NONE', { options: { logging: 'NONE' } }],
    [
      'with a regional bucket',
      { options: { defaultLogsBucketBehavior: 'REGIONAL_USER_OWNED_BUCKET' } },
    ],
  ])('%s', async (_name, change) => {
    const answer = await world.call('POST', path, {
      steps: [step],
      serviceAccount: account,
      ...change,
    });
    expect(answer.status).toBe(200);
  });
});

describe('substitutions', () => {
  it.each([
    ['both forms', { _A: 'x' }, {}, ['$_A ${_A}s'], ['x xs']],
    [
      'built-in ones',
      {},
      {},
      ['$PROJECT_ID/$PROJECT_NUMBER/$LOCATION'],
      ['demo-project/123456789012/global'],
    ],
    ['a dollar of its own', {}, {}, ['$$HOME'], ['$HOME']],
    ['those that only triggers fill', {}, {}, ['[$SHORT_SHA]'], ['[]']],
    [
      'those that somebody fills in for triggers',
      { SHORT_SHA: 'abc' },
      {},
      ['[$SHORT_SHA]'],
      ['[abc]'],
    ],
    ['the loose way', { _UNUSED: 'x' }, { substitutionOption: 'ALLOW_LOOSE' }, ['[$_A]'], ['[]']],
    [
      'values within values where they are dynamic',
      { _A: '$_B-$$_B-$PROJECT_ID', _B: 'x' },
      { dynamicSubstitutions: true },
      ['$_A'],
      ['x-$_B-demo-project'],
    ],
    [
      'nothing in a script, which has them in its environment',
      { _A: 'x', SHORT_SHA: 'abc' },
      { automapSubstitutions: true },
      ['a'],
      ['a'],
    ],
    ['no value within a value', { _A: '$_B', _B: 'x' }, {}, ['$_A', '$_B'], ['$_B', 'x']],
  ])('replace %s', async (_name, substitutions, options, args, expected) => {
    const build = { steps: [{ ...step, args }], substitutions, options };
    const { body } = await world.call('POST', path, build);
    const { id } = (body as { metadata: { build: { id: string } } }).metadata.build;
    const execution = await until(
      () => Promise.resolve(executed.get(id)),
      (value) => value !== undefined,
    );
    expect(execution!.steps[0]!.args).toEqual(expected);
  });

  it('leave scripts to the shell', async () => {
    const build = { steps: [{ ...step, script: 'echo $HOME' }] };
    const { body } = await world.call('POST', path, build);
    const { id } = (body as { metadata: { build: { id: string } } }).metadata.build;
    const execution = await until(
      () => Promise.resolve(executed.get(id)),
      (value) => value !== undefined,
    );
    expect(execution!.steps[0]!.script).toBe('echo $HOME');
  });
});

it('knows the older path, and tells foreign projects nothing', async () => {
  const { body } = await world.call('POST', '/v1/projects/demo-project/builds', { steps: [step] });
  const { id } = (body as { metadata: { build: { id: string } } }).metadata.build;
  expect((await world.call('GET', `/v1/projects/demo-project/builds/${id}`)).status).toBe(200);
  expect((await world.call('GET', `/v1/projects/demo-project/builds/nothing`)).status).toBe(404);
  const foreign = await world.call('POST', path.replace('demo-project', 'other'), {
    steps: [step],
  });
  expect(foreign.body).toMatchObject({ error: { code: 403, status: 'PERMISSION_DENIED' } });
});
