import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { generate } from '../../../scripts/generate-job-spec-schema.ts';
import { parseJobConfig } from '../../../shared/config/parse-job-config.ts';

const pool = (inner: string): string =>
  `workerPoolSpecs:\n- machineSpec: {machineType: n1-standard-4}\n  replicaCount: 1\n  ${inner}\n`;
const image = 'containerSpec: {imageUri: i}';

describe('parseJobConfig', () => {
  it('reads the example repository', () => {
    const file = readFileSync('examples/digits/config_gpu.yaml', 'utf8');
    const parsed = parseJobConfig(file, 'config_gpu.yaml', { IMAGE: 'registry/image@sha256:1' });
    expect(parsed).toMatchObject({
      ok: true,
      value: { workerPoolSpecs: [{ containerSpec: { imageUri: 'registry/image@sha256:1' } }] },
    });
  });

  it.each([
    ['$PROJECT_ID/a', 'demo/a'],
    ['${PROJECT_ID}x', 'demox'],
    ['$PROJECT_IDS', '$PROJECT_IDS'],
    ['$SHORT_SHA', '3f2c1ab'],
    ['$IMAGE', '$IMAGE'],
    ['$(AIP_MODEL_DIR) $HOME $1 $$', '$(AIP_MODEL_DIR) $HOME $1 $$'],
  ])('substitutes in %s', (written, read) => {
    const text = pool(`containerSpec: {imageUri: i, args: ['${written}']}`);
    const parsed = parseJobConfig(text, 'f', { PROJECT_ID: 'demo', SHORT_SHA: '3f2c1ab' });
    expect(parsed.ok && parsed.value.workerPoolSpecs[0]?.containerSpec?.args).toEqual([read]);
  });

  it('merges anchors, and keeps a missing replicaCount missing, as gcloud does', () => {
    const text = `workerPoolSpecs:
- &pool
  machineSpec: {machineType: n1-standard-4}
  containerSpec: {imageUri: i}
- <<: *pool
  replicaCount: 2
`;
    const machineSpec = { machineType: 'n1-standard-4' };
    const containerSpec = { imageUri: 'i' };
    expect(parseJobConfig(text, 'f', {})).toEqual({
      ok: true,
      value: {
        workerPoolSpecs: [
          { machineSpec, containerSpec },
          { machineSpec, containerSpec, replicaCount: '2' },
        ],
      },
    });
  });

  const wrong: readonly [what: string, text: string, at: string, message: RegExp][] = [
    ['an unknown key', `${pool(image)}foo: 1\n`, '5:1', /unknown key `foo`. The keys here are/],
    ['a misspelt key', pool(`${image}\n  replicaCuont: 1`), '5:3', /Did you mean `replicaCount`/],
    [
      'a key of a machine',
      pool(image).replace('machineType', 'machinType'),
      '2:17',
      /`machineType`/,
    ],
    ['a whole CustomJob', 'jobSpec: {}\n', '1:1', /below `jobSpec`/],
    [
      'replicas as a word',
      pool(image).replace('1\n', 'two\n'),
      '3:17',
      /`replicaCount` must be a whole/,
    ],
    ['half a replica', pool(image).replace('1\n', '1.5\n'), '3:17', /whole number/],
    ['replicas true', pool(image).replace('1\n', 'true\n'), '3:17', /whole number/],
    ['no replica', pool(image).replace('1\n', '0\n'), '3:17', /exactly 1 replica/],
    [
      'a machine as text',
      'workerPoolSpecs:\n- machineSpec: n1\n  containerSpec: {imageUri: i}\n',
      '2:16',
      /must be a mapping/,
    ],
    [
      'numbers as arguments',
      pool('containerSpec: {imageUri: i, args: [--n, 3]}'),
      '4:44',
      /put it in quotes/,
    ],
    [
      'arguments in one text',
      pool('containerSpec: {imageUri: i, args: "--a --b"}'),
      '4:38',
      /must be a list/,
    ],
    [
      'env as a mapping',
      pool('containerSpec: {imageUri: i, env: {A: "1"}}'),
      '4:37',
      /- name: NAME/,
    ],
    ['a date', pool('containerSpec: {imageUri: 2024-01-01}'), '4:29', /put it in quotes/],
    ['no image', pool('containerSpec: {args: [a]}'), '4:3', /`imageUri: \$IMAGE`/],
    ['no container', pool('diskSpec: {}'), '2:3', /exactly one of/],
    ['no pools', 'serviceAccount: a@b\n', '1:1', /`workerPoolSpecs` is missing/],
    ['an empty list', 'workerPoolSpecs: []\n', '1:1', /`workerPoolSpecs` is missing/],
    ['an empty file', '', '1:1', /the file is empty/],
    ['a list', '- a\n', '1:1', /must be a mapping/],
    [
      'a bad accelerator',
      pool(image).replace('}', ', acceleratorType: NVIDIA_T4}'),
      '2:62',
      /`NVIDIA_TESLA_T4`/,
    ],
    [
      'a bad strategy',
      `${pool(image)}scheduling: {strategy: CHEAP}\n`,
      '5:24',
      /Valid are|Did you mean/,
    ],
    ['minutes', `${pool(image)}scheduling: {timeout: 60m}\n`, '5:23', /"3600s"/],
    ['a bare number of seconds', `${pool(image)}scheduling: {timeout: 3600}\n`, '5:23', /"3600s"/],
    ['a key twice', `${pool(image)}scheduling: {}\nscheduling: {}\n`, '6:1', /given twice/],
    ['broken YAML', 'workerPoolSpecs:\n- machineSpec: {a: b\n  c: 1\n', '3:3', /indentation/],
    ['a tab', 'a:\n\tb: 1\n', '2:1', /tab/],
    ['an alias of nothing', 'a: *@org/team\n', '1:4', /stands for nothing/],
    ['a tag', 'a: !!python/object x\n', '1:4', /tag/],
    ['two documents', 'a: 1\n---\nb: 1\n', '2:1', /second document/],
    ['a tab before a key', `${pool(image)}\tserviceAccount: a\n`, '5:1', /tab|belong|indent/],
    ['a control character', `${pool(image)}serviceAccount: "a\u0000b"\n`, '5:19', /UTF-8/],
    ['bytes that are no UTF-8', 'a: 1\nb: \ufffd\n', '2:4', /UTF-8/],
    ['a key that is a list', '? [a]\n: x\n', '1:3', /a key must be plain text/],
    ['a set', `${pool(image)}scheduling: !!set {a}\n`, '5:13', /tag/],
    ['y for text', pool('containerSpec: {imageUri: i, args: [y]}'), '4:39', /put it in quotes/],
    [
      'a float for text',
      pool('containerSpec: {imageUri: i, args: [1e-4]}'),
      '4:39',
      /put it in quotes/,
    ],
    ['1.0 replicas', pool(image).replace('1\n', '1.0\n'), '3:17', /whole number/],
    ['too many replicas', pool(image).replace('1\n', '9223372036854775808\n'), '3:17', /too large/],
    [
      'a variable without a value',
      pool('containerSpec: {imageUri: i, env: [{name: A, value: }]}'),
      '4:38',
      /`value` is missing. Write `value: ""`/,
    ],
    [
      'a variable with a bad name',
      pool('containerSpec: {imageUri: i, env: [{name: A-B, value: x}]}'),
      '4:45',
      /`A-B` is no name of a variable/,
    ],
    [
      'more than 100 variables',
      pool(`containerSpec: {imageUri: i, env: [${'{name: A, value: x},'.repeat(101)}]}`),
      '4:37',
      /at most 100/,
    ],
    ['an empty image', pool('containerSpec: {imageUri: ""}'), '4:29', /must not be empty/],
    [
      'two programs',
      pool(
        `${image}\n  pythonPackageSpec: {executorImageUri: e, pythonModule: m, packageUris: [u]}`,
      ),
      '2:3',
      /exactly one of/,
    ],
    ['a small disk', pool(`${image}\n  diskSpec: {bootDiskSizeGb: 50}`), '5:30', /100 and 64000/],
    [
      'a misspelt disk',
      pool(`${image}\n  diskSpec: {bootDiskType: pd-sdd}`),
      '5:28',
      /Did you mean `pd-ssd`/,
    ],
    ['no time', `${pool(image)}scheduling: {timeout: 0s}\n`, '5:23', /above 0/],
    [
      'an output without a bucket',
      `${pool(image)}baseOutputDirectory: {outputUriPrefix: out}\n`,
      '5:40',
      /gs:\/\//,
    ],
    [
      'a GPU without a count',
      pool(image).replace('}', ', acceleratorType: NVIDIA_L4}'),
      '2:62',
      /needs an `acceleratorCount`/,
    ],
    [
      'a GPU and no machine',
      pool(image).replace('machineType: n1-standard-4', ''),
      '2:16',
      /`machineType` is missing/,
    ],
    [
      'a key one level too high',
      pool(`${image}\n  machineType: n1`),
      '5:3',
      /`machineType` belongs below `machineSpec`/,
    ],
    [
      'a flag as a key',
      pool(image).replace('machineType', 'machine-type'),
      '2:17',
      /`machineType`/,
    ],
    ['a name of the job', `displayName: a\n${pool(image)}`, '1:1', /around a job config/],
    ['a mount with too little', pool(`${image}\n  nfsMounts: [{server: s}]`), '5:15', /`path`/],
    ['too much', `a: ${'x'.repeat(300_000)}`, '1:1', /larger than 64 KiB/],
    ['hostile text', pool(image).replace('1\n', '"`@org/team`"\n'), '3:17', /^[^@]*$/],
  ];
  it.each(wrong)('refuses %s, with its place', (_, text, at, message) => {
    const parsed = parseJobConfig(text, 'config.yaml', {});
    const [first] = parsed.ok ? [] : parsed.problems;
    expect(first?.message).toMatch(message);
    expect(`${first?.line ?? 0}:${first?.column ?? 0}`).toBe(at);
    expect(first?.file).toBe('config.yaml');
  });

  it('names every snake_case key at once', () => {
    const text = `worker_pool_specs:
- machine_spec: {machine_type: n1-standard-4}
  container_spec: {image_uri: i}
`;
    const parsed = parseJobConfig(text, 'f', {});
    const messages = parsed.ok ? [] : parsed.problems.map(({ message }) => message);
    expect(messages).toHaveLength(5);
    expect(messages[0]).toBe('`worker_pool_specs` is spelled `workerPoolSpecs` in a job config.');
  });

  it('lets a machine be left out where it comes from elsewhere', () => {
    const text = `workerPoolSpecs:
- containerSpec: {imageUri: i}
- containerSpec: {imageUri: i}
`;
    const missing = (machines?: 'first' | 'every', more = ''): number => {
      const parsed = parseJobConfig(text + more, 'f', {}, machines);
      return parsed.ok ? 0 : parsed.problems.length;
    };
    expect([missing(), missing('first'), missing('every')]).toEqual([2, 1, 0]);
    expect(missing(undefined, 'persistentResourceId: mine\n')).toBe(0);
  });

  it('skips an empty pool, all but the first, as the service does', () => {
    const first = pool(image);
    expect(parseJobConfig(`${first}- {}\n`, 'f', {}).ok).toBe(true);
    expect(parseJobConfig(first.replace('\n', '\n- {}\n'), 'f', {}).ok).toBe(false);
  });

  it('does not read a small file that stands for a large one', () => {
    const more = '- {machineSpec: {machineType: n1}, containerSpec: {imageUri: i, args: *x}}\n';
    const text = pool(`containerSpec: {imageUri: i, args: &x [${'x,'.repeat(2_000)}]}`);
    const parsed = parseJobConfig(text + more.repeat(90), 'f', {});
    expect(parsed.ok ? [] : parsed.problems.map(({ message }) => message)).toEqual([
      'the file stands for more than 100000 values.',
    ]);
  });

  it('takes an alias as often as a list of pools needs it', () => {
    const again = Array.from({ length: 100 }, () => '*x').join(', ');
    const text = pool(`containerSpec: {imageUri: i, args: [&x x, ${again}]}`);
    expect(parseJobConfig(text, 'f', {}).ok).toBe(true);
  });

  it.each([
    [
      'aliases that explode',
      'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b]\n',
    ],
    ['a loop', 'workerPoolSpecs: &a\n  machineSpec: *a\n'],
    ['deep nesting', '['.repeat(200_000)],
    ['anchors', '&a '.repeat(80_000)],
    ['digits', `a: ${'1'.repeat(250_000)}`],
    ['hexadecimal digits', `a: 0x${'f'.repeat(250_000)}`],
    ['keys', Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n')],
    ['__proto__', '__proto__: {a: 1}\nconstructor: 1\n'],
  ])('is not hurt by %s', (_, text) => {
    expect(parseJobConfig(text, 'f', {}).ok).toBe(false);
  });
});

describe('the schema', () => {
  it('is what the official client describes', () => {
    expect(readFileSync('shared/config/job-spec.schema.json', 'utf8')).toBe(generate());
  });

  it('uses only types that the reader knows', () => {
    const { messages, enums } = JSON.parse(generate()) as {
      messages: Record<string, Record<string, { type: string }>>;
      enums: Record<string, unknown>;
    };
    const types = Object.values(messages).flatMap((fields) =>
      Object.values(fields).map((f) => f.type),
    );
    const scalars = types.filter((type) => !(type in messages) && !(type in enums));
    expect([...new Set(scalars)].sort()).toEqual([
      'bool',
      'google.protobuf.Duration',
      'int32',
      'int64',
      'string',
    ]);
  });
});
