/** Addresses of GitHub's pages for people: where the API is and what it calls things in, what a browser opens out. Pure. */
import type { RepositoryName } from './client.ts';

/**
 * `https://api.github.com` → `https://github.com`, `https://api.TENANT.ghe.com` → `https://TENANT.ghe.com`,
 * `https://HOST/api/v3` → `https://HOST`.
 * @see https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency/network-details-for-ghecom
 * @see https://docs.github.com/en/enterprise-server@latest/rest/using-the-rest-api/getting-started-with-the-rest-api
 */
export function webUrlOf(apiUrl: string): string {
  const { protocol, host, origin } = new URL(apiUrl);
  const [, ofApi] = /^api\.(github\.com|[a-z\d-]+\.ghe\.com)$/.exec(host) ?? [];
  return ofApi === undefined ? origin : `${protocol}//${ofApi}`;
}

/** A place on GitHub that a check is about. */
export interface GitHubPlace extends RepositoryName {
  /** `https://github.com` */
  readonly githubUrl: string;
}

export function commitPage(place: GitHubPlace, sha: string): string {
  return `${pageOf(place)}/commit/${encodeURIComponent(sha)}`;
}

export function pullPage(place: GitHubPlace, pullNumber: number): string {
  return `${pageOf(place)}/pull/${pullNumber}`;
}

/** A comment in its pull request. */
export function commentPage(place: GitHubPlace, pullNumber: number, commentId: number): string {
  return `${pullPage(place, pullNumber)}#issuecomment-${commentId}`;
}

function pageOf({ githubUrl, owner, repo }: GitHubPlace): string {
  return `${githubUrl}/${encodeURIComponent(owner)}/${encodeURIComponent(repo)}`;
}
