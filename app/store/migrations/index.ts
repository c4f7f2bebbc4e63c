/**
 * The database's schema, forward only: a migration that was released is never edited, a mistake is mended
 * by the next one. Each is a list of statements in a file of its own. Kysely runs them under an advisory
 * lock, so replicas may start together.
 */
import { sql, type Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { UserError } from '../../../shared/errors.ts';
import type { Tables } from '../tables.ts';
import { firstTables } from './001-first-tables.ts';
import { cancelRequests } from './002-cancel-requests.ts';
import { origins } from './003-origins.ts';
import { budgetAndApprovals } from './004-budget-and-approvals.ts';
import { superseded } from './005-superseded.ts';
import { triggers } from './006-triggers.ts';
import { pullOfCommand } from './007-pull-of-command.ts';
import { baseRecords } from './008-base-records.ts';
import { oneReceiptOneAnswer } from './009-one-receipt-one-answer.ts';
import { outsideSpend } from './010-outside-spend.ts';
import { questions } from './011-questions.ts';

/** In the order of their names. @internal */
export const migrations: Readonly<Record<string, readonly string[]>> = {
  '001-first-tables': firstTables,
  '002-cancel-requests': cancelRequests,
  '003-origins': origins,
  '004-budget-and-approvals': budgetAndApprovals,
  '005-superseded': superseded,
  '006-triggers': triggers,
  '007-pull-of-command': pullOfCommand,
  '008-base-records': baseRecords,
  '009-one-receipt-one-answer': oneReceiptOneAnswer,
  '010-outside-spend': outsideSpend,
  '011-questions': questions,
};

/**
 * Brings the schema up to date. Safe to call from several replicas at once.
 * @throws {UserError} `bad_config` when a newer version has done so
 */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  const entries = Object.entries(migrations).map(([name, statements]) => [name, of(statements)]);
  const known = Object.fromEntries(entries) as Record<string, Migration>;
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(known) },
  });
  const { error } = await migrator.migrateToLatest();
  const newer = newerMigration(error);
  if (newer !== undefined) {
    throw new UserError(
      'bad_config',
      `The database was brought up to date by a newer version of Trainyard (${newer}), and there is no way back.`,
      'Start that version, or restore a backup of before it: docs/operations.md.',
    );
  }
  if (error !== undefined) {
    throw new Error('the database schema could not be brought up to date', { cause: error });
  }
}

/** Kysely calls a schema that has more than it knows corrupted, which would alarm whoever only rolled back. */
function newerMigration(error: unknown): string | undefined {
  const words = error instanceof Error ? error.message : '';
  return /previously executed migration (\S+) is missing/.exec(words)?.[1];
}

function of(statements: readonly string[]): Migration {
  return {
    up: async (db) => {
      for (const statement of statements) await sql.raw(statement).execute(db);
    },
  };
}
