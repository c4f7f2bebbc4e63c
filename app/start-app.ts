/** The App put together: settings, the operator's configuration and the ports in; a running App out. */
import { randomUUID } from 'node:crypto';
import type { ServerConfig } from '../shared/config/server-config.ts';
import { deriveResourceMac } from '../shared/launch/resource-mac.ts';
import type { Clock } from '../shared/ports.ts';
import { createGitHubApp, type GitHubApp } from './github-app.ts';
import { createLaunchers, type GoogleAs } from './launchers.ts';
import type { Logger } from './log.ts';
import { createMetrics } from './metrics.ts';
import { Reconciler } from './reconcile-run.ts';
import { startServer } from './server.ts';
import type { Settings } from './settings.ts';
import { openStore } from './store/open-store.ts';
import { listRuns } from './store/runs.ts';
import { sql } from 'kysely';
import type { TriggersContext } from './triggers/context.ts';
import { keepTriggers } from './triggers/keep-triggers.ts';
import { TriggerWatch } from './triggers/trigger-watch.ts';
import { renderDashboard } from './web/dashboard.ts';
import { onAccessLost } from './webhooks/access-lost.ts';
import { onBasePush } from './webhooks/base-run.ts';
import { onCheckClicks } from './webhooks/check-run.ts';
import { onConfigChange } from './webhooks/config-check.ts';
import { onInstallation } from './webhooks/installation.ts';
import { startOrphanSweeps } from './sweep-orphans.ts';
import { onIssueComment } from './webhooks/issue-comment.ts';
import { askForMissed } from './webhooks/missed-deliveries.ts';
import { onNewHead } from './webhooks/new-head.ts';
import { onPush } from './webhooks/push.ts';
import { createNoticeReceiver } from './webhooks/receive-build-notice.ts';
import { onCommitToSummarise } from './webhooks/summary-check.ts';
import { createReceiver } from './webhooks/receive-delivery.ts';
import { onTriggerDeclaration } from './webhooks/trigger-declaration.ts';
import { startWorker, type Worker } from './worker.ts';

export interface AppPorts {
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
/** How often GitHub is asked what it could not deliver; at the start anyway. */
const missedMs = 5 * 60_000;

export async function startApp(
  settings: Settings,
  config: ServerConfig,
  { clock, googleAs, log, sweepMs = 5_000 }: AppPorts,
): Promise<RunningApp> {
  const store = await openStore(settings, log);
  const { db } = store;
  const now = (): Date => clock.now();
  const sandbox = settings.googleEndpoint !== undefined;
  let github: GitHubApp | undefined;
  const metrics = createMetrics(db, { now, budgets: () => github?.budgets ?? new Map() });
  let worker: Worker | undefined;
  let triggers: TriggerWatch | undefined;
  let isReady = false;
  const wakeDelivery = async (id: string): Promise<void> => worker?.wakeDelivery(id);
  const wakeRun = async (id: string): Promise<void> => worker?.wakeRun(id);
  try {
    github = await createGitHubApp(settings, clock, log);
    const { probot, octokitAsApp, octokitFor } = github;
    const { appId } = settings;
    const launchers = createLaunchers(config, (launcher) =>
      googleAs(launcher, (...call) => {
        metrics.cloudCall(...call);
      }),
    );
    const incarnation = randomUUID();
    const keeping: TriggersContext = {
      ...{ db, clock, config, launchers, octokitFor, appId, sandbox, incarnation, log },
    };
    const context = {
      db,
      appId,
      config,
      launchers,
      sandbox,
      now,
      wakeRun,
      keepTriggers: (repositoryId: number) => keepTriggers(repositoryId, keeping),
      octokitFor,
      metrics,
      log,
    };
    onIssueComment(probot, context);
    onCheckClicks(probot, context);
    onNewHead(probot, context);
    onConfigChange(probot, context);
    onCommitToSummarise(probot, context);
    onAccessLost(probot, context);
    onBasePush(probot, context);
    const wakeTriggers = (): void => triggers?.wake();
    onPush(probot, { db, config, now, wakeTriggers });
    onInstallation(probot, { db, config, now, wakeTriggers });
    onTriggerDeclaration(probot, keeping);
    const mac = deriveResourceMac(settings.privateKey);
    const reconciler = new Reconciler({
      ...settings,
      ...{ db, clock, config, launchers, mac, octokitFor, sandbox, incarnation, metrics, log },
    });
    const githubUrl = webUrlOf(settings.githubApiUrl);
    const server = await startServer({
      ...{ host: settings.host, port: settings.port, adminToken: settings.adminToken },
      ...{ metrics, log },
      receive: createReceiver({ secret: settings.webhookSecret, db, now, wake: wakeDelivery, log }),
      receiveBuildNotice:
        settings.pubsub &&
        createNoticeReceiver({
          ...settings.pubsub,
          ...{ wakeRun, log },
          lookAtBuilds: (project, region) => triggers?.lookAtBuilds(project, region),
        }),
      dashboard: async () => {
        const runs = (await listRuns(db, dashboardRuns)).map(({ run }) => run);
        return renderDashboard(runs, { now: now(), sandbox, githubUrl });
      },
      isReady: async () => {
        await sql`select 1`.execute(db);
        return isReady;
      },
    });
    worker = await startWorker({
      ...{ store, clock, reconciler, log, sweepMs },
      receive: ({ id, event, payload }) =>
        // Stored events are of the names that have handlers; Probot types them by those names.
        probot.receive({ id, name: event, payload } as Parameters<typeof probot.receive>[0]),
    });
    const { tickMs } = settings;
    triggers = new TriggerWatch({
      ...{ ...keeping, octokitAsApp, tickMs, exclusive: store.exclusive },
    });
    await triggers.begin();
    isReady = true;
    const missed = { db, app: octokitAsApp, now, log };
    await askForMissed(missed);
    const asking = setInterval(() => void askForMissed(missed), missedMs);
    const stopSweeps = startOrphanSweeps({ db, config, launchers, mac, clock, log });
    return {
      url: server.url,
      stop: async () => {
        isReady = false;
        clearInterval(asking);
        const closed = server.close();
        await Promise.all([worker?.stop(drainMs), triggers?.stop(drainMs)]);
        await Promise.all([closed, stopSweeps()]);
        await store.close();
      },
    };
  } catch (error) {
    await Promise.all([worker?.stop(drainMs), triggers?.stop(drainMs)]);
    await store.close();
    throw error;
  }
}

/** `https://api.github.com` → `https://github.com`; `https://HOST/api/v3` → `https://HOST`. */
function webUrlOf(apiUrl: string): string {
  return apiUrl === 'https://api.github.com' ? 'https://github.com' : new URL(apiUrl).origin;
}
