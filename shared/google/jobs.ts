/** The `Jobs` port over Vertex AI's v1 JobService: JobRequests in, JobSnapshots out. */
import type { JobServiceClient } from '@google-cloud/aiplatform/build/src/v1/job_service_client.js';
import type { CustomJobSpec } from '../config/job-spec.ts';
import type { JobRequest, Jobs, OpenResources } from '../ports.ts';
import { isJobOver, type JobSnapshot } from '../watch/run.ts';
import { isRefusal } from './builds.ts';
import { fromJob } from './from-wire.ts';
import { itemsOf } from './pages.ts';
import { callOptions, pageOptions, type Sender } from './requests.ts';
import * as names from './resource-names.ts';
import { toWireDuration } from './wire-duration.ts';

type CreateJob = Exclude<Parameters<JobServiceClient['createCustomJob']>[0], undefined>;
type WireSpec = NonNullable<NonNullable<CreateJob['customJob']>['jobSpec']>;

/** More jobs than one run can ever have; a label that matches more is not one of ours. */
const maxFound = 100;

/** What a job is in before it is over; a filter without states would bring all that ever ran. */
const openStates = ['QUEUED', 'PENDING', 'RUNNING', 'CANCELLING', 'PAUSED', 'UPDATING'] as const;
const openPageSize = 100;
/** 20,000 at once; more than that is no answer to believe. */
const maxOpenPages = 200;

/** Labels are the launcher's; see `ownerLabel` in launch/requests.ts. */
export function createOpenJobs(
  client: (region: string) => Promise<JobServiceClient>,
  sender: Sender,
): OpenResources<JobSnapshot> {
  return {
    list: async ({ owner, ...where }) => {
      const parent = names.locationName(where);
      const { key, value } = names.label('trainyard-owner', owner);
      const states = openStates.map((state) => `state="JOB_STATE_${state}"`).join(' OR ');
      const request = {
        parent,
        filter: `labels.${key}=${value} AND (${states})`,
        pageSize: openPageSize,
      };
      const jobs = await client(where.region);
      const found = itemsOf(maxOpenPages, async (pageToken) => {
        const [items, , { nextPageToken }] = await sender.read('customJobs.list', () =>
          jobs.listCustomJobs({ ...request, pageToken }, pageOptions),
        );
        return { items, nextPageToken };
      });
      return (await Array.fromAsync(found, fromJob)).filter(({ labels }) => labels[key] === value);
    },
  };
}

/** @param client makes the client of a region, which is also its host. */
export function createJobs(
  client: (region: string) => Promise<JobServiceClient>,
  sender: Sender,
): Jobs {
  const get = async (name: string): Promise<JobSnapshot> => {
    const jobs = await client(names.parseResourceName(name, 'customJobs').region);
    const [job] = await sender.read('customJobs.get', () =>
      jobs.getCustomJob({ name }, callOptions),
    );
    return fromJob(job);
  };
  return {
    get,
    create: async (request) => {
      const body = toCreateJob(request);
      const jobs = await client(request.region);
      const [job] = await sender.write('customJobs.create', () =>
        jobs.createCustomJob(body, callOptions),
      );
      return fromJob(job);
    },
    findByLabel: async (where) => {
      const parent = names.locationName(where);
      const { key, value } = names.label(where.key, where.value);
      const jobs = await client(where.region);
      const found = await sender.read('customJobs.list', async () => {
        const page: JobSnapshot[] = [];
        const request = { parent, filter: `labels.${key}=${value}` };
        for await (const job of jobs.listCustomJobsAsync(request, pageOptions)) {
          page.push(fromJob(job));
          if (page.length >= maxFound) break;
        }
        return page;
      });
      return found
        .filter(({ labels }) => labels[key] === value)
        .sort((a, b) => ((a.createTime ?? '') > (b.createTime ?? '') ? -1 : 1));
    },
    cancel: async (name) => {
      const jobs = await client(names.parseResourceName(name, 'customJobs').region);
      try {
        await sender.write('customJobs.cancel', () => jobs.cancelCustomJob({ name }, callOptions));
      } catch (error) {
        // Refused because there is nothing left to cancel: that is what the caller wanted.
        if (!isRefusal(error) || !isJobOver((await get(name)).state)) throw error;
      }
    },
  };
}

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.customJobs/create */
function toCreateJob(request: JobRequest): CreateJob {
  return {
    parent: names.locationName(request),
    customJob: {
      displayName: request.displayName,
      labels: { ...request.labels },
      jobSpec: toWireSpec(request.spec),
    },
  };
}

/**
 * REST's JSON and the client library's objects differ in one thing that a CustomJobSpec can hold: durations
 * (`3600s` against `{seconds}`). Enum names and int64 texts are the same in both; a test walks the proto
 * to prove that there is nothing else.
 */
function toWireSpec(spec: CustomJobSpec): WireSpec {
  const durations = Object.entries(spec.scheduling ?? {})
    .filter(([key]) => durationFields.has(key))
    .map(([key, value]) => [key, toWireDuration(value)] as const);
  const wire: unknown = {
    ...spec,
    ...(spec.scheduling && {
      scheduling: { ...spec.scheduling, ...Object.fromEntries(durations) },
    }),
  };
  // Fields that we do not name are carried through; the config's schema has checked them.
  return wire as WireSpec;
}

/** The fields of Scheduling that are durations. @internal */
export const durationFields: ReadonlySet<string> = new Set(['timeout', 'maxWaitDuration']);
