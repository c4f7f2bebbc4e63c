/** Spellings of a job config beyond the files in `cases/`, each with what gcloud (SDK 528) makes of it. */
import { describe, expect, it } from '@jest/globals';
import { parseBuildConfig } from '../../../shared/config/parse-build-config.ts';
import { parseJobConfig } from '../../../shared/config/parse-job-config.ts';

const parse = (text: string) => parseJobConfig(text, 'job.yaml', {});

/** A job whose only container has these lines, too. */
const withContainer = (lines: string): string =>
  `workerPoolSpecs:\n- machineSpec: {machineType: n1-standard-4}\n  containerSpec:\n    imageUri: a/b\n${lines}`;

describe('a container', () => {
  it.each<[string, string, object]>([
    ['a block at the end of a file without a last line break', 'args:\n- |\n  a', { args: ['a'] }],
    ['a kept block there', 'args:\n- |+\n  a\n\n  b', { args: ['a\n\nb'] }],
    ['a folded block there', 'args:\n- >\n  a\n  b', { args: ['a b'] }],
    ['such a block with a last line break', 'args:\n- |\n  a\n', { args: ['a\n'] }],
    ['a block before a last comment', 'args:\n- |\n  a\n# end', { args: ['a\n'] }],
    ['a bracket that closes below its key', 'args: [\n  a,\n  b,\n]\n', { args: ['a', 'b'] }],
    ['a single argument', 'args: train\n', { args: ['train'] }],
    ['a single variable', 'env: {name: A, value: b}\n', { env: [{ name: 'A', value: 'b' }] }],
  ])('has %s', (_, lines, sent) => {
    const parsed = parse(withContainer(lines.replaceAll(/^(?=.)/gm, '    ')));
    expect(parsed).toMatchObject({ ok: true });
    expect(parsed.ok && parsed.value.workerPoolSpecs[0]?.containerSpec).toEqual({
      imageUri: 'a/b',
      ...sent,
    });
  });
});

it('has the line ends of an old Macintosh', () => {
  const text = withContainer('');
  expect(parse(text.replaceAll('\n', '\r'))).toEqual(parse(text));
});

const refusedLines: readonly [string, string, string, RegExp][] = [
  ['a text of several arguments', '    args: --a --b\n', '5:11', /`args` must be a list/],
  ['an empty text for arguments', '    args: ""\n', '5:11', /`args` must be a list/],
  ['variables as a mapping', '    env: {A: b}\n', '5:10', /`env` must be a list/],
  ['a number that gcloud counts otherwise', 'scheduling: {strategy: 5}\n', '5:24', /cannot be `5`/],
  ['a line break of YAML 1.1', 'network: a\u0085b\n', '5:11', /cannot stand in a YAML file/],
  ['a number in quotes', 'scheduling: {strategy: "4"}\n', '5:24', /cannot be `4`/],
];
it.each(refusedLines)('refuses %s', (_, lines, at, message) => {
  const parsed = parse(withContainer(lines));
  const [problem] = parsed.ok ? [] : parsed.problems;
  expect(`${problem?.line}:${problem?.column}`).toBe(at);
  expect(problem?.message).toMatch(message);
});

describe('a number for the name of a value', () => {
  it('is the value where gcloud and the service count alike', () => {
    const text = withContainer('scheduling: {strategy: 4}\n').replace(
      'n1-standard-4}',
      'n1-standard-4, acceleratorType: 5, acceleratorCount: 1}',
    );
    expect(parse(text)).toMatchObject({
      ok: true,
      value: {
        workerPoolSpecs: [{ machineSpec: { acceleratorType: 'NVIDIA_TESLA_T4' } }],
        scheduling: { strategy: 'SPOT' },
      },
    });
  });

  it.each(['6', '9', '17'])('is refused for the accelerator %s', (number) => {
    const text = withContainer('').replace(
      'n1-standard-4}',
      `n1-standard-4, acceleratorType: ${number}, acceleratorCount: 1}`,
    );
    expect(parse(text)).toMatchObject({ ok: false, problems: [{ line: 2 }] });
  });

  it.each<[string, string | undefined]>([
    ['logging: 2', 'GCS_ONLY'],
    ['logging: 4', undefined],
    ['machineType: 3', undefined],
  ])('of a build: %s', (option, value) => {
    const parsed = parseBuildConfig(`steps: [{name: a}]\noptions: {${option}}\n`, 'b.yaml');
    expect(parsed.ok ? Object.values(parsed.value.options ?? {}) : []).toEqual(
      value === undefined ? [] : [value],
    );
  });
});

it('takes a single number for a list of them', () => {
  const parsed = parseBuildConfig('steps: [{name: a, allow_exit_codes: 1}]\n', 'b.yaml');
  expect(parsed).toMatchObject({ ok: true, value: { steps: [{ allowExitCodes: [1] }] } });
});

it.each([
  ['T4', 'NVIDIA_TESLA_T4'],
  ['nvidia-tesla-t4', 'NVIDIA_TESLA_T4'],
  ['NVIDIA_TESLA_L4', 'NVIDIA_L4'],
  ['A100', 'NVIDIA_TESLA_A100'],
  ['A100-80GB', 'NVIDIA_A100_80GB'],
  ['H100', 'NVIDIA_H100_80GB'],
  ['nvidia-h100-80gb', 'NVIDIA_H100_80GB'],
  ['h100-mega', 'NVIDIA_H100_MEGA_80GB'],
  ['NVIDIA_GB300', 'NVIDIA_GB200'],
])('the accelerator %s is said to be %s', (typed, meant) => {
  const text = withContainer('').replace(
    'n1-standard-4}',
    `n1-standard-4, acceleratorType: ${typed}, acceleratorCount: 1}`,
  );
  const parsed = parse(text);
  const [problem] = parsed.ok ? [] : parsed.problems;
  expect(problem?.message).toContain(`Did you mean \`${meant}\`?`);
});
