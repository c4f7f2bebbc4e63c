/**
 * Which operations of GitHub's REST API the sandbox serves, by their ids in GitHub's own OpenAPI
 * description, and who may call each. Paths, parameters and body schemas are not repeated here: they come
 * from the extract of that description (see scripts/extract-openapi.mjs).
 *
 * Who may call: `app` with the App's JSON web token, `installation` with an installation's token, `user`
 * with a personal one, or everybody with at least the given role in the repository of the path. An
 * installation needs the permission besides, which is how GitHub documents each operation.
 * @see https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps
 */
export type Permission =
  'metadata' | 'contents' | 'issues' | 'pull_requests' | 'checks' | 'statuses';
export type PermissionLevel = 'read' | 'write';
export type Role = 'read' | 'triage' | 'write' | 'maintain' | 'admin';

export type Access =
  | { readonly by: 'app' | 'installation' | 'user' | 'anyone' }
  | {
      readonly by: 'role';
      /** What a signed-in person needs; anonymous readers may only read. */
      readonly role: Role;
      /** An installation needs one of them. */
      readonly permissions: readonly Permission[];
      readonly level: PermissionLevel;
      /** Refuses everybody who is not a GitHub App, as the Checks API does. */
      readonly appsOnly?: true;
    };

function read(...permissions: Permission[]): Access {
  return { by: 'role', role: 'read', permissions, level: 'read' };
}
/** A write that every signed-in reader may do, such as commenting on a public repository. */
function contribute(...permissions: Permission[]): Access {
  return { by: 'role', role: 'read', permissions, level: 'write' };
}
function write(...permissions: Permission[]): Access {
  return { by: 'role', role: 'write', permissions, level: 'write' };
}
/** What the App does not ask for: administration. */
function administer(): Access {
  return { by: 'role', role: 'admin', permissions: [], level: 'write' };
}
const writeChecks: Access = { ...write('checks'), by: 'role', appsOnly: true } as Access;

export const operations = {
  'apps/get-authenticated': { by: 'app' },
  'apps/list-installations': { by: 'app' },
  'apps/get-installation': { by: 'app' },
  'apps/create-installation-access-token': { by: 'app' },
  'apps/get-repo-installation': { by: 'app' },
  'apps/get-user-installation': { by: 'app' },
  'apps/list-webhook-deliveries': { by: 'app' },
  'apps/get-webhook-delivery': { by: 'app' },
  'apps/redeliver-webhook-delivery': { by: 'app' },
  'apps/list-repos-accessible-to-installation': { by: 'installation' },
  'apps/revoke-installation-access-token': { by: 'installation' },
  'apps/get-by-slug': { by: 'anyone' },
  'users/get-authenticated': { by: 'user' },
  'users/get-by-username': { by: 'anyone' },

  'repos/get': read('metadata'),
  'repos/update': administer(),
  'repos/get-collaborator-permission-level': read('metadata'),
  'repos/add-collaborator': administer(),
  'repos/remove-collaborator': administer(),
  'repos/list-branches': read('contents'),
  'repos/get-branch': read('contents'),
  'repos/list-commits': read('contents'),
  'repos/get-commit': read('contents'),
  'repos/compare-commits-with-basehead': read('contents'),
  'repos/get-content': read('contents'),
  'repos/download-tarball-archive': read('contents'),
  'repos/create-fork': { by: 'user' },
  'git/get-ref': read('contents'),
  'git/list-matching-refs': read('contents'),
  'git/get-tree': read('contents'),
  'git/get-blob': read('contents'),
  'git/get-commit': read('contents'),

  'pulls/list': read('pull_requests'),
  'pulls/get': read('pull_requests'),
  'pulls/list-files': read('pull_requests'),
  'pulls/list-commits': read('pull_requests'),
  'pulls/create': contribute('pull_requests'),
  'pulls/update': contribute('pull_requests'),

  'issues/get': read('issues', 'pull_requests'),
  'issues/lock': write('issues', 'pull_requests'),
  'issues/unlock': write('issues', 'pull_requests'),
  'issues/list-comments': read('issues', 'pull_requests'),
  'issues/get-comment': read('issues', 'pull_requests'),
  'issues/create-comment': contribute('issues', 'pull_requests'),
  'issues/update-comment': contribute('issues', 'pull_requests'),
  'issues/delete-comment': contribute('issues', 'pull_requests'),
  'reactions/list-for-issue-comment': read('issues', 'pull_requests'),
  'reactions/create-for-issue-comment': contribute('issues', 'pull_requests'),
  'reactions/delete-for-issue-comment': contribute('issues', 'pull_requests'),

  'checks/create': writeChecks,
  'checks/update': writeChecks,
  'checks/get': read('checks'),
  'checks/list-for-ref': read('checks'),
  'checks/list-annotations': read('checks'),
  'checks/list-for-suite': read('checks'),
  'checks/get-suite': read('checks'),
  'checks/list-suites-for-ref': read('checks'),
  'checks/rerequest-run': write('checks'),
  'repos/create-commit-status': write('statuses'),
  'repos/list-commit-statuses-for-ref': read('statuses'),
  'repos/get-combined-status-for-ref': read('statuses'),
} as const satisfies Record<string, Access>;

export type OperationId = keyof typeof operations;
