/** Fires triggers: GitHub's events in, in their order; the builds of all triggers that they match out. */
import type { Documents } from '../state/documents.ts';
import { ApiError } from '../wire/api-error.ts';
import { objectAt, textAt } from '../wire/json.ts';
import { isConnectedByApp } from './connections.ts';
import { recordFailedBuild } from './create-build.ts';
import { readEvent, type RepositoryChange, type RepositoryEvent } from './repository-events.ts';
import {
  builtIns,
  described,
  sourceOf,
  startBuild,
  type TriggerBuildPorts,
  type TriggerSource,
} from './trigger-build.ts';
import { fires } from './trigger-match.ts';
import { byAge, type TriggerRecord } from './trigger-record.ts';

interface TriggerEventPorts extends TriggerBuildPorts {
  readonly triggers: Documents<TriggerRecord>;
}

export class TriggerEvents {
  readonly #ports: TriggerEventPorts;
  #handled: Promise<void> = Promise.resolve();
  #isClosing = false;

  constructor(ports: TriggerEventPorts) {
    this.#ports = ports;
  }

  /** Returns at once; events are handled one after the other. */
  receive(event: RepositoryEvent): void {
    this.#handled = this.#handled.then(async () => {
      if (this.#isClosing) return;
      await this.#handle(event).catch((error: unknown) => {
        process.stderr.write(`sandbox/google: ${event.event} fired nothing: ${String(error)}\n`);
      });
    });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#handled;
  }

  async #handle(event: RepositoryEvent): Promise<void> {
    const happened = await readEvent(this.#ports.sources, event);
    if (happened === undefined) return;
    for (const record of this.#ports.triggers.values().sort(byAge)) {
      const source = this.#sourceOf(record);
      if (source === undefined || !isSame(source, happened)) continue;
      if (fires(record.trigger, happened.change)) await this.#fire(record, source, happened);
    }
  }

  /** Undefined for manual triggers, and for those whose repository is not connected any more. */
  #sourceOf(record: TriggerRecord): TriggerSource | undefined {
    const { trigger, location } = record;
    const github = objectAt(trigger, 'github');
    const name = { owner: textAt(github, 'owner'), name: textAt(github, 'name') };
    if (trigger['github'] === undefined && trigger['repositoryEventConfig'] === undefined) {
      return undefined;
    }
    if (
      trigger['github'] !== undefined &&
      !isConnectedByApp(this.#ports.connections, name, location)
    ) {
      return undefined;
    }
    try {
      return sourceOf(this.#ports, record);
    } catch (error) {
      if (error instanceof ApiError) return undefined;
      throw error;
    }
  }

  async #fire(
    record: TriggerRecord,
    source: TriggerSource,
    { revision }: RepositoryChange,
  ): Promise<void> {
    const from = { source, revision };
    try {
      await startBuild(this.#ports, record, from);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // Nobody waits for an answer: what went wrong stands in the history of builds.
      const { id, location, trigger } = record;
      const account = textAt(trigger, 'serviceAccount');
      const path = textAt(trigger, 'filename') || undefined;
      const build = {
        ...described(record, from),
        substitutions: builtIns(record, revision, { path, account }),
      };
      await recordFailedBuild(this.#ports.builds, location, build, id, error);
    }
  }
}

function isSame({ repository }: TriggerSource, { revision }: RepositoryChange): boolean {
  const { owner, name } = revision.repository;
  return repository.owner === owner && repository.name === name;
}
