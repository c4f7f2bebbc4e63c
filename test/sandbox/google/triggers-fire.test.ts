/** What happens on GitHub, and which triggers build for it: one story, and each trigger's part in it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { addressOf, clone } from '../github/git-client.ts';
import { digits } from '../github/world.ts';
import { repository, startTriggerWorld, type TriggerWorld } from './trigger-world.ts';

const github = { owner: 'acme', name: 'digits' };
const build = { steps: [{ name: 'ubuntu', args: ['echo', '$COMMIT_SHA'] }] };
const onPush = (push: object, more: object = {}): object => ({
  ...{ build, github: { ...github, push } },
  ...more,
});
const onPull = (commentControl?: string, more: object = {}): object => ({
  ...{ build, github: { ...github, pullRequest: { branch: '^main$', commentControl } } },
  ...more,
});

/** Names of what happens below; each is of one commit, in the order in which a trigger may build it. */
const everyPush = ['code', 'docs', 'new branch', 'of olivia', 'of olivia, again', 'of wes'];
const toMain = ['code', 'docs'];

/** The trigger, what it builds, and where it is when that is not `global`. */
const triggers: Readonly<
  Record<string, readonly [trigger: object, builds: readonly string[], location?: string]>
> = {
  // The pattern may be found anywhere in the name.
  'every branch': [onPush({ branch: '.*' }), [...everyPush, 'last']],
  'a part of a name': [onPush({ branch: 'ai' }), [...toMain, 'last']],
  'main alone': [onPush({ branch: '^main$' }), [...toMain, 'last']],
  'another branch': [onPush({ branch: '^release$' }), []],
  'all but main': [
    onPush({ branch: '^main$', invertRegex: true }),
    everyPush.filter((name) => !toMain.includes(name)),
  ],
  tags: [onPush({ tag: '^v\\d+\\.\\d+$' }), ['tag', 'annotated tag']],
  'all tags but those': [onPush({ tag: '^v', invertRegex: true }), ['other tag']],
  'code only': [
    onPush({ branch: '^main$' }, { includedFiles: ['src/**', 'Dockerfile'] }),
    ['code'],
  ],
  'all but docs': [onPush({ branch: '^main$' }, { ignoredFiles: ['docs/**'] }), ['code', 'last']],
  'ignored before included': [
    onPush({ branch: '.*' }, { includedFiles: ['**/*.md'], ignoredFiles: ['docs/**'] }),
    ['last'],
  ],
  'what a new branch brings': [
    onPush({ branch: '.*' }, { includedFiles: ['src/branch.py'] }),
    ['new branch'],
  ],
  disabled: [onPush({ branch: '.*' }, { disabled: true }), []],
  '2nd generation': [
    { build, repositoryEventConfig: { repository, push: { branch: '^main$' } } },
    [...toMain, 'last'],
    'us-central1',
  ],
  'pull requests, whoever asks': [
    onPull(),
    ['of olivia', 'of olivia, again', 'of sam', 'of sam', 'of wes'],
  ],
  'pull requests, when asked': [onPull('COMMENTS_ENABLED'), ['of sam', 'of wes']],
  'pull requests of others, when asked': [
    onPull('COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY'),
    ['of olivia', 'of olivia, again', 'of sam', 'of wes'],
  ],
  'pull requests that change docs': [onPull(undefined, { includedFiles: ['docs/**'] }), []],
  'pull requests to elsewhere': [
    { build, github: { ...github, pullRequest: { branch: '^release$' } } },
    [],
  ],
  'pull requests, 2nd generation': [
    { build, repositoryEventConfig: { repository, pullRequest: { branch: 'main' } } },
    ['of olivia', 'of olivia, again', 'of sam', 'of sam', 'of wes'],
    'us-central1',
  ],
  manual: [{ build }, []],
};

let world: TriggerWorld;
/** Trigger → id; SHA → name. */
const ids = new Map<string, string>();
const commits = new Map<string, string>();

beforeAll(async () => {
  world = await startTriggerWorld();
  for (const [i, [name, [trigger, , location]]] of Object.entries(triggers).entries()) {
    ids.set(name, await world.create({ name: `trigger-${i}`, ...trigger }, location));
  }
  // Triggers are looked at in the order of their age: when this one has built, all have.
  ids.set('marker', await world.create({ name: 'marker', ...onPush({ branch: '^main$' }) }));
  await tell();
  await world.builds(ids.get('marker') ?? '', 3);
});
afterAll(() => world.close());

async function tell(): Promise<void> {
  const { git, github: hub, push } = world;
  const commit = async (
    name: string,
    branch: string,
    files: Record<string, string>,
    message?: string,
  ) => commits.set(await push(branch, files, message), name);
  await commit('code', 'main', { 'src/deep/a.py': '1\n' });
  await commit('docs', 'main', { 'docs/x.md': '1\n' });
  await commit('skipped', 'main', { 'src/b.py': '1\n' }, 'Not now\n\n[skip ci]');
  await commit('new branch', 'feature/x', { 'src/branch.py': '1\n' });
  await git.git('tag', 'v1.0');
  await git.git('tag', '-a', '-m', 'annotated', 'v1.1');
  await git.git('tag', 'nightly');
  for (const tag of ['v1.0', 'v1.1', 'nightly']) await git.pushAs(hub, 'owner', `refs/tags/${tag}`);
  await git.pushAs(hub, 'owner', ':refs/heads/feature/x', ':refs/tags/nightly');

  await commit('of olivia', 'olivia', { 'src/olivia.py': '1\n' });
  await hub
    .as('owner')
    .rest.pulls.create({ ...digits, title: 'Mine', head: 'olivia', base: 'main' });
  await commit('of olivia, again', 'olivia', { 'src/olivia.py': '2\n' });
  await forkOfSam();
  await commit('of wes', 'wes', { 'src/wes.py': '1\n' });
  const body = 'Please /gcbrun this.';
  await hub
    .as('writer')
    .rest.pulls.create({ ...digits, title: 'Wes', head: 'wes', base: 'main', body });
  await commit('last', 'main', { 'README.md': '# Digits, again\n' });
}

/** A stranger asks in vain; so does somebody who may only read. */
async function forkOfSam(): Promise<void> {
  const { github: hub } = world;
  await hub.as('stranger').rest.repos.createFork(digits);
  const fork = await clone(addressOf(hub.github.web, 'sam/digits', hub.github.tokens.stranger));
  commits.set(await fork.commit({ 'src/sam.py': '1\n' }), 'of sam');
  await fork.git('push', '--quiet', 'origin', 'HEAD:refs/heads/idea');
  await fork.remove();
  const { data } = await hub.as('stranger').rest.pulls.create({
    ...{ ...digits, title: 'Sam', head: 'sam:idea', base: 'main', body: '/gcbrun' },
  });
  const say = (person: 'stranger' | 'reader' | 'writer', body: string) =>
    hub.as(person).rest.issues.createComment({ ...digits, issue_number: data.number, body });
  await say('stranger', '/gcbrun');
  await say('reader', '/gcbrun');
  await say('writer', 'Looks fine.');
  await say('writer', 'Let us see.\n/gcbrun');
}

describe('a trigger of', () => {
  it.each(Object.entries(triggers))('%s', async (name, [, expected, location]) => {
    const builds = await world.builds(ids.get(name) ?? '', 0, location);
    expect(
      builds.map(
        ({ substitutions }) =>
          tags[substitutions['TAG_NAME'] ?? ''] ?? commits.get(substitutions['COMMIT_SHA'] ?? ''),
      ),
    ).toEqual(expected);
  });
});

const tags: Readonly<Record<string, string>> = {
  ...{ 'v1.0': 'tag', 'v1.1': 'annotated tag', nightly: 'other tag' },
};
