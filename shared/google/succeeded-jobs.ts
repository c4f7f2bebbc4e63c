/** The `SucceededJobs` port over Vertex AI's v1 JobService: labels and a time in, jobs out. */
import type { JobServiceClient } from '@google-cloud/aiplatform/build/src/v1/job_service_client.js';
import type { SucceededJobs } from '../ports.ts';
import { toDescription } from './job-descriptions.ts';
import { itemsOf } from './pages.ts';
import { pageOptions, type Sender } from './requests.ts';
import * as names from './resource-names.ts';

const pageSize = 100;
/** The service promises no order, so all pages are read; what comes after that many is left out. */
const maxPages = 20;

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.customJobs/list (filter) */
export function createSucceededJobs(
  client: (region: string) => Promise<JobServiceClient>,
  sender: Sender,
): SucceededJobs {
  return {
    list: async ({ labels, since, ...where }) => {
      const parent = names.locationName(where);
      const pairs = Object.entries(labels).map((pair) => names.label(...pair));
      const filter = [
        ...pairs.map(({ key, value }) => `labels.${key}=${value}`),
        'state="JOB_STATE_SUCCEEDED"',
        `create_time>="${since.toISOString()}"`,
      ].join(' AND ');
      const jobs = await client(where.region);
      const found = itemsOf(maxPages, async (pageToken) => {
        const request = { parent, filter, pageSize, pageToken };
        const [items, , { nextPageToken }] = await sender.read('customJobs.list', () =>
          jobs.listCustomJobs(request, pageOptions),
        );
        return { items, nextPageToken };
      });
      const all = await Array.fromAsync(found, toDescription);
      return all
        .filter(({ snapshot }) => snapshot.state === 'succeeded')
        .filter(({ snapshot }) => pairs.every(({ key, value }) => snapshot.labels[key] === value));
    },
  };
}
