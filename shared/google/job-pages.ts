/** All jobs of a place that a filter lets through, page by page. */
import type { JobServiceClient } from '@google-cloud/aiplatform/build/src/v1/job_service_client.js';
import type { JobDescription } from '../ports.ts';
import { toDescription } from './job-descriptions.ts';
import { itemsOf } from './pages.ts';
import { pageOptions, type Sender } from './requests.ts';
import * as names from './resource-names.ts';

const pageSize = 100;

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.customJobs/list (filter) */
export async function describedJobs(
  client: (region: string) => Promise<JobServiceClient>,
  sender: Sender,
  query: {
    readonly project: string;
    readonly region: string;
    readonly filter: readonly string[];
    readonly maxPages: number;
  },
): Promise<readonly JobDescription[]> {
  const parent = names.locationName(query);
  const filter = query.filter.join(' AND ');
  const jobs = await client(query.region);
  const found = itemsOf(query.maxPages, async (pageToken) => {
    const request = { parent, filter, pageSize, pageToken };
    const [items, , { nextPageToken }] = await sender.read('customJobs.list', () =>
      jobs.listCustomJobs(request, pageOptions),
    );
    return { items, nextPageToken };
  });
  return Array.fromAsync(found, toDescription);
}
