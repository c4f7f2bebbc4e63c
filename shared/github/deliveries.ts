/** GitHub's own record of the deliveries of the App's webhook, asked for as the App: what did not arrive. */
import { z } from 'zod';
import { CloudError } from '../errors.ts';
import { ask, send, type Octokit } from './client.ts';

const schema = z.array(
  z.object({
    id: z.number(),
    guid: z.string(),
    event: z.string(),
    delivered_at: z.string(),
    status_code: z.number(),
  }),
);

export interface FailedDelivery {
  /** Of the attempt, by which GitHub sends it again. */
  readonly id: number;
  /** The same in every attempt: what `X-GitHub-Delivery` says. */
  readonly guid: string;
  readonly event: string;
}

const pageSize = 100;
/** Deliveries of three busy days: what is not reached now lies deeper at the next look, below what was sent again. */
const maxPages = 100;

/**
 * Deliveries since an instant of which no attempt was taken, newest first.
 * @see https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook
 */
export async function listFailedDeliveries(
  app: Octokit,
  since: Date,
): Promise<readonly FailedDelivery[]> {
  const failed = new Map<string, FailedDelivery>();
  const taken = new Set<string>();
  let cursor: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const parameters = { per_page: pageSize, ...(cursor === undefined ? {} : { cursor }) };
    const request = {
      operation: 'apps.listWebhookDeliveries',
      route: 'GET /app/hook/deliveries',
      parameters,
    };
    const { entries, next } = await readPage(app, request);
    for (const { id, guid, event, status_code: status, delivered_at } of entries) {
      // The page goes on to what is not asked about.
      if (new Date(delivered_at) < since) break;
      if (status >= 200 && status < 300) taken.add(guid);
      else if (!failed.has(guid)) failed.set(guid, { id, guid, event });
    }
    const last = entries.at(-1);
    if (next === undefined || last === undefined || new Date(last.delivered_at) < since) break;
    cursor = next;
  }
  return [...failed.values()].filter(({ guid }) => !taken.has(guid));
}

/** Has it sent again, under the same guid. */
export async function redeliver(app: Octokit, id: number): Promise<void> {
  await send(app, {
    operation: 'apps.redeliverWebhookDelivery',
    route: 'POST /app/hook/deliveries/{delivery_id}/attempts',
    parameters: { delivery_id: id },
  });
}

async function readPage(
  app: Octokit,
  request: Parameters<typeof ask>[1],
): Promise<{ readonly entries: z.infer<typeof schema>; readonly next: string | undefined }> {
  const { data, headers } = await send(app, request);
  const entries = schema.safeParse(data);
  if (!entries.success) {
    throw new CloudError(request.operation, "GitHub's answer is no list of deliveries", {
      status: 200,
      retryable: false,
      ambiguous: false,
      cause: entries.error,
    });
  }
  const link = headers?.['link'];
  const next =
    typeof link === 'string' ? /[?&]cursor=([^&>]+)[^>]*>; rel="next"/.exec(link)?.[1] : undefined;
  return {
    entries: entries.data,
    next: next === undefined ? undefined : decodeURIComponent(next),
  };
}
