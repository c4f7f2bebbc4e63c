/** What was thrown in; whether it says that the database is away for now, and not that we asked it for nonsense. */

/**
 * Classes of PostgreSQL's error codes: no connection, no resources, shut down, a transaction that is to be repeated,
 * a standby that is not promoted yet, a disk that fails.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const states = /^(?:08...|53...|57P0[1-5]|40001|40P01|25006|58...)$/;

const connections: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['ENOTFOUND', 'EAI_AGAIN'],
]);

/** Of node-postgres, which has no codes for these. */
const words = /^Connection terminated|not queryable|timeout exceeded when trying to connect/;

export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined
    ? words.test(error.message)
    : states.test(code) || connections.has(code);
}
