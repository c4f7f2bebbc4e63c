/** Accounts, the App and its installations as GitHub's API and webhooks show them. */
import { appEvents, appPermissions } from '../app-manifest.ts';
import type { Hub } from '../hub.ts';
import type { Account, Installation } from '../state/model.ts';

export function nodeId(kind: string, id: number): string {
  return Buffer.from(`0:${kind}${id}`).toString('base64');
}

export function viewAccount(hub: Hub, account: Account) {
  const { id, login, type } = account;
  const url = `${hub.api}/users/${encodeURIComponent(login)}`;
  return {
    login,
    id,
    node_id: nodeId(type, id),
    avatar_url: `${hub.web}/avatars/u/${id}`,
    gravatar_id: '',
    url,
    html_url: `${hub.web}/${encodeURIComponent(login)}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type,
    site_admin: false,
  };
}

/** An account by itself. Nobody here has told more about themselves than their name. */
export function viewUser(hub: Hub, account: Account) {
  const { repositories } = hub.store.state;
  return {
    ...viewAccount(hub, account),
    name: account.login,
    company: null,
    blog: '',
    location: null,
    email: null,
    hireable: null,
    bio: null,
    twitter_username: null,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: accountsCreatedAt,
    updated_at: accountsCreatedAt,
    public_repos: repositories.filter(({ ownerId }) => ownerId === account.id).length,
  };
}

/** The `organization` of a payload. */
export function viewOrganization(hub: Hub, account: Account) {
  const url = `${hub.api}/orgs/${account.login}`;
  return {
    login: account.login,
    id: account.id,
    node_id: nodeId('Organization', account.id),
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: `${hub.web}/avatars/u/${account.id}`,
    description: null,
  };
}

const accountsCreatedAt = '2026-01-05T08:00:00Z';
const appCreatedAt = '2026-01-05T08:00:00Z';

export function viewApp(hub: Hub) {
  const owner = hub.store.state.accounts.find(({ type }) => type === 'Organization');
  if (owner === undefined) throw new Error('the App has no owner');
  return {
    id: hub.app.id,
    slug: hub.app.slug,
    node_id: nodeId('App', hub.app.id),
    owner: viewAccount(hub, owner),
    name: 'Trainyard',
    description: 'Trains models from pull requests.',
    external_url: hub.web,
    html_url: `${hub.web}/apps/${hub.app.slug}`,
    created_at: appCreatedAt,
    updated_at: appCreatedAt,
    permissions: appPermissions,
    events: [...appEvents],
  };
}

export function viewInstallation(hub: Hub, installation: Installation) {
  const account = hub.store.account(installation.accountId);
  return {
    id: installation.id,
    account: viewAccount(hub, account),
    repository_selection: 'all' as const,
    access_tokens_url: `${hub.api}/app/installations/${installation.id}/access_tokens`,
    repositories_url: `${hub.api}/installation/repositories`,
    html_url: `${hub.web}/organizations/${account.login}/settings/installations/${installation.id}`,
    app_id: hub.app.id,
    app_slug: hub.app.slug,
    target_id: account.id,
    target_type: account.type === 'Organization' ? 'Organization' : 'User',
    permissions: installation.permissions,
    events: [...appEvents],
    created_at: installation.createdAt,
    updated_at: installation.createdAt,
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: null,
    suspended_at: null,
  };
}
