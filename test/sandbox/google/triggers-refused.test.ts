/** Triggers that Cloud Build does not take, and what it says of them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { octo } from './fake-sources.ts';
import {
  at,
  linked,
  github,
  build,
  account,
  onRepository,
  manual,
  withPush,
  withPull,
  onPush,
} from './octo-triggers.ts';
import { startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld(octo);
});
afterAll(() => world.close());

describe('is refused', () => {
  const second = (more: object): object => ({
    ...onRepository,
    repositoryEventConfig: { ...onRepository.repositoryEventConfig, ...more },
  });
  it.each([
    ['a name that ends with a dash', { ...onPush, name: 'a-' }, /'trigger.name': "a-" must be/],
    ['a name with a dot', { ...onPush, name: 'a.b' }, /'trigger.name'/],
    ['a name of 65 characters', { ...onPush, name: 'x'.repeat(65) }, /'trigger.name'/],
    ['no template', { github }, /'trigger.build_template': one of/],
    ['two templates', { ...onPush, build }, /oneof field 'build_template' is already set/],
    ['a build without steps', { github, build: {} }, /must have at least one step/],
    [
      'a build without a place for its log, with an account',
      { github, build, serviceAccount: account },
      /if 'build.service_account' is specified, the build must/,
    ],
    ['a path out of the repository', { ...onPush, filename: '../c.yaml' }, /'trigger.filename'/],
    ['an absolute path', { ...onPush, filename: '/c.yaml' }, /'trigger.filename'/],
    ['no event and no source', { filename: 'c.yaml' }, /'trigger.filename': it is for triggers of/],
    ['a file from nowhere', { gitFileSource: { path: 'c.yaml' } }, /'trigger.git_file_source'/],
    [
      'two events',
      { ...onPush, ...onRepository },
      /'trigger.event': only one of github, repositoryEventConfig/,
    ],
    [
      'an event without a filter',
      { ...onPush, github: { owner: 'octo', name: 'repo' } },
      /one of push, pull_request/,
    ],
    [
      'two filters',
      { ...onPush, github: { ...github, pullRequest: { branch: 'x' } } },
      /oneof field 'event' is already set/,
    ],
    [
      'a branch and a tag',
      withPush({ branch: 'a', tag: 'b' }),
      /oneof field 'git_ref' is already set/,
    ],
    ['an empty pattern', withPush({ branch: '' }), /'trigger.github.push.branch': a pattern must/],
    ['no pattern', withPull({}), /'trigger.github.pull_request.branch': a pattern must/],
    [
      'looking ahead',
      withPush({ branch: '^(?!main)' }),
      /'trigger.github.push.branch': error parsing regexp: invalid or unsupported Perl syntax: `\(\?!`/,
    ],
    ['a reference back', withPush({ tag: '(v)\\1' }), /invalid escape sequence: `\\1`/],
    [
      'a tag of a pull request',
      withPull({ tag: 'v' }),
      /Unknown name "tag" at 'trigger.github.pull_request'/,
    ],
    [
      'an unknown comment control',
      withPull({ branch: 'x', commentControl: 'ON' }),
      /comment_control/,
    ],
    [
      'a key of a substitution without an underscore',
      { ...onPush, substitutions: { A: '1' } },
      /key in the substitution data "A" must match "\^_\[A-Z0-9_\]\+\$"/,
    ],
    [
      'a glob that does not end',
      { ...onPush, includedFiles: ['src/[a'] },
      /'trigger.included_files'/,
    ],
    [
      'an account by its address alone',
      { ...onPush, serviceAccount: 'cb@x' },
      /'trigger.service_account'/,
    ],
    ['a tag with a space', { ...onPush, tags: ['a b'] }, /'trigger.tags'/],
    ['an event type of another event', { ...onPush, eventType: 'MANUAL' }, /'trigger.event_type'/],
    [
      'logs on GitHub for a manual one',
      { build, includeBuildLogs: 'INCLUDE_BUILD_LOGS_WITH_STATUS' },
      /include_build_logs/,
    ],
    [
      'a source for a push',
      { ...onPush, sourceToBuild: manual.sourceToBuild },
      /'trigger.source_to_build'/,
    ],
    [
      'a ref without refs/',
      { ...manual, sourceToBuild: { ...manual.sourceToBuild, ref: 'main' } },
      /must start with "refs\/"/,
    ],
    [
      'an unknown name',
      { ...onPush, brnach: 'x' },
      /Unknown name "brnach" at 'trigger': Cannot find field\./,
    ],
    [
      'a repository of the 2nd generation, in global',
      onRepository,
      /a trigger in global cannot use a repository in us-central1/,
    ],
    [
      'no repository of the 2nd generation',
      second({ repository: 'octo/repo' }),
      /is not projects\/P\/locations/,
    ],
  ] as [string, object, RegExp][])('%s', async (_what, trigger, message) => {
    const answer = await world.call('POST', at('global'), { name: 'refused', ...trigger });
    expect(answer.body).toMatchObject({
      error: { code: 400, status: 'INVALID_ARGUMENT', message: expect.stringMatching(message) },
    });
  });

  it.each([
    ['another repository', { ...github, name: 'other' }, 'global'],
    ['a region where it is not', github, 'europe-west1'],
  ])('a repository that is not connected: %s', async (_what, other, location) => {
    const answer = await world.call('POST', at(location), { ...onPush, github: other });
    expect(answer.body).toMatchObject({
      error: {
        code: 400,
        status: 'FAILED_PRECONDITION',
        message: `Repository mapping does not exist. Please visit https://console.cloud.google.com/cloud-build/triggers;region=${location}/connect?project=123456789012 to connect a repository to your project`,
      },
    });
  });

  it('a resource of the 2nd generation that is not there', async () => {
    const repository = linked.replace('octo-repo', 'other');
    const trigger = {
      ...onPush,
      github: undefined,
      repositoryEventConfig: { repository, push: { branch: 'x' } },
    };
    expect(await world.call('POST', at('us-central1'), trigger)).toMatchObject({ status: 404 });
  });
});
