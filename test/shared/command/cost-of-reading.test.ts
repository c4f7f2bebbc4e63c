/**
 * A comment is read on the thread that serves everybody: whatever its 64 KiB hold, that takes no longer than a look
 * at a database.
 */
import { describe, expect, it } from '@jest/globals';
import { mayHoldCommands, parseCommands } from '../../../shared/command/parse.ts';
import { fc, runs } from '../../properties.ts';

const maxLength = 65_536;
/** Ten times what it takes at most: what grows with the square of a comment's length takes longer still. */
const maxCpuMs = 3_000;
/** As many lines as are read at most. */
const maxLines = 995;

const many = (unit: string): string => unit.repeat(Math.floor((maxLength - 50) / unit.length));
const lines = (line: string): string => `${line}\n`.repeat(maxLines);
/** As long as they may be. */
const longLines = (unit: string): string =>
  lines(unit.repeat(Math.max(1, Math.floor(64 / unit.length))));
const nested = (depth: number, item: string): string =>
  Array.from({ length: depth }, (_, level) => ' '.repeat(level * item.indexOf('a')) + item).join(
    '\n',
  );
const table = (columns: number, rows: number): string =>
  ['a', '-', ...Array.from({ length: rows }, () => 'b')]
    .map((cell) => `|${`${cell}|`.repeat(columns)}\n`)
    .join('');

const hostile: Readonly<Record<string, readonly string[]>> = {
  tables: [
    ...[table(16_000, 0), table(10_000, 1), table(2_400, 0), table(1_600, 1), table(4, 990)],
    ...[
      lines('|a|\n|-|\n').slice(0, 8_000),
      many('|'),
      many('a|b\n-|-\n'),
      `a|b\n-|-\n${many('b')}`,
    ],
  ],
  quotes: [longLines('> '), lines('> > > > > > > a'), `> a\n${lines('b|')}`, lines('> |a|b|')],
  lists: [
    ...[
      nested(250, '- a'),
      nested(70, '- a'),
      `${nested(19, '- a')}\n`.repeat(52),
      `${nested(19, '- a')}\n`.repeat(25) + nested(68, '- a'),
      nested(180, '1. a'),
      lines('- a\n  - b\n    - c').slice(0, 8_000),
    ],
    ...[lines('- [ ] a'), lines('1. a'), lines('-'), many('- '), many('1) '), longLines('- ')],
  ],
  emphasis: [many('*'), many('*a_'), many('_a*'), many('~a'), longLines('*a_'), many('**a')],
  links: [
    ...[
      many('['),
      many('[a]('),
      many('[a]'),
      many('!['),
      many(']'),
      longLines('[a]('),
      many('[a]: '),
    ],
    ...[
      lines('[a]: b'),
      lines('[a]: <b> "c'),
      `[a]: b "${lines('c|')}`,
      many('[a]: <div>a[^a]+ - '),
    ],
    ...['[a](b "', "[a](b '", '[a](b (', '[a](<', '](', '[[](', "[a](b ')", '[\\"'].map(many),
    ...[lines('[a](b "c'), longLines("[a](b '"), `[a](${many(' ')}`, `[a](b "${many(' ')}`],
    ...[
      many('$$'),
      many('$$a ~~b '),
      many('~~a '),
      lines('a $$'),
      lines("[a](b 'c\n").slice(0, 9_000),
    ],
  ],
  code: [
    Array.from({ length: 350 }, (_, length) => '`'.repeat(length + 1)).join(' '),
    Array.from({ length: 95 }, (_, length) => '`'.repeat(length + 1)).join(' '),
    ...[
      many('`a '),
      many('`` ` '),
      many('`'),
      '`a '.repeat(4_900),
      lines('`'),
      lines('```'),
      lines('~~~'),
    ],
  ],
  escapes: [
    many('\\'),
    many('\\a'),
    many('\\('),
    '\\('.repeat(4_900),
    longLines('(>~a\\'),
    lines('a|\\'),
  ],
  footnotes: [lines('[^a]: b'), many('[^a]'), lines('[^a]: *[\t\t'), longLines('[^a]: ')],
  addresses: [
    many('<a'),
    many('http://a.b '),
    many('www.a.b '),
    many('a@b.c '),
    many('a.'),
    many('a-_'),
  ],
  html: [
    ...[
      many('<'),
      many('<a '),
      many('<a b="'),
      `<a ${many('b ')}`,
      many('<a>'),
      many('</'),
      lines('<div>'),
    ],
    ...[
      lines("<a b='"),
      `a ${'<?'.repeat(99)}${many('a')}`,
      `a ${'<![CDATA['.repeat(99)}${many(']')}`,
    ],
    ...[`a ${'<!--'.repeat(99)}${many('-')}`, '<a b="'.repeat(4_900), '<a '.repeat(4_900)],
  ],
  entities: [many('&amp;'), many('&'), many('&#'), longLines('&amp;')],
  blanks: [
    many('\t'),
    many(' '),
    many(' a'),
    many('-\t'),
    lines('\ta'),
    lines('a  |'),
    many('\n'),
    many('\r'),
  ],
  headings: [
    lines('a|\n=').slice(0, 4_000),
    many('#'),
    many('# '),
    many('* '),
    many('_ '),
    lines('---'),
  ],
  commands: [
    ...[
      many('/train gpu=T4\n'),
      many('/train\n'),
      many('/trian\n'),
      many('/train\n\n'),
      many('//////'),
    ],
    ...['a ', 'a=b ', 'gpu=T4 ', 'env.A=b ', '-a ', '"', '\\', '“', '—', '=', '1h', '-- a '].map(
      (unit) => many(`/train ${unit.repeat(3_900 / unit.length)}\n`),
    ),
  ],
  'all at once': [
    many('*`<[&|~_\\!'),
    longLines('> *`[&|~_\\'),
    longLines('- *`[&|~_\\'),
    longLines('!a<a ='),
  ],
};

/** The least of three: what is measured beside it is the collector's, and other programs'. */
function cpuMs(read: () => unknown): number {
  return Math.min(
    ...[1, 2, 3].map(() => {
      const begin = process.cpuUsage();
      read();
      const { user, system } = process.cpuUsage(begin);
      return (user + system) / 1_000;
    }),
  );
}

/** Above a command, below one, and in a comment that is full. */
function around(text: string): readonly string[] {
  return [`/train\n\n${text}`, `${text.slice(0, maxLength - 20)}\n\n/train`].map((comment) =>
    comment.slice(0, maxLength),
  );
}

describe('64 KiB', () => {
  it.each(Object.entries(hostile))('of %s are read in no time', (_what, texts) => {
    for (const comment of texts.flatMap(around)) {
      expect(mayHoldCommands(comment)).toBe(true);
      const spent = cpuMs(() => parseCommands(comment));
      if (spent >= maxCpuMs)
        throw new Error(`${spent} ms for ${JSON.stringify(comment.slice(0, 80))}`);
    }
  });

  it('of anything else are, too', () => {
    const marks = [
      '> ',
      '- ',
      '1. ',
      '  ',
      '\t',
      '*',
      '_',
      '`',
      '~',
      '[',
      ']',
      '(',
      '<',
      '>',
      '&',
      '\\',
    ];
    const words = [
      '|',
      '#',
      '=',
      '-',
      'a',
      'b ',
      '[^a]: ',
      '[a]: ',
      '<a ',
      '"',
      '\n',
      '\n\n',
      '```',
      '<div>',
    ];
    const unit = fc
      .array(fc.constantFrom(...marks, ...words), { minLength: 1, maxLength: 7 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(unit, (one) => {
        const breaks = one.split('\n').length - 1;
        const times = breaks === 0 ? Infinity : Math.floor(maxLines / breaks);
        const fits = Math.floor((maxLength - 50) / one.length);
        for (const comment of around(one.repeat(Math.min(times, fits)))) {
          expect(cpuMs(() => parseCommands(comment))).toBeLessThan(maxCpuMs);
        }
      }),
      { numRuns: runs(60) },
    );
  });
});

describe('what keeps it short', () => {
  it.each([
    ['a cell', '|a|b|\n|-|-|\n|c|d|\n/train\n'],
    ['a cell among others', '|a|b|\n|-|-|\n/train | gpu=T4\n'],
    ['a cell of a wide row', `${table(200, 0)}/train | gpu=T4\n`],
    ['a cell of a heading', '/train | a\n-|-\nb|c\n'],
  ])('makes no command of %s', (_what, comment) => {
    expect(parseCommands(comment)).toEqual([]);
  });

  it('takes a command below a table that a report has', () => {
    const found = parseCommands(`${table(12, 150)}\n/train gpu=T4`);
    expect(found).toMatchObject([
      { kind: 'command', command: { kind: 'train', gpu: { name: 'T4' } } },
    ]);
  });

  it.each([
    ['too many cells', table(2_600, 0)],
    ['too many marks of code', '`a '.repeat(5_001)],
    ['too many escapes', '\\('.repeat(5_001)],
    ['too many lines', '- a\n'.repeat(1_001)],
  ])('says so of %s', (_what, text) => {
    expect(parseCommands(`${text}\n\n/train`)).toMatchObject([
      { kind: 'problem', of: 'train', problem: { reason: 'bad_argument' } },
    ]);
  });

  it('mends so many words of a line and no more, and what it shows instead is a dry run', () => {
    const [few, lots] = [3, 1_500].map((count) => parseCommands(`/train ${'a '.repeat(count)}`)[0]);
    expect(few).toMatchObject({ problem: { example: '/train' } });
    expect(lots).toMatchObject({ problem: { example: '/train dry-run' } });
  });
});

it('says so when a pasted line of stars keeps a command from being read', () => {
  const message = 'This comment nests lists or quotes too deeply to be searched for commands.';
  expect(parseCommands('/train gpu=T4\n\n* * * * * * * * * *\n')).toMatchObject([
    { kind: 'problem', line: 1, of: 'train', problem: { message } },
  ]);
});
