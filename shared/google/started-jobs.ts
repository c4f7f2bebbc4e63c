/** The `StartedJobs` port over Vertex AI's v1 JobService: an owner and a time in, all jobs of it since then out. */
import type { JobServiceClient } from '@google-cloud/aiplatform/build/src/v1/job_service_client.js';
import type { StartedJobs } from '../ports.ts';
import { toDescription } from './job-descriptions.ts';
import { itemsOf } from './pages.ts';
import { pageOptions, type Sender } from './requests.ts';
import * as names from './resource-names.ts';

const pageSize = 100;
/** 20,000 at once; more than that is no answer to believe. */
const maxPages = 200;

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.customJobs/list (filter) */
export function createStartedJobs(
  client: (region: string) => Promise<JobServiceClient>,
  sender: Sender,
): StartedJobs {
  return {
    list: async ({ owner, since, ...where }) => {
      const parent = names.locationName(where);
      const { key, value } = names.label('trainyard-owner', owner);
      const filter = `labels.${key}=${value} AND create_time>="${since.toISOString()}"`;
      const jobs = await client(where.region);
      const found = itemsOf(maxPages, async (pageToken) => {
        const request = { parent, filter, pageSize, pageToken };
        const [items, , { nextPageToken }] = await sender.read('customJobs.list', () =>
          jobs.listCustomJobs(request, pageOptions),
        );
        return { items, nextPageToken };
      });
      const all = await Array.fromAsync(found, toDescription);
      return all.filter(({ snapshot }) => snapshot.labels[key] === value);
    },
  };
}
