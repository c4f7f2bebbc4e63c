/** What went into a run: its parameters beside the base's, its environment, and how to do it again. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import type { ContainerSpec } from '../../../shared/config/job-spec.ts';
import type { Plan } from '../../../shared/plan/plan.ts';
import { renderEnvironment, renderReproduction } from '../../../shared/report/environment.ts';
import { parametersOf, renderParameters } from '../../../shared/report/parameters.ts';
import type { Run } from '../../../shared/watch/run.ts';
import { digest, plan } from '../world.ts';
import { building, compared, context, ended, hostileRun, succeeded } from './runs.ts';

function containing(container: ContainerSpec, change: Partial<Plan['job']> = {}): Run {
  const spec = { workerPoolSpecs: [{ containerSpec: { imageUri: '$IMAGE', ...container } }] };
  return { ...succeeded, plan: { ...plan, job: { ...plan.job, spec, ...change } } };
}
const machine = { machine: 'n1-standard-8, 1 × T4' };

describe('the parameters of a run', () => {
  it.each<[args: string[], parameters: Record<string, string>]>([
    [[], {}],
    [['--lr', '0.1', '--seed=3'], { '--lr': '0.1', '--seed': '3' }],
    [['--lr', '-0.1', '-e', '5'], { '--lr': '-0.1', '-e': '5' }],
    [['--fast', '--lr', '1'], { '--fast': 'set', '--lr': '1' }],
    [['--last'], { '--last': 'set' }],
    [['train', 'small', '--lr', '1'], { arguments: 'train small', '--lr': '1' }],
    [['--tag', 'a', '--tag', 'b'], { '--tag': 'a b' }],
    [['--opt=a=b', '--empty='], { '--opt': 'a=b', '--empty': '' }],
    [['--__proto__', '1'], { '--__proto__': '1' }],
  ])('of %j are %j', (args, parameters) => {
    expect(parametersOf(containing({ args }))).toEqual({ ...parameters, ...machine });
  });

  it('have the command, the machine and the arguments of a Python package', () => {
    const cpu = { machine: { machineType: 'n2-standard-4', replicas: 3 } };
    expect(parametersOf(containing({ command: ['python', 'a.py'] }, cpu))).toEqual({
      ...{ command: 'python a.py', machine: 'n2-standard-4', replicas: '3' },
    });
    const spec = { workerPoolSpecs: [{ pythonPackageSpec: { args: ['--lr', '1', 7] } }] };
    const job = { ...plan.job, spec };
    expect(parametersOf({ ...succeeded, plan: { ...plan, job } })).toEqual({
      '--lr': '1',
      ...machine,
    });
  });

  it('are bounded', () => {
    const args = Array.from(
      { length: 200 },
      (_, at) => `--a${at}${'x'.repeat(900)}=${'😀'.repeat(900)}`,
    );
    const kept = parametersOf(containing({ args: ['y'.repeat(900), ...args] }));
    expect(JSON.stringify(kept).length).toBeLessThan(35_000);
  });

  it('are shown beside the base, those that differ first', () => {
    const run = containing({ args: ['--seed', '1', '--lr', '0.2', '--new'] });
    const parameters = { ...machine, '--seed': '1', '--lr': '0.1', '--old': 'a|b' };
    const text = renderParameters({ ...run, baseline: { ...compared.baseline!, parameters } });
    expect(text).toBe(
      [
        "<details><summary>Parameters: 3 differ from the base's</summary>",
        '',
        '| parameter | main | this |',
        '| --- | --- | --- |',
        '| `--lr` | `0.1` | **`0.2`** |',
        '| `--new` |  | **`set`** |',
        '| `--old` | `a\\|b` |  |',
        '| `--seed` | `1` | `1` |',
        '| machine | `n1-standard-8, 1 × T4` | `n1-standard-8, 1 × T4` |',
        '',
        '</details>',
      ].join('\n'),
    );
  });

  it.each<[string, Record<string, string> | undefined, RegExp]>([
    ['the same', machine, /<summary>Parameters: none differs from the base's</],
    ['one other', {}, /<summary>Parameters: 1 differs from the base's</],
    [
      'a base of which they are not known',
      undefined,
      /<summary>Parameters<[^]*\| parameter \| this \|/,
    ],
  ])('say so of %s', (_what, parameters, expected) => {
    const baseline = { ...compared.baseline!, ...(parameters && { parameters }) };
    expect(renderParameters({ ...containing({}), baseline })).toMatch(expected);
  });
});

describe('the environment', () => {
  it('is the commit, the image, the machine and the names of variables', () => {
    const env = [{ name: 'API_KEY', value: 'canary' }];
    const spec = { scheduling: { strategy: 'SPOT' } };
    const run = containing({ env });
    const job = { ...run.plan.job, spec: { ...run.plan.job.spec, ...spec } };
    const text = renderEnvironment({ ...run, plan: { ...run.plan, job } });
    for (const row of [
      `| commit | \`${'a'.repeat(40)}\` |`,
      '| asked by | `olivia` |',
      `| image | \`${succeeded.image!}\` |`,
      '| machine | `n1-standard-8 + 1 × T4` |',
      '| capacity | `spot` |',
      '| region | `us-central1` |',
      '| timeout | `1h` |',
      '| variables | `API_KEY` |',
      '| results | `gs://results/1/k7q2m4xa/` |',
    ])
      expect(text).toContain(`\n${row}\n`);
    expect(text).not.toContain('canary');
  });

  it('does not say where a run that goes on writes', () => {
    expect(renderEnvironment(building)).not.toMatch(/results|image/);
  });
});

describe('how to reproduce a run', () => {
  const takesCommands = { ...context, takesCommands: true };
  const command = { kind: 'train', dryRun: false } as const;

  it('is a command here, and docker elsewhere', () => {
    const env = [{ name: 'API_KEY', value: 'canary' }];
    const args = ['--lr', '0.1', '--data', "it's /here", '$$(HOME)'];
    const run = containing({ command: ['python', '-u'], args, env });
    const secrets = { versions: { TOKEN: 'projects/p/secrets/s/versions/1' }, allowPlain: false };
    const asked = { ...run, plan: { ...run.plan, command, secrets } };
    expect(renderReproduction(asked, takesCommands)).toBe(
      [
        '<details><summary>How to reproduce</summary>',
        '',
        '`/retry k7q2m4xa` trains `aaaaaaa` again as it was asked for.',
        '',
        'Where docker may pull the image, its results in `results/`, your values in place of `…`:',
        '',
        '```sh',
        'docker run --rm --gpus all \\',
        '  -v "$PWD/results:/results" -e AIP_MODEL_DIR=/results \\',
        '  -e API_KEY=… -e TOKEN=… \\',
        '  --entrypoint python \\',
        `  us-central1-docker.pkg.dev/demo-project/trainyard/digits@${digest} \\`,
        `  -u --lr 0.1 --data 'it'\\''s /here' '$(HOME)'`,
        '```',
        '',
        '</details>',
      ].join('\n'),
    );
    expect(renderReproduction(asked, context)).not.toContain('/retry');
  });

  it("hands a shell the words that ran, and none of the reader's variables", () => {
    const args = ["'; touch x #", '$HOME', '`id`', '"$$(id)"', '-v=/:/h', '\\', '!!', '', '~'];
    const env = [{ name: 'GITHUB_TOKEN', value: '' }];
    const text = renderReproduction(
      containing({ command: ['-x', '--privileged'], args, env }),
      context,
    );
    const pasted = /```sh\n([^]*?)\n```/.exec(text ?? '')?.[1] ?? '';
    const printed = spawnSync('bash', ['-c', `docker() { printf '%s\\0' "$@"; }\n${pasted}`], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], PWD: '/here', GITHUB_TOKEN: 'canary' },
    }).stdout;
    const words = printed.split('\0').slice(0, -1);
    const image = `us-central1-docker.pkg.dev/demo-project/trainyard/digits@${digest}`;
    const given = args.map((word) => word.replace('$$(', '$('));
    expect(words.slice(words.indexOf('AIP_MODEL_DIR=/results') + 1)).toEqual([
      ...['-e', 'GITHUB_TOKEN=…', '--entrypoint', '-x', image, '--privileged'],
      ...given,
    ]);
  });

  it.each<[string, Run]>([
    ['while it goes on', building],
    [
      'without a container',
      ended({ outcome: 'succeeded' }, { plan: { ...plan, job: packageJob() } }),
    ],
    [
      'on several machines',
      containing({}, { machine: { machineType: 'n1-standard-4', replicas: 2 } }),
    ],
    ['of an image without a digest', withoutImage(containing({ imageUri: 'python:3.12' }))],
    ['with what Vertex AI puts in', containing({ args: ['$(AIP_MODEL_DIR)'] })],
    ['with what would be shown otherwise', containing({ args: ['me@example.com'] })],
    ['with a token', containing({ args: [`ghp_${'a'.repeat(36)}`] })],
    ['with a line end', containing({ args: ['a\n/train'] })],
    ['with more than a line holds', containing({ args: ['x'.repeat(500)] })],
    ['with variables of strange names', containing({ env: [{ name: 'a b', value: '' }] })],
    ['of hostile words', hostileRun('`\n/train')],
  ])('is not said %s', (_why, run) => {
    expect(renderReproduction(run, context)).toBeUndefined();
  });
});

function packageJob(): Plan['job'] {
  return { ...plan.job, spec: { workerPoolSpecs: [{ pythonPackageSpec: {} }] } };
}

function withoutImage({ image: _, ...run }: Run): Run {
  return run;
}
