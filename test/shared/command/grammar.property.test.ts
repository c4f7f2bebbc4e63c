/** The grammar, whatever is typed: a command that is rendered is read as itself, and nothing takes long. */
import { describe, expect, it } from '@jest/globals';
import { fc, runs } from '../../properties.ts';
import type { Command, TrainCommand } from '../../../shared/command/command.ts';
import { parseApprove } from '../../../shared/command/parse-approve.ts';
import { parseTrigger } from '../../../shared/command/parse-trigger.ts';
import { parseCommands } from '../../../shared/command/parse.ts';
import { renderCommand } from '../../../shared/command/render-command.ts';
import { joinWords, splitWords } from '../../../shared/command/split-words.ts';
import { straighten } from '../../../shared/command/straighten.ts';

const lower = 'abcdefghijklmnopqrstuvwxyz';
const text = (alphabet: string, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from(alphabet)), minLength, maxLength });
/** One line of anything that a comment can hold. */
const anyWord = fc
  .string({ unit: 'binary', maxLength: 40 })
  .map((word) => word.replaceAll(/[\r\n]/g, '').toWellFormed());
const runId = text(`${lower}234567`, 8, 8).filter((id) => id !== 'replicas');
const hex = (length: number): fc.Arbitrary<string> => text('0123456789abcdef', length, length);

/** Each key is there or not. */
const fields = fc.record<Omit<TrainCommand, 'kind'>, 'dryRun'>(
  {
    gpu: fc.oneof(
      fc.constant({ kind: 'none' } as const),
      fc.record({
        kind: fc.constant('gpu' as const),
        name: fc.constantFrom('T4', 'A100-80GB', 'whatever'),
        count: fc.integer({ min: 1, max: 999 }),
      }),
    ),
    machineType: text(`${lower}-0123456789`, 3, 30).filter((name) => /^[a-z]/.test(name)),
    region: fc.constantFrom('us-central1', 'europe-west4', 'asia-east12'),
    timeoutSeconds: fc.integer({ min: 1, max: 999_999 }),
    config: fc.constantFrom('config.yaml', 'ml/a b/config_gpu.yaml', "it's.yaml", 'a=b.yaml'),
    replicas: fc.integer({ min: 1, max: 999 }),
    profile: fc.constantFrom('quick', 'Large_2', 'a.b-c'),
    spot: fc.boolean(),
    image: fc.oneof(
      hex(64).map((digits) => `sha256:${digits}`),
      hex(64).map((digits) => `us-docker.pkg.dev/p/r/n@sha256:${digits}`),
    ),
    build: fc.constantFrom('auto', 'always', 'never'),
    maxUsd: fc.integer({ min: 1, max: 99_999_999 }).map((cents) => cents / 100),
    name: text(`${lower}0123456789_-`, 1, 63).filter((name) => /^[a-z0-9]/.test(name)),
    env: fc.dictionary(
      text('ABCDEFGHIJKLMNOPQRSTUVWXYZ', 1, 10).filter((name) => name !== 'PATH'),
      anyWord,
      { minKeys: 1, maxKeys: 4, noNullPrototype: true },
    ),
    dryRun: fc.boolean(),
    args: fc.array(anyWord, { maxLength: 6 }),
  },
  { requiredKeys: ['dryRun'], noNullPrototype: true },
);

const train = fields.map((keys): TrainCommand => ({ kind: 'train', ...keys }));
const optional = <V>(key: string, value: fc.Arbitrary<V>) =>
  fc.option(value, { nil: undefined }).map((one) => (one === undefined ? {} : { [key]: one }));

const command: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: train, weight: 4 },
  fc
    .tuple(optional('build', fc.constantFrom('auto', 'always')), fc.boolean())
    .map(([build, dryRun]) => ({ kind: 'build', ...build, dryRun }) as const),
  fc
    .tuple(optional('runId', runId), train)
    .map(([run, changes]) => ({ kind: 'retry', ...run, changes }) as const),
  fc.constant({ kind: 'status' } as const),
  fc.constant({ kind: 'cost' } as const),
  fc
    .tuple(optional('runId', runId), optional('lines', fc.integer({ min: 1, max: 200 })))
    .map(([run, lines]) => ({ kind: 'logs', ...run, ...lines }) as const),
  fc.oneof(
    fc.constant({ kind: 'compare' } as const),
    fc.constant({ kind: 'compare', other: { kind: 'base' } } as const),
    fc.constant({ kind: 'compare', other: { kind: 'base', name: 'main' } } as const),
    fc
      .tuple(runId, runId)
      .map(
        ([one, other]) =>
          ({ kind: 'compare', runId: one, other: { kind: 'run', runId: other } }) as const,
      ),
  ),
  fc
    .oneof(
      fc.constantFrom({ kind: 'all' } as const, { kind: 'only' } as const),
      runId.map((id) => ({ kind: 'run', runId: id }) as const),
    )
    .map((target) => ({ kind: 'cancel', target }) as const),
  fc.constantFrom<Command>({ kind: 'help' }, { kind: 'help', topic: 'train' }),
);

const maxLineLength = 4_000;

describe('the grammar', () => {
  it('reads each command as what it was rendered from', () => {
    fc.assert(
      fc.property(command, (given) => {
        const line = renderCommand(given);
        fc.pre(line.length < maxLineLength);
        const [found] = parseCommands(line);
        expect(found).toMatchObject({ kind: 'command', line: 1 });
        expect(found?.kind === 'command' && found.command).toEqual(given);
      }),
      { numRuns: runs(500) },
    );
  });

  it('reads what follows /approve and /trigger as it was rendered', () => {
    const word = text(`${lower}0123456789-`, 1, 20).filter((name) => /^[a-z0-9]/.test(name));
    const triggers = fc.oneof(
      fc.constantFrom('list', 'apply').map((action) => ({ action, dryRun: false })),
      fc.constant({ action: 'apply', dryRun: true }),
      word.map((name) => ({ action: 'show', name, dryRun: false })),
      fc
        .tuple(word, optional('ref', fc.oneof(fc.constant('head'), hex(40))))
        .map(([name, ref]) => ({ action: 'run', name, ...ref, dryRun: false })),
    );
    const values = fc.dictionary(fc.constantFrom('_A', '_ENV_2', '_B'), anyWord, {
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(triggers, values, (given, substitutions) => {
        const isRun = given.action === 'run';
        const trigger = {
          ...{ kind: 'trigger', ...given, substitutions: isRun ? substitutions : {} },
        } as Extract<Command, { kind: 'trigger' }>;
        expect(parseTrigger(renderCommand(trigger).slice('/trigger'.length))).toEqual(trigger);
      }),
    );
    fc.assert(
      fc.property(hex(40), (sha) => {
        const approve = { kind: 'approve', sha } as const;
        expect(parseApprove(renderCommand(approve).slice('/approve'.length))).toEqual(approve);
      }),
    );
  });

  it('splits what it joined', () => {
    fc.assert(
      fc.property(fc.array(anyWord), (words) => {
        expect(splitWords(straighten(joinWords(words)))).toEqual({ ok: true, words });
      }),
    );
  });

  it('answers each problem with a line that is none', () => {
    const piece = fc.oneof(
      fc.constantFrom('gpu', 'gpus=T4', 'timeout=2', 'T4', '--lr=1', '-x', 'dry-run=no', '--'),
      fc.constantFrom('name=A B', 'env.PATH=1', 'spot=x', 'k7q2m4xa', 'image=x', 'build=no'),
      anyWord,
    );
    const name = fc.constantFrom('train', 'build', 'retry', 'logs', 'compare', 'cancel', 'TRAIN');
    fc.assert(
      fc.property(name, fc.array(piece, { maxLength: 12 }), (first, words) => {
        const line = `/${first} ${joinWords(words)}`;
        fc.pre(line.length < maxLineLength);
        const [found] = parseCommands(line);
        if (found?.kind !== 'problem') return;
        const [again] = parseCommands(found.problem.example);
        expect([found.problem.example, again?.kind]).toEqual([found.problem.example, 'command']);
        // Nobody pays for a misspelling of a dry run.
        const own = words.slice(0, words.includes('--') ? words.indexOf('--') : undefined);
        if (own.includes('dry-run') && again?.kind === 'command')
          expect(JSON.stringify(again.command)).toContain('"dryRun":true');
      }),
      { numRuns: runs(500) },
    );
  });

  it.each([
    ['quotes', '/train "'],
    ['keys', '/train gpu=T4 '],
    ['dashes', '/train — —x '],
    ['commands', '/trian a=b --c "d\n'],
    ['backslashes', '/train \\\\'],
    ['curly quotes', '/train “’ '],
    ['slashes', '/////'],
  ])('reads 64 KiB of %s in no time', (_what, unit) => {
    const begin = process.cpuUsage();
    for (const found of parseCommands(unit.repeat(Math.floor(65_536 / unit.length)))) {
      expect(found.text.length).toBeLessThanOrEqual(200);
    }
    expect(process.cpuUsage(begin).user / 1_000).toBeLessThan(10_000);
  });

  it('never throws', () => {
    const start = fc.constantFrom('/train ', '/retry ', '/logs ', '/compare ', '/help ', '/', '');
    fc.assert(
      fc.property(start, fc.string({ unit: 'binary', maxLength: 300 }), (first, rest) => {
        parseCommands(first + rest);
        parseTrigger(rest);
        parseApprove(rest);
      }),
    );
  });
});
