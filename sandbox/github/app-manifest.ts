/** What the sandbox's GitHub App may do and hears of: what app/app.yml asks GitHub for. */
import type { Permissions } from './state/model.ts';

export const appPermissions = {
  checks: 'write',
  contents: 'read',
  issues: 'write',
  metadata: 'read',
  pull_requests: 'write',
} as const satisfies Permissions;

export const appEvents = ['check_run', 'issue_comment', 'pull_request', 'push'] as const;
