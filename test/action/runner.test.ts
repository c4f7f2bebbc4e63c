/** What a line may hold without the runner acting on it, read as the runner reads it. */
import { describe, expect, it } from '@jest/globals';
import { inert, linesToMask, LogPrinter, paragraph } from '../../action/runner.ts';
import { commandsIn } from './runner-log.ts';

describe('inert', () => {
  it.each([
    'Trained c0ffee: ##[set-output name=state;]owned 0.9',
    '  ::add-mask::0',
    '::error::owned',
    'fine\r::error::owned',
    'fine\u0085::error::owned',
    'fine\u2028::error::owned',
    'fine\u2029 ::error::owned',
    'fine\v::error::owned',
    'fine\f::error::owned',
    'fine\n##[error]owned',
  ])('%j is no command', (line) => {
    expect(commandsIn(line)).not.toEqual([]);
    expect(commandsIn(inert(line))).toEqual([]);
  });

  it.each([':::error::owned', '##[##[error]]owned', '##[unknown]##[error]x', '::unknown::'])(
    '%j stays none',
    (line) => {
      expect(commandsIn(inert(line))).toEqual([]);
    },
  );

  it.each(['Image: a@sha256:b', 'Note: a::b', 'epoch=1 ## [x]', ''])(
    'leaves %j as it is',
    (line) => {
      expect(inert(line)).toBe(line);
    },
  );
});

it('says nothing that looks like a token in a warning', () => {
  const text =
    'customJobs.get: no for Bearer ya29.abcdefghijklmno\r\n\u0085at eyJabcdef.abcdef.abc';
  expect(paragraph(text)).toBe('customJobs.get: no for Bearer ya29.***\n at eyJ***');
});

it.each<[string, readonly string[]]>([
  ['s3cr3t', ['s3cr3t']],
  [' two words \r\n\r\nand more\n', ['two words', 'and more']],
  ['{\n  "key": "abcd",\n  "key": "abcd",\n}\n', ['"key": "abcd",']],
  ['abc\n', ['abc']],
  [' \n', []],
])('of the secret %j these lines are hidden: %j', (secret, lines) => {
  expect(linesToMask(secret)).toEqual(lines);
});

describe('LogPrinter', () => {
  it('folds lines under their title and lets no line of theirs be a command', () => {
    const printed: string[] = [];
    const print = (line: string): number => printed.push(line);
    const runner = { print: (line: string) => void print(line.replace(/\r/g, ' ')), info: print };
    let now = 0;
    const log = new LogPrinter(runner, { now: () => new Date(now) });
    log.lines('Job log', ['a', '::error::x']);
    now = 5_000;
    log.lines('Job log', ['##[set-output name=x]y']);
    expect(log.silentMs).toBe(0);
    now = 9_000;
    expect(log.silentMs).toBe(4_000);
    log.event('running');
    log.lines('Build log', ['b']);
    log.close();
    log.close();
    expect(commandsIn(printed.join('\n'))).toEqual([
      'group Job log',
      'endgroup',
      'group Build log',
      'endgroup',
    ]);
    expect(printed.filter((line) => !line.startsWith('::'))).toEqual([
      'a',
      '##[set-output name=x]y',
      'running',
      'b',
    ]);
  });

  it.each<[string, readonly string[]]>([
    ['plain lines', ['a', 'b']],
    ['lines that would be commands', ['::error::x', '  ::stop-commands::owned', '##[group]x']],
  ])('has the runner obey between %s, so that a token which comes then is masked', (_, lines) => {
    const printed: string[] = [];
    const print = (line: string): number => printed.push(line);
    const log = new LogPrinter({ print, info: print }, { now: () => new Date(0) });
    log.lines('Job log', lines);
    print('::add-mask::token');
    log.lines('Job log', lines);
    const commands = ['group Job log', 'add-mask token'];
    expect(commandsIn(printed.join('\n'))).toEqual(commands);
    log.close();
    expect(commandsIn(printed.join('\n'))).toEqual([...commands, 'endgroup']);
    expect(printed.filter((line) => lines.includes(line))).toEqual([...lines, ...lines]);
  });
});
