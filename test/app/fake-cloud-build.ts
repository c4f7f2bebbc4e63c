/** Cloud Build's triggers in memory, and the builds that a test says they have started. */
import { CloudError } from '../../shared/errors.ts';
import type { BuildLogs, TriggerPorts } from '../../shared/ports.ts';
import type { BuildTrigger, TriggerRunSource } from '../../shared/triggers/build-trigger.ts';
import type { TriggeredBuild } from '../../shared/triggers/report-build.ts';

/** `before`: nothing happens; `after`: it happens, but the answer is lost. */
interface Fault {
  readonly operation: string;
  readonly when: 'before' | 'after' | 'refused';
}

export class FakeCloudBuild {
  readonly triggers: (BuildTrigger & { id: string })[] = [];
  readonly builds: TriggeredBuild[] = [];
  readonly runs: { readonly id: string; readonly source: TriggerRunSource }[] = [];
  /** What was asked for, in order. */
  readonly calls: string[] = [];
  readonly faults: Fault[] = [];
  logs: Record<string, string> = {};
  private next = 1;

  /** In `global`. */
  add(trigger: BuildTrigger): void {
    this.triggers.push({ ...trigger, id: `trigger-${this.next++}` });
  }

  ports(otherLogs: BuildLogs): TriggerPorts {
    return {
      triggers: {
        list: ({ region }) =>
          this.does('list', () => (region === 'global' ? copy(this.triggers) : [])),
        get: ({ id }) => this.does('get', () => copy(this.find(id))),
        create: ({ trigger }) =>
          this.does('create', () => {
            if (this.triggers.some(({ name }) => name === trigger.name)) throw refused(409);
            this.add(copy(trigger));
            return copy(this.find(trigger.name ?? ''));
          }),
        update: ({ id, trigger, updateMask }) =>
          this.does(`update ${updateMask.join(',')}`, () => {
            const found = this.find(id);
            const others = Object.entries(found).filter(([field]) => !updateMask.includes(field));
            const set = updateMask.map((field) => [field, trigger[field]]);
            const next = copy(Object.fromEntries([...others, ...set])) as typeof found;
            this.triggers[this.triggers.indexOf(found)] = next;
            return copy(this.find(id));
          }),
        remove: ({ id }) =>
          this.does('remove', () => {
            this.triggers.splice(this.triggers.indexOf(this.find(id)), 1);
          }),
        run: ({ id, source }) =>
          this.does('run', () => {
            this.runs.push({ id, source });
            const buildId = `build-${this.runs.length}`;
            this.builds.push(buildOf({ id: buildId, triggerId: id }));
            return { buildId };
          }),
      },
      triggeredBuilds: {
        list: ({ triggerIds }) =>
          this.does('builds', () =>
            copy(this.builds.filter(({ triggerId }) => triggerIds.includes(triggerId))),
          ),
      },
      connections: { findRepository: () => this.does('connections', () => undefined) },
      buildLogs: {
        read: async (where) => {
          const text = this.logs[where.buildId];
          if (text === undefined) return otherLogs.read(where);
          return { text: text.slice(where.offset), nextOffset: text.length };
        },
      },
    };
  }

  private async does<T>(call: string, act: () => T): Promise<T> {
    this.calls.push(call);
    const [operation] = call.split(' ');
    const at = this.faults.findIndex((fault) => fault.operation === operation);
    const fault = at < 0 ? undefined : this.faults.splice(at, 1)[0];
    if (fault?.when === 'before') throw lost();
    if (fault?.when === 'refused') throw refused(400);
    const result = act();
    if (fault?.when === 'after') throw lost();
    return Promise.resolve(result);
  }

  private find(id: string): BuildTrigger & { id: string } {
    const found = this.triggers.find((one) => one.id === id || one.name === id);
    if (found === undefined) throw refused(404);
    return found;
  }
}

export function buildOf(changes: Partial<TriggeredBuild>): TriggeredBuild {
  return {
    ...{ id: 'build-1', project: 'demo-project', region: 'global', triggerId: 'trigger-1' },
    ...{ status: 'working', images: [], usesSecrets: false, awaitsApproval: false },
    ...{ commitSha: 'c'.repeat(40), createTime: new Date().toISOString() },
    ...changes,
  };
}

/** As over the wire: what is kept here is nobody else's. */
function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function lost(): CloudError {
  const failure = { status: 0, retryable: true, ambiguous: true };
  return new CloudError('triggers.create', 'no answer', failure);
}

function refused(status: number): CloudError {
  const failure = { status, retryable: false, ambiguous: false };
  return new CloudError('triggers.create', 'Cloud Build says no to <b>@olivia</b>', failure);
}
