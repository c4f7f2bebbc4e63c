/** What is left of the client packages' protos after pruning must still be all that we send and read. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { durationFields as buildDurations } from '../../shared/google/builds.ts';
import { durationFields } from '../../shared/google/jobs.ts';
import { calledMethods, pruneProtos } from '../../scripts/prune-protos.mjs';

interface Node {
  readonly nested?: Readonly<Record<string, Node>>;
  readonly fields?: Readonly<
    Record<string, { readonly type: string; readonly options?: Readonly<Record<string, unknown>> }>
  >;
  readonly values?: Readonly<Record<string, number>>;
  readonly methods?: Readonly<Record<string, unknown>>;
}

const root = join(import.meta.dirname, '../..');
const packages = Object.entries(calledMethods);

function protosOf(name: string): Node {
  const file = join(root, 'node_modules', name, 'build/protos/protos.json');
  return JSON.parse(readFileSync(file, 'utf8')) as Node;
}

function find(all: Node, name: string): Node | undefined {
  return name.split('.').reduce<Node | undefined>((node, part) => node?.nested?.[part], all);
}

/** Every type that a message reaches, by full name. */
function reachable(all: Node, start: string): Map<string, Node> {
  const found = new Map<string, Node>();
  const queue = [start];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const node = find(all, name);
    if (found.has(name) || node === undefined) continue;
    found.set(name, node);
    for (const { type } of Object.values(node.fields ?? {})) {
      const scopes = name.split('.').map((_part, i, parts) => parts.slice(0, parts.length - i));
      const candidates = [...scopes.map((scope) => [...scope, type].join('.')), type];
      const resolved = candidates.find((candidate) => find(all, candidate) !== undefined);
      if (resolved !== undefined) queue.push(resolved);
    }
  }
  return found;
}

describe('the pruned protos', () => {
  it.each(packages)('%s: calls are exactly the methods that are kept', (name, { methods }) => {
    const directory = join(root, 'shared/google');
    const sources = readdirSync(directory).map((file) =>
      readFileSync(join(directory, file), 'utf8'),
    );
    const users = sources.filter((text) => text.includes(`'${name}/`)).join('\n');
    const calls = [...users.matchAll(/\.([a-z][A-Za-z]+?)(?:Async)?\(\s*(?:body|request|\{)/g)]
      .map((match) => match[1]!.replace(/^./, (first) => first.toUpperCase()))
      .filter((call) => find(protosOf(name), calledMethods[name]!.service)?.methods?.[call]);
    expect([...new Set(calls)].sort()).toEqual([...methods].sort());
  });

  it.each(packages)('%s: whatever a kept method reaches is complete', (name, called) => {
    const all = protosOf(name);
    const pruned = pruneProtos(all, called) as Node;
    const service = find(all, called.service) as {
      methods: Record<string, { requestType: string; responseType: string }>;
    };
    const scope = called.service.split('.').slice(0, -1).join('.');
    for (const method of called.methods) {
      const { requestType, responseType } = service.methods[method]!;
      for (const type of [requestType, responseType]) {
        const start = type.includes('.') ? type : `${scope}.${type}`;
        for (const [reached, node] of reachable(all, start)) {
          const kept = find(pruned, reached);
          expect([reached, kept?.fields ?? kept?.values]).toEqual([
            reached,
            node.fields ?? node.values,
          ]);
        }
      }
    }
    expect(JSON.stringify(pruned).length).toBeLessThan(60_000);
  });

  it('fails on a method that the package does not have', () => {
    const [name, called] = packages[0]!;
    expect(() => pruneProtos(protosOf(name), { ...called, methods: ['Fly'] })).toThrow('Fly');
  });
});

/** The fields of a request that are not the same in REST's JSON and in the client library. */
function specialFields(client: string, message: string): string[] {
  return [...reachable(protosOf(client), message)].flatMap(([type, { fields }]) =>
    Object.entries(fields ?? {})
      .filter(([, field]) => /^google\.protobuf\.[^.]+$/.test(field.type))
      .filter(([, { options }]) => options?.['(google.api.field_behavior)'] !== 'OUTPUT_ONLY')
      .map(([field, { type: fieldType }]) => `${type.split('.').at(-1)!}.${field}: ${fieldType}`),
  );
}

describe('what a person writes', () => {
  it('of a CustomJobSpec differs between REST and the client library in its durations only', () => {
    const message = 'google.cloud.aiplatform.v1.CustomJobSpec';
    const durations = [...durationFields].map(
      (field) => `Scheduling.${field}: google.protobuf.Duration`,
    );
    expect(specialFields('@google-cloud/aiplatform', message).sort()).toEqual(durations.sort());
  });

  it('of a Build differs in the durations of it and its steps only', () => {
    const message = 'google.devtools.cloudbuild.v1.Build';
    // What comes back only is in these: a TimeSpan, and an approval.
    const sent = specialFields('@google-cloud/cloudbuild', message).filter(
      (field) => !/^(?:TimeSpan|ApprovalResult)\./.test(field),
    );
    expect(sent.sort()).toEqual(
      ['Build.queueTtl', 'Build.timeout', 'BuildStep.timeout'].map(
        (field) => `${field}: google.protobuf.Duration`,
      ),
    );
    expect([...buildDurations].sort()).toEqual(['queueTtl', 'timeout']);
  });
});
