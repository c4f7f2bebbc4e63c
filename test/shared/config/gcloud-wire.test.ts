/** The last mile: what leaves this machine for a job config is what leaves it when gcloud sends it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { jobSpecSchema } from '../../../shared/config/job-spec-schema.ts';
import { parseJobConfig } from '../../../shared/config/parse-job-config.ts';
import { googlePorts, type GooglePorts } from '../../../shared/google/index.ts';
import { startLocalService, type LocalService } from '../google/local-service.ts';

const folder = join(import.meta.dirname, 'cases');
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

it.each(readdirSync(folder).filter((name) => name.endsWith('.yaml')))(
  '%s arrives as gcloud sends it',
  async (name) => {
    const parsed = parseJobConfig(read(name), name, {});
    if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
    const jobName = 'projects/1/locations/us-central1/customJobs/42';
    service.behave(() => ({ json: { name: jobName, state: 'JOB_STATE_PENDING' } }));
    await ports.jobs.create({
      project: 'demo-project',
      region: 'us-central1',
      displayName: 'demo',
      labels: {},
      spec: parsed.value,
    });
    const body = Buffer.from(service.requests[0]?.body ?? '', 'latin1').toString('utf8');
    const { jobSpec } = JSON.parse(body) as { readonly jobSpec: object };
    const sent = JSON.parse(read(name.replace('.yaml', '.json'))) as object;
    expect(canonical('CustomJobSpec', jobSpec)).toEqual(canonical('CustomJobSpec', sent));
  },
);

/** A message with enum numbers for names, and texts for numbers: alike for whoever reads them. */
function canonical(type: string, message: object): unknown {
  const entries = Object.entries(message).map(([key, value]: [string, unknown]) => {
    const inner = jobSpecSchema.fieldsOf(type)?.[key]?.type ?? '';
    return [key, Array.isArray(value) ? value.map((v) => single(inner, v)) : single(inner, value)];
  });
  return Object.fromEntries(entries);
}

function single(type: string, value: unknown): unknown {
  if (typeof value === 'object' && value !== null) return canonical(type, value);
  if (type === 'google.protobuf.Duration') return `${Number.parseFloat(String(value))}s`;
  const numbers = jobSpecSchema.valuesOf(type);
  if (numbers !== undefined) return numbers[String(value)] ?? value;
  return /^int/.test(type) ? String(value) : value;
}
