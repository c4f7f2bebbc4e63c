/** The App put together: settings, the operator's configuration and the ports in; a running App out. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { ServerConfig } from '../shared/config/server-config.ts';
import { webUrlOf } from '../shared/github/pages.ts';
import { deriveResourceMac } from '../shared/launch/resource-mac.ts';
import type { Clock } from '../shared/ports.ts';
import { createGitHubApp } from './github-app.ts';
import { createLaunchers, type GoogleAs } from './launchers.ts';
import type { Logger } from './log.ts';
import { createMetrics } from './metrics.ts';
import { Reconciler } from './reconcile-run.ts';
import { startServer, type RunningServer } from './server.ts';
import type { Settings } from './settings.ts';
import { openStore, type Store } from './store/open-store.ts';
import { pruneOld } from './store/prune.ts';
import { listRuns } from './store/runs.ts';
import { startOrphanSweeps } from './sweep-orphans.ts';
import type { TriggersContext } from './triggers/context.ts';
import { keepTriggers } from './triggers/keep-triggers.ts';
import { TriggerWatch } from './triggers/trigger-watch.ts';
import { renderDashboard } from './web/dashboard.ts';
import { MissedDeliveries, type MissedDeliveriesOptions } from './webhooks/missed-deliveries.ts';
import { createNoticeReceiver } from './webhooks/receive-build-notice.ts';
import { createReceiver } from './webhooks/receive-delivery.ts';
import { registerHandlers } from './webhooks/register-handlers.ts';
import type { WebhookContext } from './webhooks/webhook-context.ts';
import { startWorker, type Worker } from './worker.ts';
import { startWorkflowSpend } from './workflow-spend.ts';

interface AppPorts {
  readonly clock: Clock;
  readonly googleAs: GoogleAs;
  readonly log: Logger;
  /** How often everything is looked at that was not woken for. */
  readonly sweepMs?: number;
}

export interface RunningApp {
  readonly url: string;
  /** Stops taking work, finishes what is at hand within ten seconds, and lets go of the store. */
  stop(): Promise<void>;
}

/** Cloud Run and Kubernetes kill ten seconds after SIGTERM; the rest is for closing the store. */
const drainMs = 8_000;
const dashboardRuns = 100;
/** How often GitHub is asked what it could not deliver, and what is old is taken out; at the start anyway. */
const tidyMs = 5 * 60_000;

export async function startApp(
  settings: Settings,
  config: ServerConfig,
  ports: AppPorts,
): Promise<RunningApp> {
  const store = await openStore(settings, ports.log);
  const life: Lifetime = { isReady: false, stops: [] };
  const stop = async (): Promise<void> => {
    life.isReady = false;
    const timeout = new AbortController();
    const stopped = Promise.all(life.stops.map((one) => one()));
    try {
      await Promise.race([stopped, ports.clock.sleep(drainMs, timeout.signal)]);
    } finally {
      timeout.abort();
      await store.close();
    }
  };
  try {
    const url = await startOn(store, life, settings, config, ports);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What has been started so far, and how each of it is stopped. */
interface Lifetime {
  isReady: boolean;
  worker?: Worker;
  triggers?: TriggerWatch;
  readonly stops: (() => Promise<void>)[];
}

/** @returns where it listens */
async function startOn(
  store: Store,
  life: Lifetime,
  settings: Settings,
  config: ServerConfig,
  { clock, googleAs, log, sweepMs = 5_000 }: AppPorts,
): Promise<string> {
  const { db, exclusive } = store;
  const { appId, tickMs } = settings;
  const now = (): Date => clock.now();
  const sandbox = settings.googleEndpoint !== undefined;
  const { probot, octokitAsApp, octokitFor, budgets } = await createGitHubApp(settings, clock, log);
  const metrics = createMetrics(db, { now, budgets: () => budgets });
  const launchers = createLaunchers(config, (launcher) =>
    googleAs(launcher, (...call) => {
      metrics.cloudCall(...call);
    }),
  );
  const githubUrl = webUrlOf(settings.githubApiUrl);
  const github = { octokitAsApp, octokitFor, appId, githubUrl };
  const common = { db, config, launchers, ...github, sandbox, log };
  const keeping: TriggersContext = { ...common, clock, incarnation: randomUUID() };
  const context: WebhookContext = {
    ...common,
    now,
    metrics,
    wakeRun: async (id) => life.worker?.wakeRun(id),
    keepTriggers: (repositoryId) => keepTriggers(repositoryId, keeping),
  };
  registerHandlers(probot, context, { ...keeping, wakeTriggers: () => life.triggers?.wake() });
  const mac = deriveResourceMac(settings.privateKey, settings.otherPrivateKey);
  const reconciler = new Reconciler({ ...settings, ...keeping, mac, metrics });
  // It takes deliveries from here on; whoever works on them finds what came before.
  const server = await startFront(settings, context, life);
  life.stops.push(() => server.close());
  const worker = await startWorker({
    store,
    clock,
    reconciler,
    log,
    sweepMs,
    receive: ({ id, event, payload }) =>
      // Stored events are of the names that have handlers; Probot types them by those names.
      probot.receive({ id, name: event, payload } as Parameters<typeof probot.receive>[0]),
  });
  life.worker = worker;
  life.stops.push(() => worker.stop(drainMs));
  const triggers = new TriggerWatch({ ...keeping, tickMs, exclusive });
  life.triggers = triggers;
  life.stops.push(() => triggers.stop(drainMs));
  await triggers.begin();
  life.isReady = true;
  life.stops.push(
    startTidying({ db, app: octokitAsApp, now, log }),
    startOrphanSweeps({ ...keeping, mac, settleMs: settings.settleMs }),
    startWorkflowSpend(keeping),
  );
  return server.url;
}

/**
 * Once now, then again and again. One after the other, and nobody waits: GitHub may be slow, and the signal to
 * stop is heard once this is over.
 */
function startTidying(options: MissedDeliveriesOptions): () => Promise<void> {
  const { db, now, log } = options;
  const missed = new MissedDeliveries(options);
  const tidy = async (): Promise<void> => {
    await missed.ask();
    await pruneOld(db, now()).catch((error: unknown) =>
      log.warn({ err: error }, 'what is old could not be taken out of the database'),
    );
  };
  let tidying = tidy();
  const timer = setInterval(() => {
    tidying = tidying.then(tidy);
  }, tidyMs);
  return () => {
    clearInterval(timer);
    return tidying;
  };
}

/** What GitHub, Google and people ask over HTTP. */
function startFront(
  settings: Settings,
  { db, metrics, log, now, sandbox, githubUrl, wakeRun }: WebhookContext,
  life: Lifetime,
): Promise<RunningServer> {
  const { host, port, adminToken, pubsub, webhookSecret: secret } = settings;
  const wake = async (id: string): Promise<void> => life.worker?.wakeDelivery(id);
  return startServer({
    host,
    port,
    adminToken,
    metrics,
    log,
    receive: createReceiver({ secret, db, now, wake, log }),
    receiveBuildNotice:
      pubsub &&
      createNoticeReceiver({
        ...pubsub,
        wakeRun,
        log,
        lookAtBuilds: (project, region) => life.triggers?.lookAtBuilds(project, region),
      }),
    dashboard: async () => {
      const runs = (await listRuns(db, dashboardRuns)).map(({ run }) => run);
      return renderDashboard(runs, { now: now(), sandbox, githubUrl });
    },
    isReady: async () => {
      await sql`select 1`.execute(db);
      return life.isReady;
    },
  });
}
