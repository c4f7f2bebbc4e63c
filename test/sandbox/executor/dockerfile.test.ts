import { describe, expect, it } from '@jest/globals';
import { parseDockerfile } from '../../../sandbox/executor/dockerfile.ts';

describe('parseDockerfile', () => {
  it('reads stages, flags, comments inside of instructions and line numbers', () => {
    const text = [
      '# syntax=docker/dockerfile:1',
      'ARG V=1',
      'FROM --platform=linux/amd64 python:$V AS base',
      'ENV A=1 \\',
      '  # a comment',
      '',
      '  B=2',
      'COPY --from=base --chown=1:1 ["a b", "/c"]',
      'FROM base',
      'RUN <<EOT',
      'FROM nothing',
      'EOT',
    ].join('\n');
    const { globalArgs, stages } = parseDockerfile(text, 'Dockerfile');
    expect(globalArgs.map(({ text: args, line }) => [args, line])).toEqual([['V=1', 2]]);
    expect(stages.map(({ from }) => from.text)).toEqual(['python:$V AS base', 'base']);
    const [env, copy] = stages[0]!.instructions;
    expect(env!.text.split(/\s+/)).toEqual(['A=1', 'B=2']);
    expect(env!.line).toBe(4);
    expect(copy!.text).toBe('["a b", "/c"]');
    expect([...copy!.flags]).toEqual([
      ['from', 'base'],
      ['chown', '1:1'],
    ]);
    expect(stages[1]!.instructions).toMatchObject([{ keyword: 'RUN', hasHeredoc: true }]);
  });

  it.each([
    ['FROM a\nCOYP . .', 'Dockerfile:2: unknown instruction: COYP'],
    ['FROM a\n\nWORKDIR', 'Dockerfile:3: WORKDIR requires at least one argument'],
    ['RUN x', 'Dockerfile:1: no build stage in current context'],
    ['# nothing', 'Dockerfile:1: file with no instructions'],
    ['', 'Dockerfile:1: file with no instructions'],
  ])('names file and line: %j', (text, message) => {
    expect(() => parseDockerfile(text, 'Dockerfile')).toThrow(message);
  });
});
