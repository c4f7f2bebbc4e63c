/** What the adapter of triggers sends, against what gcloud sends; and what it makes of answers. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CloudError } from '../../../shared/errors.ts';
import { googlePorts } from '../../../shared/google/index.ts';
import type { TriggerPorts } from '../../../shared/ports.ts';

interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body?: unknown;
}
type Captured = Readonly<Record<string, { readonly requests: readonly Request[] }>>;

const captured = (name: string): Captured =>
  JSON.parse(
    readFileSync(join(import.meta.dirname, '../triggers/gcloud-requests', name), 'utf8'),
  ) as Captured;

let server: Server;
let ports: TriggerPorts;
const requests: Request[] = [];
let answers: { readonly status?: number; readonly body: unknown }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://local');
      const text = Buffer.concat(chunks).toString();
      requests.push({
        ...{ method: request.method ?? '', path: url.pathname },
        query: Object.fromEntries(url.searchParams),
        ...(text === '' ? {} : { body: JSON.parse(text) as unknown }),
      });
      const { status = 200, body } = answers.shift() ?? { body: { id: 'id-1', name: 'x' } };
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const clock = { sleep: () => Promise.resolve() };
  ports = googlePorts({ endpoint: `http://127.0.0.1:${port}`, clock });
});
afterAll(() => {
  server.close();
});
beforeEach(() => {
  requests.length = 0;
  answers = [];
});

const place = { project: 'demo-project', region: 'global' };
const regional = { ...place, region: 'us-central1' };

describe('sends what gcloud sends', () => {
  const sent = captured('others.json');
  const id = 'push-main';
  const sha = '1'.repeat(40);
  it.each<[string, () => Promise<unknown>]>([
    ['94-triggers-run', () => run(place, { branchName: 'main', substitutions: { _A: '1' } })],
    [
      'run-branch-two',
      () => run(place, { branchName: 'main', substitutions: { _A: '1', _B: '2' } }),
    ],
    ['run-sha', () => run(regional, { commitSha: sha })],
    ['95-triggers-list', () => ports.triggers.list(place)],
    ['95b-triggers-list-region', () => ports.triggers.list(regional)],
    ['96-triggers-delete', () => ports.triggers.remove({ ...place, id })],
    ['96b-triggers-describe', () => ports.triggers.get({ ...regional, id })],
  ])('%s', async (name, act) => {
    await act();
    expect(requests).toEqual(sent[name]?.requests);
  });

  function run(
    where: typeof place,
    source: Parameters<TriggerPorts['triggers']['run']>[0]['source'],
  ): Promise<unknown> {
    return ports.triggers.run({ ...where, id, source });
  }

  it.each(Object.entries(captured('create.json')))('%s', async (_name, { requests: [one] }) => {
    const [, region = ''] = /locations\/([^/]+)/.exec(one?.path ?? '') ?? [];
    const trigger = one?.body as Record<string, unknown>;
    await ports.triggers.create({ project: 'demo-project', region, trigger });
    expect(requests).toEqual([one]);
  });
});

it('names the fields of an update as the service spells them', async () => {
  const trigger = { filename: 'c', includedFiles: ['a'] };
  const updateMask = ['filename', 'includedFiles', 'repositoryEventConfig'];
  await ports.triggers.update({ ...place, id: 'id-1', trigger, updateMask });
  expect(requests).toEqual([
    {
      method: 'PATCH',
      path: '/v1/projects/demo-project/locations/global/triggers/id-1',
      query: {
        ...{ alt: 'json', triggerId: 'id-1' },
        updateMask: 'filename,included_files,repository_event_config',
      },
      body: trigger,
    },
  ]);
});

it('reads all pages, and keeps what it does not know', async () => {
  const [a, b] = [{ id: '1', name: 'a', cron: { schedule: '* * * * *' } }, { id: '2' }];
  answers = [{ body: { triggers: [a], nextPageToken: 'next' } }, { body: { triggers: [b] } }];
  expect(await ports.triggers.list(place)).toEqual([a, b]);
  expect(requests[1]?.query).toEqual({ alt: 'json', pageToken: 'next' });
});

it('says which build was started', async () => {
  answers = [{ body: { metadata: { build: { id: 'b-1' } } } }];
  const started = await ports.triggers.run({ ...place, id: 'a', source: { branchName: 'main' } });
  expect(started).toEqual({ buildId: 'b-1' });
});

describe('failures', () => {
  const refusal = { error: { code: 400, message: 'trigger name is taken', status: 'X' } };

  it('a refusal has the service’s words', async () => {
    answers = [{ status: 400, body: refusal }];
    await expect(ports.triggers.create({ ...place, trigger: {} })).rejects.toMatchObject({
      ...{ operation: 'triggers.create', status: 400, retryable: false, ambiguous: false },
      message: 'trigger name is taken',
    });
  });

  it('a write is sent once, and whether it happened is in doubt', async () => {
    answers = [{ status: 503, body: {} }];
    const run = ports.triggers.run({ ...place, id: 'a', source: {} });
    await expect(run).rejects.toMatchObject({ status: 503, ambiguous: true });
    expect(requests).toHaveLength(1);
  });

  it('a read is repeated', async () => {
    answers = [{ status: 503, body: 'not JSON' }, { body: {} }];
    expect(await ports.triggers.list(place)).toEqual([]);
    expect(requests).toHaveLength(2);
  });

  it('what is gone already is removed; an empty answer is one', async () => {
    answers = [{ status: 404, body: refusal }, { body: '' }];
    await ports.triggers.remove({ ...place, id: 'a' });
    await ports.triggers.remove({ ...place, id: 'a' });
    expect(requests).toHaveLength(2);
  });

  it.each([
    ['a region', { ...place, region: 'evil.example/' }, 'a'],
    ['a project', { ...place, project: 'x/../y' }, 'a'],
    ['an id', place, '../builds'],
  ])('%s that would lead elsewhere is never sent', async (_what, where, id) => {
    await expect(ports.triggers.get({ ...where, id })).rejects.toThrow(/is not a/);
    expect(requests).toEqual([]);
  });

  it('an answer of another form is no trigger', async () => {
    answers = [{ body: { triggers: 'none' } }];
    await expect(ports.triggers.list(place)).rejects.toBeInstanceOf(CloudError);
  });
});

describe('builds that triggers started', () => {
  const since = new Date('2026-01-01T00:00:00Z');
  const list = (triggerIds: readonly string[]) =>
    ports.triggeredBuilds.list({ ...place, triggerIds, since });

  it('are asked for by trigger and time', async () => {
    answers = [{ body: {} }];
    await list(['t-1', 't-2']);
    expect(requests).toMatchObject([
      {
        path: '/v1/projects/demo-project/locations/global/builds',
        query: {
          filter:
            'create_time>="2026-01-01T00:00:00.000Z" AND (trigger_id="t-1" OR trigger_id="t-2")',
        },
      },
    ]);
  });

  it('are not asked for where there is no trigger', async () => {
    expect(await list([])).toEqual([]);
    expect(requests).toEqual([]);
  });

  it('are read with the step that failed and images by digest, and no others', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const sha = 'c'.repeat(40);
    const failed = {
      ...{ id: 'b', buildTriggerId: 't-1', status: 'FAILURE', createTime: '2026-01-01T00:00:00Z' },
      substitutions: { COMMIT_SHA: sha },
      failureInfo: { detail: 'it failed' },
      steps: [
        { id: 'lint', status: 'FAILURE', allowFailure: true },
        { name: 'ubuntu', status: 'SUCCESS' },
        { name: 'gcr.io/x/test', status: 'FAILURE' },
      ],
      results: {
        images: [
          { name: 'i', digest },
          { name: 'j', digest: 'sha256:short' },
        ],
      },
      options: {
        logging: 'CLOUD_LOGGING_ONLY',
        machineType: 'E2_HIGHCPU_8',
        diskSizeGb: '200',
        pool: {},
      },
      availableSecrets: { secretManager: [] },
    };
    const foreign = { id: 'x', buildTriggerId: 'other' };
    const unknown = {
      id: 'y',
      buildTriggerId: 't-1',
      status: 'NEW',
      substitutions: { COMMIT_SHA: 'main' },
    };
    answers = [{ body: { builds: [failed, foreign, unknown] } }];
    const [first, second, ...others] = await list(['t-1']);
    expect(first).toEqual({
      ...{ id: 'b', ...place, triggerId: 't-1', status: 'failure', commitSha: sha },
      ...{ createTime: '2026-01-01T00:00:00Z', statusDetail: 'it failed' },
      ...{ failedStep: 'gcr.io/x/test', images: [{ name: 'i', digest }], logsTo: 'cloud_logging' },
      machine: { machineType: 'E2_HIGHCPU_8', diskSizeGb: 200, isPrivatePool: true },
      ...{ usesSecrets: true, awaitsApproval: false },
    });
    expect(second).toMatchObject({ id: 'y', status: 'unknown' });
    expect(second).not.toHaveProperty('commitSha');
    expect(others).toEqual([]);
  });
});

describe('connections', () => {
  const find = (remoteUri: string, connection = 'gh') =>
    ports.connections.findRepository({ ...regional, connection, remoteUri });
  const name = 'projects/demo-project/locations/us-central1/connections/gh/repositories/any-name';

  it('give the name of this repository and no other', async () => {
    const repositories = [
      { name: 'other', remoteUri: 'https://github.com/octo/repo-2.git' },
      { name, remoteUri: 'https://github.com/Octo/Repo.git' },
    ];
    answers = [{ body: { repositories } }, { body: { repositories } }];
    expect(await find('https://github.com/octo/repo')).toBe(name);
    expect(await find('https://github.com/octo/rep')).toBeUndefined();
    expect(requests[0]?.path).toBe(
      '/v2/projects/demo-project/locations/us-central1/connections/gh/repositories',
    );
  });

  it('that do not exist have none, and a name that is none is not asked for', async () => {
    answers = [{ status: 404, body: {} }];
    expect(await find('https://github.com/octo/repo')).toBeUndefined();
    expect(await find('https://github.com/octo/repo', '../../x')).toBeUndefined();
    expect(requests).toHaveLength(1);
  });
});
