/** Declared against actual triggers: the steps that make them the same, and nothing more. */
import { describe, expect, it } from '@jest/globals';
import { fc } from '../../properties.ts';
import type { BuildTrigger } from '../../../shared/triggers/build-trigger.ts';
import {
  diffTriggers,
  type TriggerFacts,
  type TriggerStep,
} from '../../../shared/triggers/diff-triggers.ts';
import { renderPlan } from '../../../shared/triggers/render-triggers.ts';

const owner = { owner: 'acme', repositoryId: 7 };
const tags = ['trainyard-owner-acme', 'trainyard-repository-7'];
const github = { owner: 'octo', name: 'repo', push: { branch: '^main$' } };
const declared: BuildTrigger = { name: 'a', github, filename: 'c.yaml' };
const ours: BuildTrigger = { ...declared, id: '1', tags };

function diff(
  wanted: readonly BuildTrigger[],
  actual: readonly BuildTrigger[],
  changes: Partial<TriggerFacts> = {},
): readonly TriggerStep[] {
  return diffTriggers({
    owner,
    requests: wanted.map((trigger) => ({ project: 'p', region: 'global', trigger })),
    deleted: [],
    actual: actual.map((trigger) => ({ region: 'global', trigger })),
    written: new Map(),
    repository: { owner: 'octo', repo: 'repo' },
    connected: [],
    ...changes,
  });
}

it('creates what is not there, marked as ours', () => {
  const trigger = { ...declared, tags };
  const request = { project: 'p', region: 'global', trigger };
  expect(diff([declared], [])).toEqual([{ do: 'create', name: 'a', request }]);
});

describe('takes as the same', () => {
  it.each<[string, Partial<BuildTrigger>, Partial<BuildTrigger>?]>([
    ['what it is', {}],
    ['what the service adds', { resourceName: 'projects/p', createTime: '2026-01-01T00:00:00Z' }],
    ['an installation of its own', { github: { ...github, installationId: '12' } as object }],
    [
      'defaults that it names',
      { disabled: false, description: '', substitutions: {}, ignoredFiles: [] },
    ],
    ['tags in another order, and others beside', { tags: ['x', ...tags.toReversed()] }],
    ['an approval that is not needed', { approvalConfig: { approvalRequired: false } }],
    [
      'a comment control that is the default',
      { github: { owner: 'octo', name: 'repo', pullRequest: { branch: 'a' } } },
      {
        github: {
          ...{ owner: 'octo', name: 'repo' },
          pullRequest: { branch: 'a', commentControl: 'COMMENTS_DISABLED' },
        },
      },
    ],
  ])('%s', (_what, there, wanted = {}) => {
    const steps = diff([{ ...declared, ...wanted }], [{ ...ours, ...there }]);
    expect(steps).toEqual([{ do: 'unchanged', name: 'a', region: 'global', id: '1' }]);
  });
});

it('leaves what the service makes of our words as it is', () => {
  const sent = { ...declared, tags };
  const answered = { ...ours, serviceAccount: 'projects/p/serviceAccounts/default' };
  const written = new Map([['1', { sent, answered }]]);
  expect(diff([declared], [answered], { written })).toMatchObject([{ do: 'unchanged' }]);
  // But not what somebody makes of it later.
  const changed = { ...answered, serviceAccount: 'projects/p/serviceAccounts/owner' };
  expect(diff([declared], [changed], { written })).toMatchObject([{ do: 'update' }]);
});

describe('changes', () => {
  const step = (there: BuildTrigger, wanted = declared, written?: BuildTrigger) => {
    const [only, ...others] = diff([wanted], [there], {
      written: new Map(written && [['1', { sent: written, answered: written }]]),
    });
    expect(others).toEqual([]);
    if (only?.do !== 'update') throw new Error(`it is ${only?.do ?? 'nothing'}`);
    return only;
  };

  it.each<[string, Partial<BuildTrigger>, string[], string[]]>([
    [
      'a pattern',
      { github: { ...github, push: { branch: '^x$' } } },
      ['github.push.branch'],
      ['github'],
    ],
    [
      'a pattern into one of a tag',
      { github: { ...github, push: { tag: '^v1$' } } },
      ['github.push.branch', 'github.push.tag'],
      ['github'],
    ],
    [
      'what was added by hand',
      { filter: 'true', disabled: true },
      ['disabled', 'filter'],
      ['disabled', 'filter'],
    ],
    ['a value', { substitutions: { _A: 'b' } }, ['substitutions._A'], ['substitutions']],
    // Setting one of the templates unsets the other.
    [
      'a build into a file',
      { filename: undefined, build: { steps: [] } } as object,
      ['filename'],
      ['filename'],
    ],
    [
      'an inline build into a file',
      { filename: undefined, build: { steps: [{ name: 'x' }] } } as object,
      ['build.steps', 'filename'],
      ['filename'],
    ],
  ])('%s', (_what, there, paths, updateMask) => {
    const update = step({ ...ours, ...there });
    expect(update.changes.map(({ path }) => path)).toEqual(paths);
    expect(update.updateMask).toEqual(updateMask);
    expect(update.adopts).toBe(false);
  });

  it('tells by hand from by declaration', () => {
    const written = { ...declared, tags };
    const byHand = step({ ...ours, filename: 'hand.yaml' }, declared, written);
    expect(byHand.changes).toEqual([
      { path: 'filename', was: 'hand.yaml', becomes: 'c.yaml', byHand: true },
    ]);
    const byDeclaration = step(ours, { ...declared, filename: 'new.yaml' }, written);
    expect(byDeclaration.changes[0]?.byHand).toBe(false);
  });

  it('adopts one that was made by hand for this repository', () => {
    const update = step({ ...declared, id: '1', tags: ['mine'] });
    expect(update).toMatchObject({ adopts: true, updateMask: ['tags'] });
    expect(update.request.trigger.tags).toEqual(['mine', ...tags]);
  });
});

it('takes a name once in a region', () => {
  const steps = diff([declared, { ...declared, filename: 'd.yaml' }], []);
  expect(steps).toMatchObject([
    { do: 'create' },
    { do: 'blocked', message: expect.stringMatching(/twice/) },
  ]);
});

describe('never touches', () => {
  it.each<[string, BuildTrigger, RegExp]>([
    [
      'another installation’s',
      { ...ours, tags: ['trainyard-owner-other'] },
      /another installation/,
    ],
    [
      'another repository’s',
      { ...ours, tags: [tags[0] ?? '', 'trainyard-repository-8'] },
      /another repository/,
    ],
    [
      'one of somebody else',
      { id: '1', name: 'a', github: { owner: 'x', name: 'y' } },
      /another repository/,
    ],
    ['one that nothing starts', { id: '1', name: 'a', webhookConfig: {} }, /another repository/],
  ])('%s', (_what, there, message) => {
    expect(diff([declared], [there])).toEqual([
      { do: 'blocked', name: 'a', region: 'global', message: expect.stringMatching(message) },
    ]);
  });

  it('what is not declared', () => {
    expect(diff([], [ours])).toEqual([{ do: 'leave', name: 'a', region: 'global', id: '1' }]);
  });

  it('what is of other repositories, not even to name it', () => {
    const other = { id: '2', name: 'b', github: { owner: 'x', name: 'y' } };
    expect(diff([], [other], { deleted: [{ name: 'b' }] })).toEqual([]);
  });
});

describe('deletes', () => {
  it.each([
    ['what is named', { name: 'a' }, 'delete'],
    ['what is named in its region', { name: 'a', region: 'global' }, 'delete'],
    ['nothing in another region', { name: 'a', region: 'us-central1' }, 'leave'],
    ['nothing of another name', { name: 'A' }, 'leave'],
  ])('%s', (_what, named, expected) => {
    expect(diff([], [ours], { deleted: [named] })).toMatchObject([{ do: expected, id: '1' }]);
  });

  it('what a person has made for this repository, and nothing of another installation', () => {
    const deleted = [{ name: 'a' }];
    expect(diff([], [{ ...declared, id: '1' }], { deleted })).toMatchObject([{ do: 'delete' }]);
    const foreign = { ...ours, tags: ['trainyard-owner-other', 'trainyard-repository-7'] };
    expect(diff([], [foreign], { deleted })).toMatchObject([{ do: 'blocked' }]);
  });
});

it('knows this repository by name in any case, by connection and by address', () => {
  const connection = 'projects/p/locations/r/connections/c/repositories/octo-repo';
  const actual = [
    { id: '1', name: 'a', github: { owner: 'OCTO', name: 'Repo' } },
    { id: '2', name: 'b', repositoryEventConfig: { repository: connection } },
    { id: '3', name: 'c', sourceToBuild: { uri: 'https://github.com/octo/repo.git' } },
    { id: '4', name: 'd', sourceToBuild: { uri: 'https://github.com/octo/repo-2' } },
  ];
  const steps = diff([], actual, { connected: [connection] });
  expect(steps.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
});

it('has nothing left to do once its steps are taken', () => {
  const text = fc.string({ maxLength: 20 });
  const trigger = fc.record(
    {
      description: text,
      disabled: fc.boolean(),
      substitutions: fc.dictionary(fc.stringMatching(/^_[A-Z]{1,3}$/), text),
      includedFiles: fc.array(text, { maxLength: 3 }),
      filter: text,
      filename: text,
      github: fc.record({
        owner: fc.constant('octo'),
        name: fc.constant('repo'),
        push: fc.record({ branch: text, invertRegex: fc.boolean() }, { requiredKeys: [] }),
      }),
    },
    { requiredKeys: ['github'] },
  );
  fc.assert(
    fc.property(trigger, trigger, (wanted, there) => {
      const request = { ...wanted, name: 'a' };
      const actual: BuildTrigger = { ...there, name: 'a', id: '1' };
      const [step] = diff([request], [actual]);
      if (step?.do !== 'update') throw new Error('the tags are missing, so it is an update');
      const after: Record<string, unknown> = { ...actual };
      for (const field of step.updateMask) after[field] = step.request.trigger[field];
      expect(diff([request], [after as BuildTrigger])).toMatchObject([{ do: 'unchanged' }]);
    }),
  );
});

it('shows names and values as nothing but text', () => {
  const hostile = '|<img src=x> @olivia `` https://evil.example /gcbrun';
  const actual = [
    { ...ours, description: hostile },
    { id: '2', name: hostile, github },
  ];
  const markdown = renderPlan(diff([declared], actual), { applied: false });
  expect(markdown).not.toMatch(/@olivia|^\/gcbrun/m);
  expect(markdown.split('\n').filter((line) => line.startsWith('| `description`'))).toHaveLength(1);
});

it('stays within what GitHub takes, whatever changed', () => {
  const names = Array.from({ length: 100 }, (_, index) => `t-${index}`);
  const substitutions = Object.fromEntries(
    names.map((name, index) => [`_${index}`, `${name} `.repeat(500)]),
  );
  const wanted = names.map((name) => ({ ...declared, name }));
  const actual = names.map((name, id) => ({ ...ours, name, id: String(id), substitutions }));
  const markdown = renderPlan(diff(wanted, actual), { applied: true });
  expect(markdown.length).toBeLessThan(60_000);
  expect(markdown).toMatch(/The rest is left out/);
});
