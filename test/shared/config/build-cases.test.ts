/** A repository's own build config against what gcloud makes of the same file. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { generate } from '../../../scripts/generate-build-schema.ts';
import type { BuildOrigin } from '../../../shared/config/check-build.ts';
import { parseBuildConfig } from '../../../shared/config/parse-build-config.ts';

const folder = join(import.meta.dirname, 'build-cases');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const yamlFiles = (path: string): string[] =>
  readdirSync(join(folder, path)).filter((name) => name.endsWith('.yaml'));
/** What the command line gave beside the file. */
const given = (name: string): Record<string, string> =>
  name === 'mixed-spelling.yaml' ? { _TAG: 'v9' } : {};

it("has the schema of the client's own descriptors", () => {
  const path = join(import.meta.dirname, '../../../shared/config/build.schema.json');
  expect(readFileSync(path, 'utf8')).toBe(generate());
});

describe('what gcloud takes', () => {
  it.each(yamlFiles('.'))('%s becomes the Build that gcloud sends', (name) => {
    const sent: unknown = JSON.parse(read(name.replace('.yaml', '.json')));
    expect(parseBuildConfig(read(name), name, { given: given(name) })).toEqual({
      ok: true,
      value: sent,
    });
  });

  it.each(yamlFiles('.'))('%s means the same when it comes from Windows', (name) => {
    const saved = `\uFEFF${read(name).replaceAll('\n', '\r\n')}`;
    const parsed = parseBuildConfig(saved, name, { given: given(name) });
    expect(parsed).toEqual(parseBuildConfig(read(name), name, { given: given(name) }));
  });
});

it('takes JSON that is indented with tabs, which gcloud does not', () => {
  const text = '{\n\t"steps": [\n\t\t{"name": "ubuntu"}\n\t]\n}\n';
  const value = { steps: [{ name: 'ubuntu' }] };
  expect(parseBuildConfig(text, 'cloudbuild.json')).toEqual({ ok: true, value });
});

/** Each with the place and the words of all its problems. */
const refused: Readonly<Record<string, readonly [at: string, message: RegExp][]>> = {
  'args-numbers': [
    ['1:31', /`args` must be text; put it in quotes/],
    ['1:34', /`args` must be text; put it in quotes/],
  ],
  'args-text': [['3:9', /`args` must be a list/]],
  'kms-inline-secrets': [['2:57', /`A` cannot be sent; keep it in Secret Manager/]],
  'kms-secrets': [['2:42', /`A` cannot be sent; keep it in Secret Manager/]],
  'bad-machine-type': [['2:24', /cannot be `HUGE`. Valid are .*E2_HIGHCPU_8/]],
  'disk-float': [['2:23', /`diskSizeGb` must be a whole number/]],
  'empty-file': [['1:1', /the file is empty/]],
  'empty-steps': [['1:1', /`steps` is missing/]],
  'env-mapping': [['1:29', /`env` must be a list/]],
  'id-twice': [['1:51', /the id `a` is an earlier step's/]],
  'invalid-yaml': [['2:1', /the indentation is wrong/]],
  'key-twice': [['2:1', /given twice/]],
  'no-steps': [['1:1', /`steps` is missing/]],
  'output-only': [
    ['2:1', /unknown key `id`/],
    ['3:1', /unknown key `status`/],
  ],
  'pubsub-topic': [['2:11', /unknown key `pubsubTopic`/]],
  'script-and-args': [['1:32', /`script` cannot stand beside `args`/]],
  source: [['2:1', /`source` cannot stand in the file/]],
  'spelled-twice': [['1:50', /`waitFor` in another spelling/]],
  'step-text': [['1:9', /`steps` must be a mapping/]],
  'step-without-name': [['1:9', /`name` is missing/]],
  'steps-text': [['1:8', /`steps` must be a mapping|`steps` must be a list/]],
  'string-root': [['1:1', /must be a mapping with `steps`/]],
  'substitution-bool': [['2:23', /`_TAG` must be text; put it in quotes/]],
  'substitution-key': [['2:17', /`TAG` is no name of a substitution/]],
  'substitution-number': [['2:23', /`_TAG` must be text; put it in quotes/]],
  'timeout-minutes': [['2:10', /`timeout` must be a duration.*"3600s"/]],
  'timeout-number': [['2:10', /`timeout` must be a duration.*"3600s"/]],
  'unknown-nested': [
    ['3:3', /unknown key `arg`. Did you mean `args`/],
    ['4:3', /unknown key `foo`/],
  ],
  'unknown-top': [['2:1', /unknown key `image`. Did you mean `images`/]],
  'waits-for-later': [['1:34', /no step above this one has the id `b`/]],
};

describe('what gcloud passes on or refuses without a place', () => {
  it('is all in the table', () => {
    const names = yamlFiles('refused').map((name) => name.replace('.yaml', ''));
    expect(names.sort()).toEqual(Object.keys(refused).sort());
  });

  it.each(Object.entries(refused))('%s is refused', (name, expected) => {
    const parsed = parseBuildConfig(read(`refused/${name}.yaml`), `${name}.yaml`);
    const problems = parsed.ok ? [] : parsed.problems;
    const places = problems.map(({ file, line, column }) => `${file}:${line}:${column}`);
    expect(places).toEqual(expected.map(([at]) => `${name}.yaml:${at}`));
    for (const [index, [, message]] of expected.entries())
      expect(problems[index]?.message).toMatch(message);
  });
});

const step = (text: string): string => `steps: [{name: ubuntu, args: ['${text}']}]\n`;

describe('substitutions', () => {
  it.each<[string, string, RegExp | undefined]>([
    ['has a value in the file', `${step('$_A')}substitutions: {_A: b}`, undefined],
    ['has a value from outside', step('${_GIVEN}'), undefined],
    ["is Cloud Build's own", step('$PROJECT_ID $BUILD_ID $COMMIT_SHA'), undefined],
    ['is a plain dollar', step('$$_A'), undefined],
    ["is a shell's in a script", 'steps: [{name: a, script: "echo $_A"}]', undefined],
    [
      'has no value',
      `${step('x-$_A')}substitutions: {_LONG_NAME: b}`,
      /`\$_A` has no value. Give it one below `substitutions:`/,
    ],
    [
      'stands in the name of a secret',
      `${step('x')}availableSecrets: {secretManager: [{versionName: 'projects/$PROJECT_ID/secrets/s/versions/$_V', env: A}]}`,
      /`\$_V` has no value/,
    ],
    ['is misspelled', step('$_GIVE'), /`\$_GIVE` has no value. Did you mean `\$_GIVEN`/],
    ["is a shell's", step('echo $HOME'), /`\$HOME` is none of .* is written `\$\$HOME`\.$/],
    ["is nearly Cloud Build's", step('$SHORTSHA'), /Did you mean `\$SHORT_SHA`/],
    [
      "is a shell's, which no looseness allows",
      `${step('$HOME')}options: {substitutionOption: ALLOW_LOOSE}`,
      /`\$HOME` is none of Cloud Build's variables/,
    ],
    ["is a shell's in small letters", step('$i $(date) $1 $@'), undefined],
    ['may be loose', `${step('$_A')}options: {substitutionOption: ALLOW_LOOSE}`, undefined],
    [
      "is a shell's in a script that substitutions are mapped into",
      'steps: [{name: a, script: "echo $HOME"}]\noptions: {automapSubstitutions: true}',
      undefined,
    ],
    [
      'is mapped into a script',
      'steps: [{name: a, script: "echo $_A"}]\noptions: {automapSubstitutions: true}',
      /`\$_A` has no value/,
    ],
    [
      'is used by a value',
      `${step('$_A')}substitutions: {_A: '$_B'}\noptions: {dynamicSubstitutions: true}`,
      /`\$_B` has no value/,
    ],
  ])('a variable %s', (_name, text, problem) => {
    const given: Record<string, string> = text.includes('_GIVE') ? { _GIVEN: 'x' } : {};
    const parsed = parseBuildConfig(text, 'cloudbuild.yaml', { given });
    expect(parsed.ok).toBe(problem === undefined);
    if (!parsed.ok) expect(parsed.problems[0]?.message).toMatch(problem!);
  });

  const loose = 'options: {substitutionOption: ALLOW_LOOSE}';
  const mapped = 'options: {automapSubstitutions: true}';
  it.each<[string, string, BuildOrigin, string, RegExp]>([
    ['in the file', 'substitutions: {_UNUSED: x}', {}, '2:17', /^`_UNUSED` has .* Remove it, or/],
    ['nearly used', 'substitutions: {_GIVE: x}', {}, '2:17', /Did you mean `_GIVEN`\?$/],
    ['from outside', '', { given: { _UNUSED: 'x' } }, '1:1', /^`_UNUSED` has a value that nothing/],
    ['in both', 'substitutions: {_A: x}', { given: { _A: 'y' } }, '2:17', /^`_A` has a value/],
    [
      'in a value that is not looked into',
      'substitutions: {_GIVEN: $_A, _A: x}',
      {},
      '2:30',
      /^`_A` has a value/,
    ],
  ])('a value that nothing uses is refused: %s', (_name, rest, { given }, at, message) => {
    const text = `${step('$_GIVEN')}${rest}`;
    const origin = { given: { _GIVEN: 'x', ...given } };
    const parsed = parseBuildConfig(text, 'cloudbuild.yaml', origin);
    const problems = parsed.ok ? [] : parsed.problems;
    expect(problems.map(({ line, column }) => `${line}:${column}`)).toEqual([at]);
    expect(problems[0]?.message).toMatch(message);
    for (const options of [loose, mapped])
      expect(parseBuildConfig(`${text}\n${options}`, 'cloudbuild.yaml', origin).ok).toBe(true);
    const isTriggered = true;
    expect(parseBuildConfig(text, 'cloudbuild.yaml', { ...origin, isTriggered }).ok).toBe(true);
  });

  it.each<[string, string, string]>([
    ['as it is', '', 'a$_B'],
    ['escaped where values have variables', 'options: {dynamicSubstitutions: true}', 'a$$_B'],
  ])('a value from outside is literal: %s', (_name, options, sent) => {
    const text = `${step('$_A')}substitutions: {_A: own}\n${options}`;
    const parsed = parseBuildConfig(text, 'cloudbuild.yaml', { given: { _A: 'a$_B' } });
    expect(parsed).toMatchObject({ ok: true, value: { substitutions: { _A: sent } } });
  });
});
