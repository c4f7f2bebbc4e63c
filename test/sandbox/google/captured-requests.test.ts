/**
 * What gcloud has been seen to send, against the sandbox: each command's requests in order, and what
 * production answers to each. See gcloud-requests/README.md for where they come from.
 */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { octo } from './fake-sources.ts';
import { jobOf, parent, startWorld, type Answer, type World } from './world.ts';

interface CapturedRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
}
type Captured = Readonly<
  Record<string, { readonly command: string; readonly requests: readonly CapturedRequest[] }>
>;

type Resource =
  | 'staging bucket'
  | 'demo bucket'
  | 'source bucket'
  | 'job'
  | 'build'
  | 'repository'
  | 'trigger'
  | 'regional trigger';
interface Expected {
  /** What exists before. */
  readonly given?: readonly Resource[];
  /** The status of each answer. */
  readonly answers: readonly number[];
  /** In the message of the last answer, an error; for those that the front end finds, its words. */
  readonly refusal?: RegExp;
}

const created: Expected = { answers: [200] };
const refused = (refusal: RegExp): Expected => ({ answers: [400], refusal });
const unknownName = (name: string, path: string): Expected =>
  refused(
    new RegExp(
      `Invalid JSON payload received\\. Unknown name "${name}" at '${path.replace(/[[\]]/g, '\\$&')}': Cannot find field\\.`,
    ),
  );

const customJobs: Readonly<Record<string, Expected>> = {
  '10-config-cpu-camel': created,
  // Proto3 JSON knows both spellings.
  '11-config-snake': created,
  '12-config-gpu-t4': created,
  '14-config-mapping': created,
  '14b-config-mapping-snake': refused(/Invalid value at 'custom_job.job_spec.worker_pool_specs'/),
  '18-config-format-json': created,
  '18b-config-format-name': created,
  '18c-config-stdin': created,
  '18d-config-quiet': created,
  '20-flags-cpu': created,
  '21-flags-gpu': created,
  '23-flags-args-command': created,
  '23b-config-plus-args': created,
  '23d-snake-plus-args': created,
  '25-flags-python-package': created,
  '25b-flags-python-package-nouris': refused(
    /Field: job_spec.worker_pool_specs\[0\].python_package_spec.package_uris; Message: Required/,
  ),
  '27b-config-webaccess-true-noflag': created,
  '28-config-and-worker-pool-spec': created,
  '28b-snake-plus-worker-pool-spec': created,
  '28c-flags-args-into-python-pkg': created,
  '29-beta-track': created,
  '30-bad-unknown-top': unknownName('foo', 'custom_job.job_spec'),
  '31-bad-unknown-nested': unknownName(
    'machinType',
    'custom_job.job_spec.worker_pool_specs[0].machine_spec',
  ),
  '32e-replica-zero-negative': refused(/replica count of the first worker pool must be 1/),
  '32f-replica-bool': refused(
    /Invalid value at 'custom_job.job_spec.worker_pool_specs\[0\].replica_count' \(TYPE_INT64\), "True"/,
  ),
  '33b-bad-args-string': created,
  '33d-bad-env-mapping': unknownName(
    'A',
    'custom_job.job_spec.worker_pool_specs[0].container_spec.env[0]',
  ),
  '33i-webaccess-yes': created,
  '35d-no-machinespec': refused(/machine_spec.machine_type; Message: Required/),
  '39c-region-property': created,
  '40-bad-accelerator-config': refused(
    /machine_spec.accelerator_type' \(type.googleapis.com\/google.cloud.aiplatform.v1.AcceleratorType\), "NVIDIA_T4"/,
  ),
  '40c-accel-count-no-type': refused(/Both `accelerator_type` and `accelerator_count`/),
  '42-no-pools': refused(/Field: job_spec.worker_pool_specs; Message: Required/),
  '43b-empty-display-name': refused(/Field: display_name; Message: Required/),
  '50c-bad-strategy': refused(/Invalid value at 'custom_job.job_spec.scheduling.strategy'/),
  // A project that is not ours.
  '55c-describe-region-mismatch': { answers: [403], refusal: /Permission denied/ },
  '60b-err-400-unknown-name': unknownName('foo', 'custom_job.job_spec'),
  '70-describe-id': { given: ['job'], answers: [200] },
  '70b-describe-fullname': { given: ['job'], answers: [200] },
  '70c-describe-value': { given: ['job'], answers: [200] },
  '70d-describe-404': { answers: [404], refusal: /customJobs\/99/ },
  '71-list': { given: ['job'], answers: [200] },
  '71b-list-flags': { given: ['job'], answers: [200] },
  '72-cancel': { given: ['job'], answers: [200] },
};

const builds: Readonly<Record<string, Expected>> = {
  '80-submit-tag-async': { answers: [404, 200, 200, 200] },
  '80b-submit-tag-async-region': { given: ['staging bucket'], answers: [200, 200, 200, 200] },
  '81-submit-tag-stream': { answers: [404, 200, 200, 200, 200] },
  // MUST_MATCH is the default.
  '82-submit-config-subst': {
    answers: [404, 200, 200, 400],
    refusal: /"_EXTRA" is not matched in the template/,
  },
  '83b-submit-plain': { answers: [404, 200, 200, 200] },
  '84-submit-no-source': refused(/if 'build.service_account' is specified, the build must/),
  '84b-submit-gs-source': { given: ['source bucket'], answers: [404, 200, 200, 200] },
  '84c-submit-zip-local': { answers: [404, 200, 200, 200] },
  '84d-submit-git-url': refused(/if 'build.service_account' is specified, the build must/),
  '85e-wrong-type': created,
  '85f-steps-mapping': created,
  '85i-bad-subst-flag': refused(/key in the substitution data "TAG" must match/),
  '85m-json-config': created,
  '86-bucket-other-project': { given: ['staging bucket'], answers: [200, 200] },
  '86b-bucket-403': { answers: [404], refusal: /bucket does not exist/ },
  '87-builds-list': { answers: [200] },
  '87b-builds-list-ongoing': { given: ['build'], answers: [200] },
  '87c-builds-describe': { answers: [404], refusal: /Requested entity was not found/ },
  '87d-builds-log': { given: ['build'], answers: [200] },
  '87e-builds-cancel': { given: ['build'], answers: [200] },
  '89-submit-resumable-260MB': { answers: [404, 200, 200, 308, 200, 200] },
};

const triggers: Readonly<Record<string, Expected>> = {
  '90-trigger-github-push': created,
  '90b-trigger-github-push-region': created,
  '91b-trigger-github-tag': created,
  '92b-trigger-2ndgen-pr': created,
  '93b-trigger-dockerfile': created,
  '93c-trigger-config-file': created,
  // gcloud sends it, the service compiles it.
  '93g-trigger-bad-regex': refused(/error parsing regexp: missing closing \): `\(`/),
  '93h-trigger-manual': created,
  '94-triggers-run': { given: ['trigger'], answers: [200] },
  '95-triggers-list': { given: ['trigger'], answers: [200] },
  '95b-triggers-list-region': { given: ['regional trigger'], answers: [200] },
  '96-triggers-delete': { given: ['trigger'], answers: [200] },
  '96b-triggers-describe': { given: ['regional trigger'], answers: [200] },
};

const storage: Readonly<Record<string, Expected>> = {
  '110-storage-create': created,
  '110d-storage-create-409': {
    given: ['demo bucket'],
    answers: [409],
    refusal: /you already own it/,
  },
  '110e-storage-describe': { given: ['demo bucket'], answers: [200] },
  '110f-storage-describe-404': { answers: [404], refusal: /bucket does not exist/ },
  '110g-storage-list': { given: ['demo bucket'], answers: [200] },
  '111-storage-cp': { given: ['demo bucket'], answers: [404, 200, 200, 204] },
};

const artifacts: Readonly<Record<string, Expected>> = {
  '97-artifacts-create': { answers: [200, 200, 200] },
  '97b-artifacts-create-async': created,
  '97c-artifacts-create-409': {
    given: ['repository'],
    answers: [409],
    refusal: /already exists/,
  },
  '97e-artifacts-describe': { given: ['repository'], answers: [200] },
};

let world: World;
/** What stands in the captured requests for names that the server gives. */
let names: [captured: string, ours: string][];

beforeEach(async () => {
  world = await startWorld({ ...octo, lags: { jobQueuedMs: 60_000, buildQueuedMs: 60_000 } });
  names = [];
});
afterEach(() => world.close());

describe.each([
  ['custom-jobs', customJobs],
  ['builds', builds],
  ['triggers', triggers],
  ['storage', storage],
  ['artifacts', artifacts],
])('gcloud %s', (file, table) => {
  const captured = read(file);

  it('has an answer for every captured command', () => {
    expect(Object.keys(table).sort()).toEqual(Object.keys(captured).sort());
  });

  it.each(Object.entries(table))('%s', async (name, expected) => {
    for (const resource of expected.given ?? []) await give(resource);
    const answers: Answer[] = [];
    for (const request of captured[name]?.requests ?? []) answers.push(await replay(request));
    expect(answers.map(({ status }) => status)).toEqual(expected.answers);
    const last = answers.at(-1)!;
    if (expected.refusal === undefined) return;
    const { error } = last.body as { error: { code: number; message: string; status?: string } };
    expect(error.message).toMatch(expected.refusal);
    expect(error.code).toBe(last.status);
    if (last.status === 400) expect(error.status).toBe('INVALID_ARGUMENT');
    if (!/^Invalid (?:JSON|value)/.test(error.message)) return;
    expect(error).toMatchObject({
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.BadRequest',
          fieldViolations: expect.arrayContaining([
            { field: expect.any(String), description: expect.any(String) },
          ]),
        },
      ],
    });
  });
});

describe('services that the sandbox does not have', () => {
  it.each(Object.entries(read('unserved')))('%s', async (_name, { requests }) => {
    const answer = await replay(requests[0]!);
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({
      error: { code: 404, status: 'NOT_FOUND', message: expect.stringContaining('sandbox') },
    });
  });
});

it('takes every problem of a body into one answer', async () => {
  const answer = await replay(read('custom-jobs')['31-bad-unknown-nested']!.requests[0]!);
  const { error } = answer.body as { error: { details: { fieldViolations: object[] }[] } };
  expect(error.details[0]?.fieldViolations).toHaveLength(6);
});

it('joins a list that is given under both spellings, as the wire does', async () => {
  const request = read('custom-jobs')['28b-snake-plus-worker-pool-spec']!.requests[0]!;
  const { body } = await replay(request);
  expect(body).toMatchObject({
    jobSpec: {
      workerPoolSpecs: [
        { containerSpec: { imageUri: 'gcr.io/flag/image:2' } },
        { containerSpec: { imageUri: 'gcr.io/demo-project/train:1' }, replicaCount: '1' },
      ],
    },
  });
});

function read(file: string): Captured {
  const url = new URL(`./gcloud-requests/${file}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as Captured;
}

async function give(resource: Resource): Promise<void> {
  const bucket = (name: string): Promise<Answer> =>
    world.call('POST', '/storage/v1/b?project=demo-project', { name });
  const answer = await {
    'staging bucket': () => bucket('demo-project_cloudbuild'),
    'demo bucket': () => bucket('demo-bucket'),
    'source bucket': async () => {
      await bucket('bkt');
      return world.call('POST', '/upload/storage/v1/b/bkt/o?uploadType=media&name=src.tgz', 'x');
    },
    job: () => world.call('POST', `/v1/${parent}/customJobs`, jobOf()),
    build: () =>
      world.call('POST', '/v1/projects/demo-project/locations/global/builds', {
        steps: [{ name: 'ubuntu' }],
      }),
    trigger: () => replay(read('triggers')['90-trigger-github-push']!.requests[0]!),
    'regional trigger': () =>
      replay(read('triggers')['90b-trigger-github-push-region']!.requests[0]!),
    repository: () =>
      world.call('POST', `/v1/${parent}/repositories?repositoryId=train`, { format: 'DOCKER' }),
  }[resource]();
  if (answer.status !== 200) throw new Error(`cannot make the ${resource}: ${answer.text}`);
  learn(answer);
}

/** Captured requests name what the capture server had made; the sandbox gives its own names. */
function learn(answer: Answer): void {
  const body = (answer.body ?? {}) as {
    name?: string;
    generation?: string;
    metadata?: { build?: { id: string } };
  };
  const last = body.name?.split('/').at(-1) ?? '';
  const add = (captured: string, ours: string): void => {
    names = [[captured, ours], ...names.filter(([known]) => known !== captured)];
  };
  if (body.name?.includes('/customJobs/')) add('1234567890123456789', last);
  else if (body.name?.includes('/operations/')) add('op-1', last);
  if (body.generation !== undefined) add('1700000000000001', body.generation);
  const build = body.metadata?.build?.id;
  if (build !== undefined) {
    add('b1b1b1b1-0000-4000-8000-000000000001', build);
    add('builds/abc', `builds/${build}`);
  }
  const session = new URL(answer.headers.get('location') ?? 'none:').searchParams.get('upload_id');
  if (session !== null) add('upeb9a9da03e44', session);
}

function rename(text: string): string {
  // `abc` is also how a build of another region is called, which is not there.
  const known = names.filter(
    ([captured]) => captured !== 'builds/abc' || text.includes('/global/'),
  );
  return known.reduce((all, [captured, ours]) => all.replaceAll(captured, ours), text);
}

async function replay(request: CapturedRequest): Promise<Answer> {
  const query = new URLSearchParams(request.query).toString();
  const path = rename(request.path + (query === '' ? '' : `?${query}`));
  const { body, headers } = contentOf(request);
  const answer = await world.call(request.method, path, body, headers);
  learn(answer);
  return answer;
}

const chunk = 256 * 1024;
let sentBytes = 0;

/** Uploads were captured without their content: small ones of the same form stand in. */
function contentOf(request: CapturedRequest): { body: unknown; headers: Record<string, string> } {
  const type = request.contentType;
  if (request.method === 'PUT') {
    const start = sentBytes;
    const isLast = start > 0;
    sentBytes = isLast ? 0 : chunk;
    const length = isLast ? 1_000 : chunk;
    const total = isLast ? String(start + length) : '*';
    const range = `bytes ${start}-${start + length - 1}/${total}`;
    return {
      body: new Uint8Array(length),
      headers: { 'content-type': type ?? '', 'content-range': range },
    };
  }
  if (type === undefined) {
    if (request.body === undefined) return { body: undefined, headers: {} };
    return {
      body: rename(JSON.stringify(request.body)),
      headers: { 'content-type': 'application/json' },
    };
  }
  const boundary = /boundary='(.*)'/.exec(type)?.[1] ?? '';
  const name = request.query?.['name'] ?? 'x/Dockerfile';
  const metadata = JSON.stringify({ name });
  const body = `--${boundary}\nContent-Type: application/json\nMIME-Version: 1.0\n\n${metadata}\n--${boundary}\nContent-Type: application/x-tar\nMIME-Version: 1.0\nContent-Transfer-Encoding: binary\n\ncontent\n--${boundary}--`;
  return { body, headers: { 'content-type': type } };
}
