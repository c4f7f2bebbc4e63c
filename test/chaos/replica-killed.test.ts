/**
 * Two replicas of the App share 200 runs over one PostgreSQL, and one of them is killed with SIGKILL half-way:
 * every run still ends, with one job, one comment and one check.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseMarker } from '../../shared/report/marker.ts';
import { startAppProcess, type AppProcess } from '../app/app-process.ts';
import { commentCreated, deliver } from '../app/deliveries.ts';
import { FakeGitHub, repositoryId, type FakeComment } from '../app/fake-github.ts';
import { findPostgres, startPostgres, type PostgresServer } from '../app/store/postgres-server.ts';
import { fakeExecutor, parent, project, startWorld, type World } from '../sandbox/google/world.ts';
import { eventually } from '../acceptance/github-user.ts';

const runs = 200;
const programs = findPostgres();
if (programs === undefined) {
  process.stderr.write('Skipped: replicas are tested where PostgreSQL is installed.\n');
}

const policy = `owner: test
repositories:
  "${repositoryId}":
    project: ${project}
    max_usd_per_month: 100000
    max_runs_per_pull: 1000
    max_runs_per_user: 1000
    max_runs_per_repository: 1000
`;

(programs === undefined ? describe.skip : describe)('two replicas, one of them killed', () => {
  let postgres: PostgresServer;
  let google: World;
  let directory: string;
  let survivor: AppProcess;
  let victim: AppProcess;
  const github = new FakeGitHub();
  let startedJobs = 0;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'trainyard-replicas-'));
    await writeFile(join(directory, 'trainyard.yml'), policy);
    postgres = await startPostgres(programs ?? '');
    google = await startWorld({
      executor: fakeExecutor({
        run: (job) => {
          startedJobs += 1;
          job.log('epoch=1 loss=0.5', 'stdout');
          return Promise.resolve({ exitCode: 0, signal: null });
        },
      }),
    });
    for (const name of [`${project}_cloudbuild`, `${project}-trainyard-results`]) {
      const bucket = { name, location: 'US-CENTRAL1' };
      await google.call('POST', `/storage/v1/b?project=${project}`, bucket);
    }
    github.files = {
      '.github/trainyard.yml': 'config: config.yaml\n',
      'config.yaml': JSON.stringify({
        workerPoolSpecs: [
          {
            machineSpec: { machineType: 'n1-standard-8' },
            replicaCount: 1,
            containerSpec: { imageUri: '$IMAGE' },
          },
        ],
      }),
      Dockerfile: 'FROM scratch\n',
    };
    const environment = {
      DATABASE_URL: postgres.createDatabase('replicas'),
      GITHUB_API_URL: await github.start(),
      TRAINYARD_GOOGLE_ENDPOINT: google.endpoint,
      TRAINYARD_CONFIG: join(directory, 'trainyard.yml'),
      TRAINYARD_TICK_MS: '1000',
      TRAINYARD_SETTLE_MS: '1000',
      TRAINYARD_DRAIN_MS: '1',
      TRAINYARD_GITHUB_WRITES_PER_MINUTE: '100000',
      TRAINYARD_GITHUB_CREATIONS_PER_HOUR: '100000',
      TRAINYARD_LOG_READS_PER_MINUTE: '10000',
    };
    [survivor, victim] = await Promise.all([
      startAppProcess(environment),
      startAppProcess(environment),
    ]);
  });
  afterAll(async () => {
    await Promise.all([survivor.kill('SIGKILL'), victim.kill('SIGKILL')]);
    await google.close();
    await github.stop();
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('leave each run with one job, one comment and one check, all of them ended', async () => {
    const comments = Array.from({ length: runs }, () =>
      github.comment('/train gpu=T4', 'olivia', new Date()),
    );
    // As many at once as GitHub might send.
    for (let at = 0; at < runs; at += 20) {
      const told = comments
        .slice(at, at + 20)
        .map((comment, i) =>
          deliver([survivor, victim][i % 2]?.url ?? '', commentCreated(comment)),
        );
      expect(new Set(await Promise.all(told))).toEqual(new Set([202]));
    }

    await until('half of the jobs', () => startedJobs >= runs / 2);
    await victim.kill('SIGKILL');
    // Somebody was in the middle of something: that is what is to be survived.
    expect(github.checks.filter(isCompleted).length).toBeLessThan(runs);

    const completed = (): number => github.checks.filter(isCompleted).length;
    await until('the checks to complete', () => completed() >= runs);
    const trained = (): FakeComment[] =>
      cardsOf(github).filter(({ body }) => body.includes('**Trained**'));
    await until('the last cards', () => trained().length >= runs);
    const jobs = await jobsOf(google);
    const runIds = jobs.map(({ labels }) => labels['trainyard-run'] ?? '').sort();
    expect(new Set(runIds).size).toBe(runs);
    expect(jobs).toHaveLength(runs);
    expect(new Set(jobs.map(({ state }) => state))).toEqual(new Set(['JOB_STATE_SUCCEEDED']));
    expect(github.checks.map((check) => check.external_id).sort()).toEqual(runIds);
    expect(new Set(github.checks.map(({ conclusion }) => conclusion))).toEqual(
      new Set(['success']),
    );
    expect(cardsOf(github)).toHaveLength(runs);
    expect(
      trained()
        .map(({ body }) => parseMarker(body)?.runId ?? '')
        .sort(),
    ).toEqual(runIds);
  }, 1_200_000);
});

function isCompleted({ status }: { readonly status: string }): boolean {
  return status === 'completed';
}

function cardsOf(github: FakeGitHub) {
  return github.comments.filter(({ user }) => user.type === 'Bot');
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  await eventually(what, () => Promise.resolve(isSo() || undefined), 600_000);
}

interface Job {
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
}

async function jobsOf(google: World): Promise<readonly Job[]> {
  const found: Job[] = [];
  for (let token = ''; ;) {
    const page = await google.call('GET', `/v1/${parent}/customJobs?pageToken=${token}`);
    const { customJobs = [], nextPageToken } = page.body as {
      customJobs?: Job[];
      nextPageToken?: string;
    };
    found.push(...customJobs);
    if (nextPageToken === undefined) return found;
    token = encodeURIComponent(nextPageToken);
  }
}
