/** What is of no use any more: comments' texts need not be kept for ever, and tables not grow so. */
import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

const dayMs = 86_400_000;
/** GitHub delivers again what is up to three days old; the rest is time to look into what went wrong. */
const deliveryDays = 14;
/** A pull request that nobody pushed to for that long is taken as it is. */
const headDays = 90;

/** Takes deliveries that are done and receipts of heads out when they are old. The audit trail stays. */
export async function pruneOld(db: Kysely<Tables>, now: Date): Promise<void> {
  const daysAgo = (days: number): Date => new Date(now.getTime() - days * dayMs);
  await db.deleteFrom('deliveries').where('processed_at', '<', daysAgo(deliveryDays)).execute();
  await db.deleteFrom('heads').where('received_at', '<', daysAgo(headDays)).execute();
}
