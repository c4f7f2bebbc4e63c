/** The `LogTails` port over Cloud Logging: a job's id in, its newest lines out, oldest first. */
import type { LoggingServiceV2Client } from '@google-cloud/logging-api/build/src/v2/logging_service_v2_client.js';
import type { LogTails } from '../ports.ts';
import { toLogEntries } from './log-entries.ts';
import { pageOptions, type BeforeLogRead, type Sender } from './requests.ts';
import * as names from './resource-names.ts';

export function createLogTails(
  client: () => Promise<LoggingServiceV2Client>,
  sender: Sender,
  beforeLogRead: BeforeLogRead = () => undefined,
): LogTails {
  return {
    tail: async ({ project, jobId, since, limit }) => {
      const request = {
        resourceNames: [`projects/${names.project(project)}`],
        filter: [
          'resource.type="ml_job"',
          `resource.labels.job_id="${names.resourceId(jobId)}"`,
          // Without a lower bound that is 24 hours ago.
          `timestamp>="${new Date(since).toISOString()}"`,
        ].join(' AND '),
        orderBy: 'timestamp desc',
        pageSize: limit,
      };
      const logging = await client();
      beforeLogRead(project, 'question');
      const [entries] = await sender.read(
        'entries.list',
        () => logging.listLogEntries(request, pageOptions),
        { repeat: false },
      );
      return entries.toReversed().flatMap(toLogEntries);
    },
  };
}
