/** `triggers:` in the repository's file: what it becomes, and what is wrong with it and where. */
import { describe, expect, it } from '@jest/globals';
import { parseRepoConfig } from '../../../shared/config/repo-config.ts';
import { refuseTriggers } from '../../../shared/triggers/refuse-triggers.ts';

function parse(yaml: string) {
  return parseRepoConfig(yaml, 'trainyard.yml');
}

/** An entry with these lines below `- name: a`. */
function entry(...lines: readonly string[]): string {
  return ['triggers:', '  - name: a', ...lines.map((line) => `    ${line}`), ''].join('\n');
}

const push = ['on: push', 'branch: ^main$', 'config: cloudbuild.yaml'];

it('reads the entry with everything in it', () => {
  const text = entry(
    ...['on: pull_request', 'branch: ^main$', 'invert: true', 'config: ci/cloudbuild.yaml'],
    ...['comment_control: COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY'],
    ...[
      'included_files: [src/**]',
      'ignored_files: ["*.md"]',
      'substitutions: {_N: "3", _B: "true"}',
    ],
    ...['service_account: b@p.iam.gserviceaccount.com', 'region: us-central1', 'connection: gh'],
    ...['approval: true', 'include_logs: true', 'disabled: true', 'description: words'],
    'run: {allowed: true, substitutions: [_N]}',
  );
  const parsed = parse(text);
  expect(parsed.ok && parsed.value.triggers).toEqual({
    triggers: [
      {
        name: 'a',
        event: {
          ...{ kind: 'pull_request', branch: '^main$', invert: true },
          commentControl: 'COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY',
        },
        template: { kind: 'config', path: 'ci/cloudbuild.yaml' },
        ...{ includedFiles: ['src/**'], ignoredFiles: ['*.md'] },
        substitutions: { _N: '3', _B: 'true' },
        serviceAccount: 'b@p.iam.gserviceaccount.com',
        ...{ region: 'us-central1', connection: 'gh', approval: true, includeLogs: true },
        ...{ disabled: true, description: 'words' },
        // A pull request's trigger is about its commit.
        run: { head: true, substitutions: ['_N'] },
      },
    ],
    deleted: [],
  });
});

it.each([
  [
    'a pull request asks for a comment unless it says otherwise',
    'on: pull_request',
    'event.commentControl',
    'COMMENTS_ENABLED',
  ],
  ['nobody may run a trigger unless it says so', 'on: push', 'run', undefined],
  ['not even with a mapping that does not', 'run: {allowed: false}', 'run', undefined],
  ['and then the default branch only', 'run: {allowed: true}', 'run.head', false],
])('%s', (_what, line, path, expected) => {
  const lines = [...push.filter((one) => !line.startsWith('on:') || !one.startsWith('on:')), line];
  const parsed = parse(entry(...lines));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const value = path
    .split('.')
    .reduce<unknown>(
      (at, key) => (at as Record<string, unknown> | undefined)?.[key],
      parsed.value.triggers?.triggers[0],
    );
  expect(value).toBe(expected);
});

it('takes names of what is to be deleted', () => {
  const parsed = parse(
    'triggers:\n  - {name: old, delete: true}\n  - {name: b, region: us-central1, delete: true}\n',
  );
  expect(parsed.ok && parsed.value.triggers).toEqual({
    triggers: [],
    deleted: [{ name: 'old' }, { name: 'b', region: 'us-central1' }],
  });
});

describe('refused, with place and words', () => {
  it.each<[string, readonly string[], string, RegExp]>([
    ['an unknown key', [...push, 'brnach: x'], '6:5', /`brnach`. Did you mean `branch`\?/],
    ['one below `run`', [...push, 'run: {alowed: true}'], '6:11', /Did you mean `allowed`\?/],
    ['no event', ['config: c.yaml'], '2:5', /`on` must be push, tag, pull_request or manual/],
    [
      'an unknown event',
      ['on: pushes', 'branch: a', 'config: c'],
      '3:9',
      /must be one of push, tag/,
    ],
    ['no pattern', ['on: push', 'config: c.yaml'], '2:5', /`branch` must be given for on: push/],
    ['a tag of a push', [...push, 'tag: ^v'], '6:10', /`tag` must not stand with on: push/],
    [
      'a pattern that fits anywhere',
      ['on: push', 'branch: main', 'config: c'],
      '4:13',
      /begins and ends/,
    ],
    ['looking ahead', ['on: push', 'branch: ^(?=a)a$', 'config: c'], '4:13', /RE2 cannot/],
    ['a reference back', ['on: tag', String.raw`tag: ^(a)\1$`, 'config: c'], '4:10', /RE2 cannot/],
    ['nothing to build', ['on: push', 'branch: ^a$'], '2:5', /`config` must be given/],
    ['two things to build', [...push, 'dockerfile: D'], '5:13', /and not both/],
    ['a path outside', ['on: push', 'branch: ^a$', 'config: ../c'], '5:13', /path inside/],
    [
      'a substitution of Cloud Build',
      [...push, 'substitutions: {BRANCH_NAME: x}'],
      '6:21',
      /begin with _/,
    ],
    [
      'a substitution whose text is lost in a number',
      [...push, 'substitutions: {_PYTHON: 3.10}'],
      '6:30',
      /`_PYTHON` must be text/,
    ],
    [
      'substitutions of a Dockerfile',
      ['on: push', 'branch: ^a$', 'dockerfile: D', 'substitutions: {_A: b}'],
      '6:20',
      /takes none/,
    ],
    [
      'a push without an image',
      ['on: push', 'branch: ^a$', 'dockerfile: D', 'push: true'],
      '6:11',
      /image to push/,
    ],
    [
      'an account that is none',
      [...push, 'service_account: me@example.com'],
      '6:22',
      /service account/,
    ],
    ['a region that is none', [...push, 'region: evil.example/'], '6:13', /us-central1/],
    [
      'a connection in global',
      [...push, 'connection: gh', 'region: global'],
      '7:13',
      /never global/,
    ],
    [
      'comments of a push',
      [...push, 'comment_control: COMMENTS_ENABLED'],
      '6:22',
      /pull_request only/,
    ],
    [
      'files of nothing',
      ['on: manual', 'branch: main', 'config: c', 'included_files: [a]'],
      '3:9',
      /nothing else has changes/,
    ],
    [
      'a pattern where a name belongs',
      ['on: manual', 'branch: ^main$', 'config: c'],
      '4:13',
      /a name, not a pattern/,
    ],
    ['a deletion that declares', [...push, 'delete: true'], '6:13', /stand alone/],
    ['a deletion that is none', ['delete: false'], '3:13', /must be true/],
  ])('%s', (_what, lines, at, message) => {
    const parsed = parse(entry(...lines));
    const problems = parsed.ok
      ? []
      : parsed.problems.map(({ line, column, message: text }) => [`${line}:${column}`, text]);
    expect(problems).toContainEqual([at, expect.stringMatching(message)]);
  });

  it.each(['', 'a b', '-a', 'a-', 'a_b', 'a'.repeat(65), '../x'])('the name "%s"', (name) => {
    const parsed = parse(
      JSON.stringify({ triggers: [{ name, on: 'push', branch: '^a$', config: 'c' }] }),
    );
    expect(parsed.ok ? '' : parsed.problems[0]?.message).toMatch(/letters, digits and dashes/);
  });

  it('a name that is there already', () => {
    const one = { name: 'a', on: 'push', branch: '^a$', config: 'c' };
    const parsed = parse(JSON.stringify({ triggers: [one, one] }));
    expect(parsed.ok ? '' : parsed.problems[0]?.message).toMatch(/another one/);
  });
});

describe('what the operator or the repository does not allow', () => {
  const limits = {
    serviceAccounts: ['b@p.iam.gserviceaccount.com'],
    regions: ['global', 'us-central1'],
    isPublic: true,
  };
  const pull = ['on: pull_request', 'branch: ^main$', 'config: c.yaml'];
  const account = 'service_account: other@p.iam.gserviceaccount.com';
  it.each<[string, readonly string[], Partial<typeof limits>, RegExp | undefined]>([
    [
      'an account of the operator',
      [...push, 'service_account: b@p.iam.gserviceaccount.com'],
      {},
      undefined,
    ],
    ['another account', [...push, account], {}, /not one that the operator has.*`b@p\.iam/],
    [
      'an account where there is none',
      [...push, account],
      { serviceAccounts: [] },
      /Leave `service_account` out/,
    ],
    ['a region', [...push, 'region: us-central1'], {}, undefined],
    ['another region', [...push, 'region: europe-west1'], {}, /`global` or `us-central1`/],
    ['a public pull request that asks', pull, {}, undefined],
    ['one that does not', [...pull, 'comment_control: COMMENTS_DISABLED'], {}, /anybody can open/],
    [
      'one that does not where people are known',
      [...pull, 'comment_control: COMMENTS_DISABLED'],
      { isPublic: false },
      undefined,
    ],
    [
      'a Dockerfile whose log goes nowhere',
      ['on: push', 'branch: ^a$', 'dockerfile: D'],
      {},
      /`push: true`/,
    ],
    [
      'a Dockerfile that Cloud Build builds as itself',
      ['on: push', 'branch: ^a$', 'dockerfile: D'],
      { serviceAccounts: [] },
      undefined,
    ],
  ])('%s', (_what, lines, changes, expected) => {
    const parsed = parse(entry(...lines));
    if (!parsed.ok || parsed.value.triggers === undefined) throw new Error('does not parse');
    const problems = refuseTriggers(parsed.value.triggers, { ...limits, ...changes });
    if (expected === undefined) expect(problems).toEqual([]);
    else expect(problems).toEqual([expect.stringMatching(expected)]);
  });
});
