/**
 * Keeps triggers as they are declared and shows the builds that they start, on a timer and when woken. What is
 * due stands in our own tables, so a lost wake-up costs a tick and nothing else.
 */
import { CloudError } from '../../shared/errors.ts';
import { listInstallations, listInstalledRepositories } from '../../shared/github/repositories.ts';
import { dueTriggers, noteTriggers, releaseTriggers, triggerPlaces } from '../store/triggers.ts';
import { TaskPool } from '../task-pool.ts';
import type { TriggersContext } from './context.ts';
import { keepTriggers } from './keep-triggers.ts';
import { lookAtBuilds } from './watch-builds.ts';

interface TriggerWatchOptions extends TriggersContext {
  /** How often builds are looked at, and what is due. */
  readonly tickMs: number;
  /** No other process can have the store open. */
  readonly exclusive: boolean;
}

const maxTasks = 4;
const maxDue = 50;
/** How often GitHub is asked which repositories there are: what a lost delivery would have told. */
const discoveryMs = 3_600_000;

export class TriggerWatch {
  private readonly options: TriggerWatchOptions;
  private readonly pool = new TaskPool(maxTasks);
  private ticking: NodeJS.Timeout | undefined;
  private discovering: NodeJS.Timeout | undefined;

  constructor(options: TriggerWatchOptions) {
    this.options = options;
  }

  async begin(): Promise<void> {
    const { db, exclusive, tickMs } = this.options;
    if (exclusive) await releaseTriggers(db);
    this.discover();
    this.ticking = setInterval(() => this.wake(), tickMs);
    this.discovering = setInterval(() => this.discover(), discoveryMs);
  }

  /** Looks at what is due. */
  wake(): void {
    this.start('tick', async () => {
      const { db, clock } = this.options;
      for (const id of await dueTriggers(db, clock.now(), maxDue)) {
        this.start(`repository ${id}`, async () => {
          await keepTriggers(id, this.options);
        });
      }
      for (const { project, region } of await triggerPlaces(db)) this.lookAtBuilds(project, region);
    });
  }

  /** A hint that builds there have changed; places without triggers of ours are not looked at. */
  lookAtBuilds(project: string, region: string): void {
    this.start(`builds ${project} ${region}`, async () => {
      await lookAtBuilds({ project, region }, this.options);
    });
  }

  /** Takes nothing new and waits for what is at hand, up to `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    clearInterval(this.ticking);
    clearInterval(this.discovering);
    const timeout = new AbortController();
    await Promise.race([this.pool.drain(), this.options.clock.sleep(timeoutMs, timeout.signal)]);
    timeout.abort();
  }

  private discover(): void {
    this.start('discovery', async () => {
      await this.noteInstalled();
      this.wake();
    });
  }

  private async noteInstalled(): Promise<void> {
    const { db, clock, config, octokitAsApp, octokitFor, log } = this.options;
    try {
      for (const installationId of await listInstallations(octokitAsApp)) {
        const installed = await listInstalledRepositories(octokitFor(installationId));
        for (const { id, name } of installed) {
          if (!config.repositories.has(id)) continue;
          await noteTriggers(db, { id, installationId, ...name }, clock.now());
        }
      }
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      log.warn({ err: error }, 'GitHub did not say which repositories there are');
    }
  }

  private start(key: string, task: () => Promise<void>): void {
    this.pool.start(key, async () => {
      try {
        await task();
      } catch (error) {
        this.options.log.error({ err: error, task: key }, 'work on triggers was interrupted');
      }
    });
  }
}
