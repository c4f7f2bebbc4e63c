import { describe, expect, it } from '@jest/globals';
import { fc } from '../../properties.ts';
import type { Command, TrainCommand } from '../../../shared/command/command.ts';
import { maxCommands, parseCommands } from '../../../shared/command/parse.ts';

const train = (fields: Partial<TrainCommand> = {}): TrainCommand => ({
  kind: 'train',
  dryRun: false,
  ...fields,
});

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('parseCommands', () => {
  const accepted: readonly [line: string, command: TrainCommand][] = [
    ['/train', train()],
    ['/train gpu=T4', train({ gpu: { kind: 'gpu', name: 'T4', count: 1 } })],
    ['/train gpu=A100-80GB:4', train({ gpu: { kind: 'gpu', name: 'A100-80GB', count: 4 } })],
    ['/train gpu=none dry-run', train({ gpu: { kind: 'none' }, dryRun: true })],
    ['/train machine=n1-highmem-8', train({ machineType: 'n1-highmem-8' })],
    ['/train region=europe-west4', train({ region: 'europe-west4' })],
    ['/train timeout=1h30m', train({ timeoutSeconds: 5_400 })],
    ['/train replicas=4', train({ replicas: 4 })],
    ['/train profile=quick', train({ profile: 'quick' })],
    ['/train spot', train({ spot: true })],
    ['/train spot=false', train({ spot: false })],
    ['/train build=never', train({ build: 'never' })],
    ['/train max-cost=2.50', train({ maxUsd: 2.5 })],
    ['/train max-cost=$3', train({ maxUsd: 3 })],
    ['/train name=wider-layers', train({ name: 'wider-layers' })],
    [`/train image=${digest}`, train({ image: digest })],
    [
      `/train image=a-docker.pkg.dev/p/r/n@${digest}`,
      train({ image: `a-docker.pkg.dev/p/r/n@${digest}` }),
    ],
    [
      '/train env.LR=0.1 env.NOTE="a  b" env.EMPTY=',
      train({ env: { LR: '0.1', NOTE: 'a  b', EMPTY: '' } }),
    ],
    ['/train env.PATTERN=$(HOME)', train({ env: { PATTERN: '$(HOME)' } })],
    ['/train config=./ml/config_gpu.yaml', train({ config: 'ml/config_gpu.yaml' })],
    ['/train --', train({ args: [] })],
    ['/train -- --lr 0.1', train({ args: ['--lr', '0.1'] })],
    ["/train -- --name 'two words' a\\ b", train({ args: ['--name', 'two words', 'a b'] })],
    ['/train -- $HOME `id` $(id) *.py', train({ args: ['$HOME', '`id`', '$(id)', '*.py'] })],
    ['/train -- --a -- --b', train({ args: ['--a', '--', '--b'] })],
    // What phones make of it.
    ['/train — —lr 0.1', train({ args: ['--lr', '0.1'] })],
    ['/train -- --name “two words”', train({ args: ['--name', 'two words'] })],
    ['/train -- "“as it is”"', train({ args: ['“as it is”'] })],
  ];
  it.each(accepted)('reads %s', (line, command) => {
    expect(parseCommands(line)).toEqual([{ kind: 'command', line: 1, text: line, command }]);
  });

  const controls: readonly [line: string, command: Command][] = [
    ['/status', { kind: 'status' }],
    ['/cancel', { kind: 'cancel', target: { kind: 'only' } }],
    ['/cancel all', { kind: 'cancel', target: { kind: 'all' } }],
    ['/cancel k7q2m4xa', { kind: 'cancel', target: { kind: 'run', runId: 'k7q2m4xa' } }],
    ['/build', { kind: 'build', dryRun: false }],
    ['/build build=always dry-run', { kind: 'build', build: 'always', dryRun: true }],
    ['/retry', { kind: 'retry', changes: train() }],
    ['/retry k7q2m4xa', { kind: 'retry', runId: 'k7q2m4xa', changes: train() }],
    [
      '/retry k7q2m4xa machine=n1-highmem-8 -- --lr 1',
      {
        ...{ kind: 'retry', runId: 'k7q2m4xa' },
        changes: train({ machineType: 'n1-highmem-8', args: ['--lr', '1'] }),
      },
    ],
    // Eight letters, and no run.
    ['/retry replicas=2', { kind: 'retry', changes: train({ replicas: 2 }) }],
    ['/logs', { kind: 'logs' }],
    ['/logs k7q2m4xa lines=7', { kind: 'logs', runId: 'k7q2m4xa', lines: 7 }],
    ['/logs lines=100000', { kind: 'logs', lines: 100_000 }],
    ['/compare', { kind: 'compare' }],
    ['/compare base', { kind: 'compare', other: { kind: 'base' } }],
    // Which branch is the default one is not the parser's to know.
    ['/compare main', { kind: 'compare', other: { kind: 'base', name: 'main' } }],
    [
      '/compare k7q2m4xa release/2',
      { kind: 'compare', runId: 'k7q2m4xa', other: { kind: 'base', name: 'release/2' } },
    ],
    ['/compare k7q2m4xa', { kind: 'compare', runId: 'k7q2m4xa' }],
    ['/compare k7q2m4xa base', { kind: 'compare', runId: 'k7q2m4xa', other: { kind: 'base' } }],
    [
      '/compare k7q2m4xa k7q2m4xb',
      { kind: 'compare', runId: 'k7q2m4xa', other: { kind: 'run', runId: 'k7q2m4xb' } },
    ],
    ['/cost', { kind: 'cost' }],
    ['/train gpu=T4 --help', { kind: 'help', topic: 'train' }],
    ['/cancel -h', { kind: 'help', topic: 'cancel' }],
    ['/train env.NOTE="as -h says"', train({ env: { NOTE: 'as -h says' } })],
    ['/train -- --help', train({ args: ['--help'] })],
    ['/help /TRAIN', { kind: 'help', topic: 'train' }],
  ];
  it.each(controls)('reads %s', (line, command) => {
    expect(parseCommands(line)).toEqual([{ kind: 'command', line: 1, text: line, command }]);
  });

  const wrong: readonly [line: string, token: string, message: RegExp][] = [
    ['/trian gpu=T4', '/trian', /`\/train`/],
    ['/trainn', '/trainn', /`\/train`/],
    ['/Train', '/Train', /`\/train`/],
    ['/trainyard help', '/trainyard', /`\/train`/],
    ['/hlep', '/hlep', /`\/help`/],
    ['/train gpus=T4', 'gpus=T4', /no key `gpus`. Did you mean `gpu`/],
    ['/train colour=red', 'colour=red', /The keys are `gpu`, `machine`/],
    ['/train epochs=3', 'epochs=3', /`dry-run`\. Arguments of your code follow `--`\.$/],
    ['/build colour=red', 'colour=red', /`dry-run`\.$/],
    ['/train gpu=T4 gpu=L4', 'gpu=L4', /given twice/],
    ['/train T4', 'T4', /Write `gpu=T4`/],
    ['/train gpu', 'gpu', /needs a value/],
    ['/train gpu=T4:0', 'gpu=T4:0', /`T4:2`/],
    ['/train timeout=90', 'timeout=90', /`90m`/],
    ['/train env.AIP_MODEL_DIR=x', 'env.AIP_MODEL_DIR=x', /belongs to Vertex AI/],
    ['/train env.LD_PRELOAD=x', 'env.LD_PRELOAD=x', /belongs to Vertex AI/],
    ['/train env.PATH=/tmp', 'env.PATH=/tmp', /belongs to Vertex AI/],
    ['/train env.1=x', 'env.1=x', /has letters, digits/],
    ['/train env.A=1 env.A=2', 'env.A=2', /given twice/],
    ['/train image=nginx:latest', 'image=nginx:latest', /by its digest/],
    ['/train build=nver', 'build=nver', /`auto`, `always` or `never`/],
    ['/train max-cost=free', 'max-cost=free', /a sum/],
    ['/train name="Big One"', 'name=Big One', /lower-case/],
    ['/train replicas=0', 'replicas=0', /`1` is the least/],
    ['/train spot=perhaps', 'spot=perhaps', /there or not/],
    ['/build gpu=T4', 'gpu=T4', /`\/build` has no key `gpu`/],
    ['/build build=never', 'build=never', /nothing to do/],
    ['/build -- x', '--', /runs none of your code/],
    ['/retry all', 'all', /`\/retry` has no key `all`/],
    ['/logs all', 'all', /neither a run/],
    ['/logs lines=0', 'lines=0', /1 to 200/],
    ['/compare ..', '..', /cannot be compared/],
    ['/compare main k7q2m4xa', 'main', /cannot be compared/],
    ['/compare base k7q2m4xa', 'base', /cannot be compared/],
    ['/compare k7q2m4xa base k7q2m4xb', 'base', /cannot be compared/],
    ['/cost all', 'all', /takes no `all`/],
    ['/rety', '/rety', /`\/retry`/],
    ['/biuld', '/biuld', /`\/build`/],
    ['/help foo', 'foo', /`\/help` alone lists them/],
    ['/train region=evil.example/', 'region=evil.example/', /no region/],
    ['/train machine=../x', 'machine=../x', /no machine type/],
    ['/train config=../../etc/passwd', 'config=../../etc/passwd', /inside the repository/],
    ['/train dry-run=no', 'dry-run=no', /takes no value/],
    ['/train --lr=0.1', '--lr=0.1', /follow `--`/],
    ['/train --gpu=L4', '--gpu=L4', /without dashes/],
    ['/train -- "open', '-- "open', /not closed/],
    ['/cancle', '/cancle', /`\/cancel`/],
    ['/stats', '/stats', /`\/status`/],
    ['/cancel everything', 'everything', /is no run/],
    ['/cancel k7q2m4xa now', 'k7q2m4xa now', /is no run/],
    ['/status please', 'please', /takes no/],
    ['/help tarin', 'tarin', /`\/help train`/],
  ];
  it.each(wrong)('explains %s', (line, token, message) => {
    const [found] = parseCommands(line);
    expect(found).toMatchObject({ kind: 'problem', problem: { token } });
    expect(found?.kind === 'problem' && found.problem.message).toMatch(message);
    const [example] = parseCommands(found?.kind === 'problem' ? found.problem.example : '');
    expect(example?.kind).toBe('command');
  });

  // Nothing is taken from what was typed, above all not `dry-run`, and nothing but the wrong word is changed.
  it.each([
    ['/train gpu=T4 timeout=2', '/train gpu=T4 timeout=2h'],
    ['/train gpu=T4 timeout=90 -- --lr 0.1', '/train gpu=T4 timeout=90m -- --lr 0.1'],
    ['/TRAIN gpu=T4 dry-run', '/train gpu=T4 dry-run'],
    ['/trian gpus=T4:2 colour=red dry-run', '/train gpu=T4:2 dry-run'],
    ['/train gpu=T4 gpu=L4 dry-run', '/train gpu=T4 dry-run'],
    // Each word has more than one thing wrong with it.
    ['/train gpus gpus T4 gpus= gpus=T4', '/train gpu=T4'],
    ['/train T4 timeout=1', '/train gpu=T4 timeout=1h'],
    ['/train gpu=T4 dry-run=no', '/train gpu=T4 dry-run'],
    ['/train --gpu=L4 --lr=0.1 dry-run', '/train gpu=L4 dry-run -- --lr=0.1'],
    ['/train gpu=T4 --lr=0.1 -- --seed 1', '/train gpu=T4 -- --seed 1 --lr=0.1'],
    ['/train gpu=T4 env.PATH=/tmp', '/train gpu=T4'],
    ['/train gpu=T4 name="Big One"', '/train gpu=T4 name=big-one'],
    ['/train gpu=T4 -- --note "open', '/train gpu=T4 -- --note "open"'],
    ["/train gpu=T4 timeout=2 -- 'two words'", "/train gpu=T4 timeout=2h -- 'two words'"],
    ['/retry k7q2m4xa timeout=2', '/retry k7q2m4xa timeout=2h'],
    ['/logs k7q2m4xa everything', '/logs k7q2m4xa'],
    ['/help tarin', '/help train'],
    // Too long to be shown whole: what is dropped is not what costs.
    [`/train gpu=T4 timeout=2 dry-run -- ${'x'.repeat(400)}`, '/train gpu=T4 timeout=2h dry-run'],
  ])('mends %s', (line, example) => {
    const [found] = parseCommands(line);
    expect(found?.kind === 'problem' && found.problem.example).toBe(example);
  });

  it.each([
    '/usr/bin/train',
    '/train/data',
    ...['lgtm', 'gcbrun', 'retest', 'hold', 'helm', 'track', 'test', 'rain'].map((w) => `/${w}`),
    'please /train gpu=T4',
    '`/train`',
    '    /train',
    '```\n/train\n```',
    '~~~\n/train',
    '> /train',
    '> quoted\n/train',
    '<!-- /train -->',
    '<!--\n\n/train\n\n-->',
    '[a]:\n/train',
    '[a]: x\n"\n/train\n"',
    '[a]: x "words\nmore words\n/train\nwords"',
    'text <!--\n/train\n--> text',
    '<pre>\n\n/train\n</pre>',
    'a `code\n/train` span',
    '| a |\n|---|\n/train',
    '- item\n\n      /train',
    '[^1]: note\n\n    /train',
    '[^1]: note\n/train',
    // What a link, an image or a definition holds.
    '[a](x "\n/train\n")',
    "[a](x '\n/train\nmore\nwords')",
    '[a](x (\n/train\n))',
    '[a](<x)y> "\n/train\n")',
    '[a](\n/train\n)',
    '[text\n/train\nmore](x)',
    '[![alt\n/train\n](x)](y)',
    '![alt\n/train\n](x)',
    '![alt\n/train\n][x]\n\n[x]: y',
    '[a\nwords\n/train\nb]: x',
    '[a\nb]: x "title\n/train\nmore words"',
    '- [a]: x "\n  /train\n  more words"',
    'text <a title="\n/train\n">',
    'text <!--\n/train\nwords -->',
    // Tables, formulas, and what is struck out.
    '/train\n|-|',
    '/train\n:-',
    '|a|\n|-|\n|/train|',
    '- item\n  | a |\n  |-|\n  /train',
    '$$\n/train\n$$',
    'text $$\n/train\nx = 1 $$ text',
    '```math\n/train\n```',
    '~~old\n/train\nold~~',
  ])('leaves %j alone', (markdown) => {
    expect(parseCommands(markdown)).toEqual([]);
  });

  it.each([
    ['text\n/train', [2]],
    ['/train  \n/train\n\ntext\\\n/help', [1, 2, 5]],
    ['\r\n/train\r\n/help\r', [2, 3]],
    ['- one\n- two\n/train', [3]],
    ['/train\n---', [1]],
    ['**bold\n/train\nbold**', [2]],
    ['<details>\n\n/train\n\n</details>', [3]],
    ['\uFEFF/train', [1]],
    // What only looks like the beginning of a link, a formula or a comment, or has ended.
    ['[a](x\n/train', [2]],
    ['[a](x "b\n/train', [2]],
    ['[a](x "t")\n/train\n![b](y)', [2]],
    ['[a]: x "t"\n/train', [2]],
    ['\\[\n/train\n]', [2]],
    ['`[`\n/train\n`]`', [2]],
    ['(see "x\n/train\n")', [2]],
    ['- [ ] one\n/train\n- [x] two', [2]],
    ['$$ each\n/train', [2]],
    ['$$\n\n/train\n\n$$', [3]],
    ['$5\n/train max-cost=$3', [2]],
    ['a ~~ b\n/train\nc ~~ d', [2]],
    ['<!--\nThank you\nfor your help -->\n\n/train', [5]],
    ['| a |\n|---|\n\n/train', [4]],
  ])('finds the commands of %j', (markdown, lines) => {
    expect(parseCommands(markdown).map(({ line }) => line)).toEqual(lines);
  });

  it('takes at most ten, and says so of the rest', () => {
    const found = parseCommands('/status\n'.repeat(50));
    expect(found).toHaveLength(maxCommands + 1);
    expect(found.slice(0, -1).every(({ kind }) => kind === 'command')).toBe(true);
    expect(found.at(-1)).toMatchObject({
      ...{ kind: 'problem', line: 11, problem: { reason: 'too_many_commands' } },
    });
  });

  it('never throws, and repeats little of what was typed', () => {
    const piece = fc.constantFrom(
      '/train',
      '/help',
      ' ',
      '\n',
      '--',
      '=',
      '"',
      "'",
      '\\',
      '`',
      '>',
    );
    const text = fc.array(fc.oneof(piece, fc.string({ unit: 'binary' })), { maxLength: 30 });
    fc.assert(
      fc.property(text, (pieces) => {
        for (const found of parseCommands(`/train ${pieces.join('')}`)) {
          expect(found.text.length).toBeLessThanOrEqual(200);
          if (found.kind === 'command') continue;
          expect(found.problem.token.length).toBeLessThanOrEqual(60);
          expect(found.problem.message.length).toBeLessThanOrEqual(300);
          expect(found.problem.message).not.toMatch(/[\n\r]/);
          expect((found.problem.message.match(/`/g) ?? []).length % 2).toBe(0);
        }
      }),
    );
  });

  it.each(['a\n', '!\n', '1.\n', 'two words\n===\n'])(
    'finds a command after and before ten thousand lines of %j',
    (unit) => {
      const many = unit.repeat(10_000);
      const found = parseCommands(`/help\n${many.slice(0, 30_000)}\n\n/train`);
      expect(found.map(({ kind }) => kind)).toEqual(
        unit === '1.\n' ? ['problem'] : ['command', 'command'],
      );
    },
  );

  it('says so when a comment is too long to be read', () => {
    const [found] = parseCommands(`/train\n${'- 1 | 2\n'.repeat(2_000)}`);
    expect(found).toMatchObject({ kind: 'problem', line: 1, problem: { reason: 'bad_argument' } });
  });

  it('reads a comment with as many HTML comments as a template has', () => {
    const template = '<!-- say what changes -->\nwords\n\n'.repeat(60);
    expect(parseCommands(`${template}/train`)).toMatchObject([{ kind: 'command', line: 181 }]);
  });

  it.each([
    ...['*a_', '>', '> ', '- ', '[a](', '`a``', '\n- a\n  ', 'a|b\n-|-\n', '[a]: b\n'],
    ...['a <?', 'a <!b', 'a <!--', 'a <![CDATA[', `a ${'<?'.repeat(20)}\n`],
    ...[
      'a\n',
      '!\n',
      'a\n===\n',
      'a\n---\n',
      `${'- '.repeat(7)}a\n`,
      '> - > - > - > a\n',
      '-\ta\n',
    ],
  ])('is not made slow by many %j', (unit) => {
    const begin = process.cpuUsage();
    parseCommands(`/train\n\n${unit.repeat(Math.floor(65_000 / unit.length))}`);
    // A second on a busy machine; minutes before most of it was left out.
    expect(process.cpuUsage(begin).user / 1_000).toBeLessThan(10_000);
  });
});
