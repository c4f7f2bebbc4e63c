/** The `SucceededJobs` port over Vertex AI's v1 JobService: labels and a time in, jobs out. */
import type { JobServiceClient } from '@google-cloud/aiplatform/build/src/v1/job_service_client.js';
import type { SucceededJobs } from '../ports.ts';
import { describedJobs } from './job-pages.ts';
import type { Sender } from './requests.ts';
import * as names from './resource-names.ts';

/** The service promises no order, so all pages are read; what comes after that many is left out. */
const maxPages = 20;

export function createSucceededJobs(
  client: (region: string) => Promise<JobServiceClient>,
  sender: Sender,
): SucceededJobs {
  return {
    list: async ({ labels, since, ...where }) => {
      const pairs = Object.entries(labels).map((pair) => names.label(...pair));
      const filter = [
        ...pairs.map(({ key, value }) => `labels.${key}=${value}`),
        'state="JOB_STATE_SUCCEEDED"',
        `create_time>="${since.toISOString()}"`,
      ];
      const jobs = await describedJobs(client, sender, { ...where, filter, maxPages });
      return jobs
        .filter(({ snapshot }) => snapshot.state === 'succeeded')
        .filter(({ snapshot }) => pairs.every(({ key, value }) => snapshot.labels[key] === value));
    },
  };
}
