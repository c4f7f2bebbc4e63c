/**
 * `pull_request` deliveries are our receipts of where a head was, and when. They are read on arrival and
 * stored with the delivery: a comment that is handled a moment later must find them.
 */
import { z } from 'zod';
import { githubId } from '../../shared/config/policy-rules.ts';
import type { HeadReceipt } from '../store/deliveries.ts';

const schema = z.object({
  action: z.enum(['opened', 'reopened', 'synchronize']),
  number: z.int().positive(),
  pull_request: z.object({
    head: z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) }),
    created_at: z.iso.datetime({ offset: true }),
    updated_at: z.iso.datetime({ offset: true }),
  }),
  repository: z.object({ id: githubId }),
  sender: z.object({ id: githubId, type: z.string() }).optional(),
});

/** Undefined for actions that do not say anything about the head. */
export function headReceiptOf(payload: unknown): HeadReceipt | undefined {
  const parsed = schema.safeParse(payload);
  if (!parsed.success) return undefined;
  const { action, number, pull_request: pull, repository, sender } = parsed.data;
  return {
    repositoryId: repository.id,
    pullNumber: number,
    sha: pull.head.sha,
    happenedAt: new Date(action === 'opened' ? pull.created_at : pull.updated_at),
    // Who reopens has pushed nothing.
    ...(sender === undefined || action === 'reopened'
      ? {}
      : { pusher: { id: sender.id, isBot: sender.type !== 'User' } }),
  };
}
