/** docs/app.md and docs/operations.md against the code: permissions, metrics, variables, tables and queries. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { parse } from 'yaml';
import { createLog } from '../../app/log.ts';
import { createMetrics } from '../../app/metrics.ts';
import { settingVariables } from '../../app/settings.ts';
import { openStore, type Store } from '../../app/store/open-store.ts';
import { rowsOf } from './tables.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');
const [app, operations, appYml, packageJson] = await Promise.all([
  ...[read('docs/app.md'), read('docs/operations.md')],
  ...[read('app/app.yml'), read('package.json')],
]);
const both = `${app}\n${operations}`;
const code = (text = ''): string => text.replaceAll('`', '');

let dataDir = '';
let store: Store;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'trainyard-docs-'));
  store = await openStore({ databaseUrl: undefined, dataDir }, createLog('silent'));
});
afterAll(async () => {
  await store.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe('docs/app.md', () => {
  const registration = parse(appYml ?? '') as {
    readonly default_permissions: Readonly<Record<string, string>>;
    readonly default_events: readonly string[];
  };

  it('gives a reason for each permission that app.yml asks for, and for no other', () => {
    const rows = rowsOf(app ?? '', 'permission');
    const asked = rows.map(([name, level]) => [code(name), code(level)]);
    expect(Object.fromEntries(asked)).toEqual(registration.default_permissions);
    expect(rows.filter(([, , reason = '']) => reason.length < 20)).toEqual([]);
  });

  it('gives a reason for each event that app.yml subscribes to', () => {
    const events = rowsOf(app ?? '', 'event').map(([name]) => code(name));
    expect(events.sort()).toEqual([...registration.default_events].sort());
  });
});

describe('docs/operations.md', () => {
  it('has a row for each metric, with its type and labels, and none besides', () => {
    const sources = { now: () => new Date(), budgets: () => new Map<number, never>() };
    const { registry } = createMetrics(store.db, sources);
    const real = registry.getMetricsAsArray().map((metric) => {
      const { name, type, labelNames } = metric as unknown as {
        readonly name: string;
        readonly type: string;
        readonly labelNames: readonly string[];
      };
      return [name, type, [...labelNames].sort().join()];
    });
    const told = rowsOf(operations ?? '', 'metric').map(([name, type, labels]) => [
      ...[code(name), type],
      code(labels).split(', ').sort().join(),
    ]);
    expect(told.sort()).toEqual(real.sort());
    const known = new Set(real.map(([name]) => name));
    const used = both.match(/\btrainyard_[a-z_]+/g)?.filter((name) => !isTable(name)) ?? [];
    expect(used.filter((name) => !known.has(name))).toEqual([]);
  });

  it('names every table of the store', async () => {
    const { rows } = await sql<{ readonly name: string }>`
      select table_name as name from information_schema.tables
      where table_schema = 'public' and table_name not like 'kysely%'`.execute(store.db);
    const told = rowsOf(operations ?? '', 'table').flatMap(([names = '']) =>
      code(names).split(', '),
    );
    expect(told.sort()).toEqual(rows.map(({ name }) => name).sort());
  });

  const queries = fromMarkdown(operations ?? '').children.flatMap((node) =>
    node.type === 'code' && node.lang === 'sql' ? [node.value] : [],
  );

  it.each(queries)('the database takes: %s', async (query) => {
    await expect(sql.raw(query.replace(/;\s*$/, '')).execute(store.db)).resolves.toBeDefined();
  });
});

it('the messages are those of the log', async () => {
  const paths = await readdir(join(root, 'app'), { recursive: true });
  const sources = await Promise.all(
    paths.filter((path) => path.endsWith('.ts')).map((path) => read(join('app', path))),
  );
  const told = rowsOf(operations ?? '', 'message').flatMap(([messages = '']) =>
    code(messages).split(', '),
  );
  expect(told.length).toBeGreaterThan(5);
  expect(told.filter((message) => !sources.some((text) => text.includes(message)))).toEqual([]);
});

it('the documents name only variables that the App reads', () => {
  const names = both.match(/\b(?:TRAINYARD_[A-Z_]+|[A-Z]+_(?:KEY|SECRET|URL|ID))\b/g) ?? [];
  const others = new Set(['PROJECT_ID']);
  expect(names.filter((name) => !(name in settingVariables) && !others.has(name))).toEqual([]);
});

it('the documents name only scripts that there are', () => {
  const { scripts } = JSON.parse(packageJson ?? '') as { readonly scripts: object };
  const named = [...both.matchAll(/\bnpm (?:run )?([a-z-]+)/g)].map(([, name = '']) => name);
  expect(named).not.toEqual([]);
  expect(named.filter((name) => !(name in scripts) && name !== 'ci')).toEqual([]);
});

/** Names that look like a metric's and are not. */
function isTable(name: string): boolean {
  return name.startsWith('trainyard_mac');
}
