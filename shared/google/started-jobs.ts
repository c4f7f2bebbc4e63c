/** The `StartedJobs` port over Vertex AI's v1 JobService: an owner and a time in, all jobs of it since then out. */
import type { JobServiceClient } from '@google-cloud/aiplatform/build/src/v1/job_service_client.js';
import type { StartedJobs } from '../ports.ts';
import { describedJobs } from './job-pages.ts';
import type { Sender } from './requests.ts';
import * as names from './resource-names.ts';

/** 20,000 at once; more than that is no answer to believe. */
const maxPages = 200;

export function createStartedJobs(
  client: (region: string) => Promise<JobServiceClient>,
  sender: Sender,
): StartedJobs {
  return {
    list: async ({ owner, since, ...where }) => {
      const { key, value } = names.label('trainyard-owner', owner);
      const filter = [`labels.${key}=${value}`, `create_time>="${since.toISOString()}"`];
      const jobs = await describedJobs(client, sender, { ...where, filter, maxPages });
      return jobs.filter(({ snapshot }) => snapshot.labels[key] === value);
    },
  };
}
