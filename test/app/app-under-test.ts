/** The whole App on a fake GitHub and a world in memory; its clock is the world's and moves when told. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../app/log.ts';
import { startApp, type RunningApp } from '../../app/start-app.ts';
import type { Settings } from '../../app/settings.ts';
import type { CloudError } from '../../shared/errors.ts';
import { defaultSettings } from '../../shared/config/project-settings.ts';
import { systemClock, type JobDescription, type StartedJobs } from '../../shared/ports.ts';
import { World } from '../shared/world.ts';
import { deliver, secret } from './deliveries.ts';
import { FakeCloudBuild } from './fake-cloud-build.ts';
import { appId, FakeGitHub, repositoryId } from './fake-github.ts';

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

export const log = createLog('silent');

const lookMs = 20;
/** How often time leaps while a test waits; then it passes as it does. */
const fastLooks = 500;

export class AppUnderTest {
  readonly github = new FakeGitHub();
  readonly world = new World();
  readonly cloudBuild = new FakeCloudBuild();
  /** The operator's file; what a test changes counts from the next start. */
  readonly repositories = new Map([
    [repositoryId, defaultSettings('demo-project', ['us-central1'])],
  ]);
  /** The end of each job's log. */
  logLines: readonly string[] = [];
  /** What asking for it is answered with instead. */
  logRefusal: CloudError | undefined;
  /** Jobs that workflows have started. */
  readonly workflowJobs: JobDescription[] = [];
  /** What was asked of them. */
  readonly workflowLooks: Parameters<StartedJobs['list']>[0][] = [];
  /** As whom the App asked for Google's ports. */
  readonly launchers: (string | undefined)[] = [];
  readonly dataDir: string;
  private readonly githubUrl: string;
  private readonly databaseUrl: string | undefined;
  private app: RunningApp | undefined;

  private constructor(
    database: { readonly dataDir: string; readonly databaseUrl: string | undefined },
    githubUrl: string,
    github: FakeGitHub,
  ) {
    this.dataDir = database.dataDir;
    this.databaseUrl = database.databaseUrl;
    this.githubUrl = githubUrl;
    this.github = github;
    this.world.now = new Date();
  }

  /** Without a URL state is in an embedded database. */
  static async prepare(databaseUrl?: string): Promise<AppUnderTest> {
    const github = new FakeGitHub();
    github.files = {
      '.github/trainyard.yml': 'config: config.yaml\n',
      'config.yaml': [
        'workerPoolSpecs:',
        '  - machineSpec: {machineType: n1-standard-8}',
        '    replicaCount: 1',
        '    containerSpec: {imageUri: $IMAGE}',
        '',
      ].join('\n'),
      Dockerfile: 'FROM scratch\n',
    };
    const dataDir = await mkdtemp(join(tmpdir(), 'trainyard-app-'));
    return new AppUnderTest({ dataDir, databaseUrl }, await github.start(), github);
  }

  get url(): string {
    return this.app?.url ?? '';
  }

  get settings(): Settings {
    return {
      ...{ appId, privateKey, webhookSecret: secret, configPath: '', dataDir: this.dataDir },
      ...{
        githubApiUrl: this.githubUrl,
        databaseUrl: this.databaseUrl,
        host: '127.0.0.1',
        port: 0,
        adminToken: undefined,
        otherPrivateKey: undefined,
        pubsub: undefined,
      },
      ...{
        logLevel: 'error',
        tickMs: 1_000,
        cardIntervalMs: 60_000,
        settleMs: 20_000,
        drainMs: 3_000,
      },
      // The world's clock may stand still, and with it every minute.
      githubLimits: { writesPerMinute: 100_000, creationsPerHour: 100_000, atOnce: 100 },
      logReadsPerMinute: 50,
      googleEndpoint: 'http://127.0.0.1:9',
    };
  }

  async start(): Promise<void> {
    this.app = await this.startReplica();
  }

  /** One more App on the same database, GitHub and world; whoever starts it stops it. */
  async startReplica(): Promise<RunningApp> {
    const config = { owner: 'test', repositories: new Map(this.repositories) };
    const { builds, buildLogs, earlierBuilds, images, jobs, jobLogs, objects } = this.world.ports();
    const google = {
      ...{ builds, earlierBuilds, images, jobs, jobLogs, objects },
      ...this.world.bulk(),
      ...this.cloudBuild.ports(buildLogs),
      startedJobs: {
        list: (where: Parameters<StartedJobs['list']>[0]) => {
          this.workflowLooks.push(where);
          return Promise.resolve(
            this.workflowJobs.filter(
              ({ snapshot: { name, createTime = '' } }) =>
                name.startsWith(`projects/${where.project}/locations/${where.region}/`) &&
                Date.parse(createTime) >= where.since.getTime(),
            ),
          );
        },
      },
      logTails: {
        tail: ({ limit }: { readonly limit: number }) => {
          if (this.logRefusal !== undefined) return Promise.reject(this.logRefusal);
          return Promise.resolve(
            this.logLines.slice(-limit).map((text, at) => ({
              ...{ insertId: String(at), timestamp: '2026-01-02T03:01:00Z', text },
            })),
          );
        },
      },
    };
    const clock = { now: () => this.world.now, sleep: systemClock.sleep };
    const googleAs = (launcher: string | undefined): typeof google => {
      this.launchers.push(launcher);
      return google;
    };
    return startApp(this.settings, config, { clock, googleAs, log, sweepMs: 50 });
  }

  /** Ends this process life; what is stored stays. */
  async stop(): Promise<void> {
    await this.app?.stop();
    this.app = undefined;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async close(): Promise<void> {
    await this.app?.stop();
    await this.github.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  deliver(...[payload, options]: [unknown, Parameters<typeof deliver>[2]?]): Promise<number> {
    return deliver(this.url, payload, options);
  }

  /** Lets time pass in the world until there is an answer. */
  async until<T>(what: string, ask: () => T | undefined, stepMs = 0): Promise<T> {
    const deadline = Date.now() + 120_000;
    for (let look = 0; Date.now() < deadline; look++) {
      const answer = ask();
      if (answer !== undefined) return answer;
      // A slow App must not find that half an hour has passed, and give up on what it waits for.
      const passedMs = look < fastLooks ? stepMs : Math.min(stepMs, lookMs);
      this.world.now = new Date(this.world.now.getTime() + passedMs);
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
    throw new Error(`waited for ${what}`);
  }

  /** What the App said after that comment. */
  answersTo(comment: { readonly id: number }): string[] {
    return this.github.comments
      .filter(({ id, user }) => id > comment.id && user.type === 'Bot')
      .map(({ body }) => body);
  }
}
