/** Repositories as GitHub's API and webhooks show them. */
import type { Hub } from '../hub.ts';
import type { Repository } from '../state/model.ts';
import { nodeId, viewAccount } from './account.ts';

/** The address templates that GitHub gives with every repository: name → path below the repository. */
const templates = {
  archive: '/{archive_format}{/ref}',
  assignees: '/assignees{/user}',
  blobs: '/git/blobs{/sha}',
  branches: '/branches{/branch}',
  collaborators: '/collaborators{/collaborator}',
  comments: '/comments{/number}',
  commits: '/commits{/sha}',
  compare: '/compare/{base}...{head}',
  contents: '/contents/{+path}',
  contributors: '/contributors',
  deployments: '/deployments',
  downloads: '/downloads',
  events: '/events',
  forks: '/forks',
  git_commits: '/git/commits{/sha}',
  git_refs: '/git/refs{/sha}',
  git_tags: '/git/tags{/sha}',
  hooks: '/hooks',
  issue_comment: '/issues/comments{/number}',
  issue_events: '/issues/events{/number}',
  issues: '/issues{/number}',
  keys: '/keys{/key_id}',
  labels: '/labels{/name}',
  languages: '/languages',
  merges: '/merges',
  milestones: '/milestones{/number}',
  notifications: '/notifications{?since,all,participating}',
  pulls: '/pulls{/number}',
  releases: '/releases{/id}',
  stargazers: '/stargazers',
  statuses: '/statuses/{sha}',
  subscribers: '/subscribers',
  subscription: '/subscription',
  tags: '/tags',
  teams: '/teams',
  trees: '/git/trees{/sha}',
} as const;

type TemplateUrls = Record<`${keyof typeof templates}_url`, string>;

function templateUrls(url: string): TemplateUrls {
  return Object.fromEntries(
    Object.entries(templates).map(([name, path]) => [`${name}_url`, `${url}${path}`]),
  ) as TemplateUrls;
}

export function repositoryUrl(hub: Hub, repository: Repository): string {
  return `${hub.api}/repos/${hub.store.fullName(repository)}`;
}

export function repositoryPage(hub: Hub, repository: Repository): string {
  return `${hub.web}/${hub.store.fullName(repository)}`;
}

export function viewRepository(hub: Hub, repository: Repository) {
  const { state } = hub.store;
  const url = repositoryUrl(hub, repository);
  const page = repositoryPage(hub, repository);
  const forks = state.repositories.filter(({ parentId }) => parentId === repository.id).length;
  const openIssues = state.pulls.filter(
    (pull) => pull.repositoryId === repository.id && pull.state === 'open',
  ).length;
  return {
    id: repository.id,
    node_id: nodeId('Repository', repository.id),
    name: repository.name,
    full_name: hub.store.fullName(repository),
    private: repository.private === true,
    owner: viewAccount(hub, hub.store.account(repository.ownerId)),
    html_url: page,
    description: null,
    fork: repository.parentId !== undefined,
    url,
    ...templateUrls(url),
    created_at: repository.createdAt,
    updated_at: repository.updatedAt,
    pushed_at: repository.pushedAt,
    git_url: `${page.replace(/^http/, 'git')}.git`,
    ssh_url: `git@localhost:${hub.store.fullName(repository)}.git`,
    clone_url: `${page}.git`,
    svn_url: page,
    homepage: null,
    size: 0,
    stargazers_count: 0,
    watchers_count: 0,
    language: null,
    has_issues: true,
    has_projects: false,
    has_downloads: true,
    has_wiki: false,
    has_pages: false,
    has_discussions: false,
    forks_count: forks,
    mirror_url: null,
    archived: repository.archived === true,
    disabled: false,
    open_issues_count: openIssues,
    license: null,
    allow_forking: true,
    is_template: false,
    web_commit_signoff_required: false,
    topics: [],
    visibility: repository.private === true ? 'private' : 'public',
    forks,
    open_issues: openIssues,
    watchers: 0,
    default_branch: repository.defaultBranch,
    custom_properties: {},
  };
}
