/**
 * The least of Google Cloud that one run of the Action meets: it takes the source archive, finishes the
 * build at the second look and the job at the third, and keeps what it was asked. The sandbox is the real
 * thing; this one is for what must be controlled to the request.
 */
import { createHash } from 'node:crypto';
import { CRC32C } from '@google-cloud/storage';
import {
  googleError,
  startLocalService,
  type Answer,
  type LocalService,
  type SeenRequest,
} from '../shared/google/local-service.ts';

export interface FakeGoogle extends LocalService {
  /** `METHOD path` of every request so far. */
  readonly asked: () => string[];
}

export interface Behaviour {
  readonly job: 'succeeds' | 'fails' | 'runs on';
  readonly bucketMissing?: boolean;
}

const digest = `sha256:${'ab'.repeat(32)}`;
const buildId = '11111111-2222-3333-4444-555555555555';
const buildName = `projects/demo-project/locations/global/builds/${buildId}`;
const jobName = 'projects/123456789012/locations/us-central1/customJobs/4242';

/** Hostile: looks like workflow commands. */
export const hostileLine = '::error::you have been owned';
export const trainingLines = ['epoch=1 loss=0.5', hostileLine, 'epoch=2 loss=0.25'];

export async function startFakeGoogle(behaviour: Behaviour): Promise<FakeGoogle> {
  const service = await startLocalService();
  const state = new FakeState(service.endpoint, behaviour);
  service.behave((request) => state.answer(request));
  const asked = (): string[] => service.requests.map(({ method, path }) => `${method} ${path}`);
  return { ...service, asked };
}

class FakeState {
  readonly #endpoint: string;
  readonly #behaviour: Behaviour;
  #images: readonly string[] = [];
  #buildLooks = 0;
  #jobLooks = 0;
  #cancelled = false;

  constructor(endpoint: string, behaviour: Behaviour) {
    this.#endpoint = endpoint;
    this.#behaviour = behaviour;
  }

  answer(request: SeenRequest): Answer | undefined {
    const { method, path } = request;
    if (path.startsWith('/upload/')) return this.#startUpload(request);
    if (path === '/session') return uploaded(request);
    if (path.endsWith('/builds') && method === 'POST') return this.#createBuild(request);
    if (path === `/v1/${buildName}`) return { json: this.#build(++this.#buildLooks > 1) };
    if (path.includes('/log-'))
      return { body: request.headers['range'] === 'bytes=0-4194303' ? 'Step 1\nDONE\n' : '' };
    if (path.endsWith('/customJobs') && method === 'POST') return { json: this.#job() };
    if (path === `/v1/${jobName}:cancel`) {
      this.#cancelled = true;
      return { json: {} };
    }
    if (path === `/v1/${jobName}`) {
      this.#jobLooks += 1;
      return { json: this.#job() };
    }
    if (path === '/v2/entries:list') return { json: { entries: this.#entries() } };
    if (path.includes('/storage/v1/b/') && path.endsWith('/o')) return { json: { items: [] } };
    return undefined;
  }

  #startUpload({ query }: SeenRequest): Answer {
    if (this.#behaviour.bucketMissing === true) {
      return googleError(404, 'notFound', 'The specified bucket does not exist.');
    }
    const location = `${this.#endpoint}/session?name=${encodeURIComponent(query.get('name') ?? '')}`;
    return { headers: { location } };
  }

  #createBuild({ body }: SeenRequest): Answer {
    this.#images = (JSON.parse(body) as { images: string[] }).images;
    const type = 'type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata';
    return {
      json: { name: 'operations/x', metadata: { '@type': type, build: this.#build(false) } },
    };
  }

  #build(over: boolean): unknown {
    return {
      name: buildName,
      id: buildId,
      status: over ? 'SUCCESS' : 'WORKING',
      createTime: new Date().toISOString(),
      logsBucket: 'gs://demo-project_cloudbuild',
      ...(over ? { results: { images: this.#images.map((name) => ({ name, digest })) } } : {}),
    };
  }

  #job(): unknown {
    const over = this.#cancelled || (this.#jobLooks > 2 && this.#behaviour.job !== 'runs on');
    const failed = this.#behaviour.job === 'fails';
    const end = failed ? 'JOB_STATE_FAILED' : 'JOB_STATE_SUCCEEDED';
    const error = {
      code: 3,
      message: 'The replica workerpool0-0 exited with a non-zero status of 3.',
    };
    const now = new Date().toISOString();
    return {
      name: jobName,
      state: !over ? 'JOB_STATE_RUNNING' : this.#cancelled ? 'JOB_STATE_CANCELLED' : end,
      createTime: now,
      startTime: now,
      ...(over ? { endTime: new Date(Date.now() - 10_000).toISOString() } : {}),
      ...(over && failed && !this.#cancelled ? { error } : {}),
    };
  }

  #entries(): unknown[] {
    const timestamp = new Date().toISOString();
    return trainingLines.map((textPayload, i) => ({
      insertId: `line-${i}`,
      timestamp,
      textPayload,
    }));
  }
}

function uploaded({ query, body }: SeenRequest): Answer {
  const bytes = Buffer.from(body, 'latin1');
  const crc32c = new CRC32C();
  crc32c.update(bytes);
  return {
    json: {
      name: query.get('name'),
      generation: '1',
      size: String(bytes.length),
      md5Hash: createHash('md5').update(bytes).digest('base64'),
      crc32c: crc32c.toString(),
    },
  };
}
