/**
 * What every part of the sandbox's GitHub works with: the state, the git repositories beside it, the
 * addresses it is reached at, and the sender of webhooks.
 */
import { join } from 'node:path';
import { GitRepository } from './git/repository.ts';
import type { Account, Installation, Repository } from './state/model.ts';
import { instant } from './state/model.ts';
import type { Store } from './state/store.ts';
import type { DeliveryLog } from './webhooks/delivery-log.ts';
import type { Sender } from './webhooks/sender.ts';

/** Where the REST API is, as on GitHub Enterprise Server. */
export const apiRoot = '/api/v3';

export interface AppIdentity {
  readonly id: number;
  readonly slug: string;
  /** PEM (SPKI) of the key that the App's JSON web tokens are verified with. */
  readonly publicKey: string;
}

export interface Hub {
  readonly store: Store;
  readonly app: AppIdentity;
  readonly deliveries: DeliveryLog;
  readonly sender: Sender;
  /** `http://127.0.0.1:PORT`, where the pages are. */
  readonly web: string;
  /** `…/api/v3` */
  readonly api: string;
  /** What the addresses of private archives are signed with, as long as this process lives. */
  readonly archiveKey: Buffer;
  now(): string;
  /** Hears of everything that happens, as another App that is installed everywhere would. */
  readonly onEvent?: (event: GitHubEvent) => void;
}

export interface GitHubEvent {
  /** Such as `push`. */
  readonly event: string;
  /** As in a webhook, without what is about the installation. */
  readonly payload: Readonly<Record<string, unknown>>;
}

export function gitOf(hub: Pick<Hub, 'store'>, repository: Repository): GitRepository {
  // By id: names are other people's text and never become paths.
  return new GitRepository(join(hub.store.directory, 'git', `${repository.id}.git`));
}

export function currentInstant(): string {
  return instant(new Date());
}

/** The account that an App's installations act as. */
export function botOf(hub: Pick<Hub, 'store' | 'app'>): Account {
  const bot = hub.store.accountNamed(`${hub.app.slug}[bot]`);
  if (bot === undefined) throw new Error('the App has no bot account');
  return bot;
}

export function installationOf(hub: Hub, repository: Repository): Installation | undefined {
  return hub.store.state.installations.find((one) => one.accountId === repository.ownerId);
}
