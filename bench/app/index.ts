/** `npm run bench -- --app`: what the App does in a second, a minute and a megabyte, as rows of the same table. */
import type { Row } from '../row.ts';
import { openDatabases } from './databases.ts';
import { benchDeliveries } from './deliveries.ts';
import { benchWatching } from './watching.ts';

export async function benchApp(): Promise<Row[]> {
  const databases = await openDatabases();
  try {
    const rows = [...(await benchDeliveries(databases)), ...(await benchWatching(databases))];
    return [{ what: 'the App, its state in', measured: databases.kind }, ...rows];
  } finally {
    await databases.close();
  }
}
