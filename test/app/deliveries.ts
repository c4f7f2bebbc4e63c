/** Webhook deliveries as GitHub sends them. */
import { createHmac, randomUUID } from 'node:crypto';
import { head, repositoryId, type FakeCheck, type FakeComment } from './fake-github.ts';

export const secret = 'it is a secret, really';

export interface DeliveryOptions {
  readonly event?: string;
  readonly id?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function headersOf(body: string | Buffer, options: DeliveryOptions = {}) {
  return {
    'content-type': 'application/json',
    'x-github-event': options.event ?? 'issue_comment',
    'x-github-delivery': options.id ?? randomUUID(),
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    ...options.headers,
  };
}

/** @returns the status of the answer */
export async function deliver(
  url: string,
  payload: unknown,
  options: DeliveryOptions = {},
): Promise<number> {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const response = await fetch(`${url}/webhooks/github`, {
    method: 'POST',
    headers: headersOf(body, options),
    body,
  });
  await response.text();
  return response.status;
}

export const repositoryOfDeliveries = {
  id: repositoryId,
  name: 'digits',
  full_name: 'acme/digits',
  owner: { login: 'acme' },
};

export function commentCreated(comment: FakeComment, changes: Record<string, unknown> = {}) {
  return {
    action: 'created',
    issue: { number: 1, pull_request: {} },
    comment,
    repository: repositoryOfDeliveries,
    installation: { id: 31 },
    sender: comment.user,
    ...changes,
  };
}

/** Somebody clicks on a check: one of its buttons, or Re-run. */
export function checkClicked(
  check: FakeCheck,
  sender: { readonly id: number; readonly login: string; readonly type?: string },
  identifier?: string,
) {
  return {
    action: identifier === undefined ? 'rerequested' : 'requested_action',
    check_run: check,
    ...(identifier === undefined ? {} : { requested_action: { identifier } }),
    repository: repositoryOfDeliveries,
    installation: { id: 31 },
    sender: { type: 'User', ...sender },
  };
}

/** Somebody pushes to the default branch. */
export function pushedToMain(
  after: string,
  sender: { readonly id: number; readonly login: string; readonly type?: string },
  changes: Record<string, unknown> = {},
) {
  return {
    ...{ ref: 'refs/heads/main', after, deleted: false },
    head_commit: { message: 'Tune the learning rate' },
    repository: { ...repositoryOfDeliveries, default_branch: 'main' },
    installation: { id: 31 },
    sender: { type: 'User', ...sender },
    ...changes,
  };
}

export function pullSynchronized(at: Date, sha = head) {
  const instant = `${at.toISOString().slice(0, 19)}Z`;
  return {
    action: 'synchronize',
    number: 1,
    pull_request: {
      ...{ number: 1, head: { sha }, base: { ref: 'main' } },
      ...{ created_at: instant, updated_at: instant },
    },
    repository: repositoryOfDeliveries,
    installation: { id: 31 },
  };
}
