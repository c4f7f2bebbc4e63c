/** A store for each measurement: PostgreSQL where it is installed, else the embedded one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPostgres, startPostgres } from '../../test/app/store/postgres-server.ts';

export interface Databases {
  readonly kind: string;
  /** The environment of an App with an empty store of its own. */
  next(): Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export async function openDatabases(): Promise<Databases> {
  const programs = findPostgres();
  let count = 0;
  if (programs !== undefined) {
    const postgres = await startPostgres(programs);
    return {
      kind: 'PostgreSQL',
      next: () => ({ DATABASE_URL: postgres.createDatabase(`bench_${count++}`) }),
      close: () => postgres.stop(),
    };
  }
  const directory = mkdtempSync(join(tmpdir(), 'trainyard-bench-store-'));
  return {
    kind: 'PGlite',
    next: () => ({ TRAINYARD_DATA: join(directory, String(count++)) }),
    close: () => {
      rmSync(directory, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}
