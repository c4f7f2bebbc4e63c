/** The last mile: what leaves this machine for a build config is what leaves it when gcloud sends it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { buildSchema } from '../../../shared/config/build-schema.ts';
import { parseBuildConfig } from '../../../shared/config/parse-build-config.ts';
import { googlePorts, type GooglePorts } from '../../../shared/google/index.ts';
import { toBuildRequest } from '../../../shared/launch/requests.ts';
import type { BuildPlan } from '../../../shared/plan/plan.ts';
import { startLocalService, type LocalService } from '../google/local-service.ts';
import { plan } from '../world.ts';

const folder = join(import.meta.dirname, 'build-cases');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

let service: LocalService;
let ports: GooglePorts;

beforeAll(async () => {
  service = await startLocalService();
  ports = googlePorts({
    endpoint: service.endpoint,
    clock: { sleep: () => Promise.resolve() },
  });
});
afterAll(() => service.close());

const source = { bucket: 'staging', object: 'o', generation: '7', contentHash: 'f'.repeat(64) };

type Body = Readonly<Record<string, unknown>>;

it.each(readdirSync(folder).filter((name) => name.endsWith('.yaml')))(
  '%s arrives as gcloud sends it, with what is ours beside it',
  async (name) => {
    const given = name === 'mixed-spelling.yaml' ? { _TAG: 'v9' } : {};
    const parsed = parseBuildConfig(read(name), name, { given });
    if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
    const { dockerfile: _, imageName: __, ...place } = plan.build;
    const build: BuildPlan = {
      ...place,
      kind: 'cloudbuild',
      serviceAccount: 'builder@demo-project.iam.gserviceaccount.com',
      file: name,
      config: parsed.value,
      image: { from: 'reported' },
    };
    const metadata = {
      '@type': 'type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata',
      build: { id: 'b1' },
    };
    service.behave(() => ({ json: { name: 'operations/build/demo-project/b1', metadata } }));
    await ports.builds.create(toBuildRequest(plan, build, source));
    const sent = JSON.parse(read(name.replace('.yaml', '.json'))) as Body;
    const body = Buffer.from(service.requests[0]?.body ?? '', 'latin1').toString('utf8');
    expect(canonical('Build', JSON.parse(body) as Body)).toEqual(
      canonical('Build', { ...sent, ...ours(sent) }),
    );
  },
);

/** What a build of ours has beside the file, and only where the file is silent. */
function ours(sent: Body): Body {
  const options = (sent['options'] ?? {}) as Body;
  const logging = options['logging'] ?? 'GCS_ONLY';
  const takesOurs = logging === 'GCS_ONLY' && options['defaultLogsBucketBehavior'] === undefined;
  return {
    source: { storageSource: { bucket: 'staging', object: 'o', generation: '7' } },
    tags: [
      ...((sent['tags'] ?? []) as string[]),
      ...toBuildRequest(plan, plan.build, source).build.tags!.slice(0, -1),
      expect.stringMatching(/^c-[0-9a-f]{40}$/),
    ],
    timeout: sent['timeout'] ?? '600s',
    options: { ...options, logging },
    ...(takesOurs ? { logsBucket: sent['logsBucket'] ?? 'gs://demo-project_cloudbuild' } : {}),
    serviceAccount:
      sent['serviceAccount'] ??
      'projects/demo-project/serviceAccounts/builder@demo-project.iam.gserviceaccount.com',
  };
}

/** Enum numbers for names, texts for numbers, and no empty maps: alike for whoever reads them. */
function canonical(type: string, message: Body): unknown {
  const entries = Object.entries(message)
    .filter(([, value]) => JSON.stringify(value) !== '{}')
    .map(([key, value]): [string, unknown] => {
      const field = buildSchema.fieldsOf(type)?.[key];
      if (field === undefined || field.map === true) return [key, value];
      const inner = (item: unknown): unknown => single(field.type, item);
      return [key, Array.isArray(value) ? value.map(inner) : inner(value)];
    });
  return Object.fromEntries(entries);
}

function single(type: string, value: unknown): unknown {
  if (buildSchema.fieldsOf(type) !== undefined) return canonical(type, value as Body);
  if (type === 'google.protobuf.Duration') return `${Number.parseFloat(String(value))}s`;
  const numbers = buildSchema.valuesOf(type);
  if (numbers !== undefined) return numbers[String(value)] ?? value;
  return /^int/.test(type) ? String(value) : value;
}
