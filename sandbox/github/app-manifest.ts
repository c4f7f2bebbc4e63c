/** What the sandbox's GitHub App may do and hears of: what app/app.yml asks GitHub for. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Permissions } from './state/model.ts';

const manifest = parse(readFileSync(new URL('../../app/app.yml', import.meta.url), 'utf8')) as {
  readonly default_permissions: Permissions;
  readonly default_events: readonly string[];
};

export const appPermissions: Permissions = manifest.default_permissions;

/**
 * Every App hears of its installations besides, and one that may write checks hears of check runs without asking.
 * @see https://docs.github.com/en/webhooks/webhook-events-and-payloads#check_run
 */
export const appEvents: readonly string[] = manifest.default_events;
