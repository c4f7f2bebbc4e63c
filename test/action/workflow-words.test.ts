import { describe, expect, it } from '@jest/globals';
import { inWorkflowWords, sentences } from '../../action/workflow-words.ts';

describe('inWorkflowWords', () => {
  it.each([
    ['Did you mean `gpu=T4`?', 'Did you mean `gpu: T4`?'],
    ['Try another `region=` or GPU, or later.', 'Try another `region` or GPU, or later.'],
    ['such as `machine=n1-highmem-8`, or', 'such as `machine_type: n1-highmem-8`, or'],
    ['`/train gpu=L4` alone picks g2.', '`gpu: L4` alone picks g2.'],
    ['`/train gpu=L4 machine=g2-standard-8`', '`gpu: L4, machine_type: g2-standard-8`'],
    ['Correct `a.yaml`, push, and comment again.', 'Correct `a.yaml` and push.'],
    ['Read the last lines of its log below.', 'Read the last lines of its log.'],
    [
      'Make it smaller, or allow it more time.',
      'Make it smaller, or allow it more time with `build_timeout`.',
    ],
    // What is not a key of ours stays, and so does what only looks like one.
    ['set `FOO=1` or `color=red`', 'set `FOO=1` or `color=red`'],
    ['timeout=3', 'timeout=3'],
    ['`gpu=T4\u0085`', '`gpu=T4\u0085`'],
  ])('%s', (comment, workflow) => {
    expect(inWorkflowWords(comment)).toBe(workflow);
  });
});

describe('sentences', () => {
  it.each([
    [['the build failed', 'Try again.'], 'The build failed. Try again.'],
    [['What?', 'use `gpu=T4`'], 'What? Use `gpu: T4`.'],
    [['alone.', undefined], 'Alone.'],
    [['alone.', ''], 'Alone.'],
    ...['\n', '\r', '\u0085', '\u2028', '\u2029'].map((end): [[string, string], string] => [
      [`it failed${end}::error::owned`, `Try${end}again`],
      'It failed ::error::owned. Try again.',
    ]),
  ] as const)('%j', ([happened, fix], text) => {
    expect(sentences(happened, fix)).toBe(text);
  });
});
