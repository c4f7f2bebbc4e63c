/**
 * GitHub sends a webhook before all of its API shows what the webhook tells. What is not shown yet is looked at again
 * some seconds later; what is not shown then was undone meanwhile, or is an old delivery sent again, and nothing is
 * done about it.
 */
import type { Kysely } from 'kysely';
import { CloudError } from '../../shared/errors.ts';
import { getDelivery } from '../store/deliveries.ts';
import type { Tables } from '../store/tables.ts';

/** Seconds apart, see delivery-retries.ts. */
const maxLooks = 3;

/** @throws {CloudError} as long as another look makes sense */
export async function askAgain(db: Kysely<Tables>, deliveryId: string): Promise<void> {
  const { attempts } = await getDelivery(db, deliveryId);
  if (attempts >= maxLooks) return;
  throw new CloudError('github.webhook', 'GitHub does not show what its webhook tells', {
    status: 200,
    retryable: true,
    ambiguous: false,
  });
}
