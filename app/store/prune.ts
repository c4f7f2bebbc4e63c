/** What is of no use any more: comments' texts need not be kept for ever, and tables not grow so. */
import type { Kysely } from 'kysely';
import { forgetOutside } from './outside-spend.ts';
import type { Tables } from './tables.ts';

const dayMs = 86_400_000;
/** GitHub delivers again what is up to three days old; the rest is time to look into what went wrong. */
const deliveryDays = 14;
/** The month, and time to look into the last. */
const spendDays = 100;

/** Takes deliveries out that were done long ago. Receipts of heads stay: they say who pushed what. */
export async function pruneOld(db: Kysely<Tables>, now: Date): Promise<void> {
  const before = new Date(now.getTime() - deliveryDays * dayMs);
  await forgetOutside(db, new Date(now.getTime() - spendDays * dayMs));
  await db.deleteFrom('deliveries').where('processed_at', '<', before).execute();
}
