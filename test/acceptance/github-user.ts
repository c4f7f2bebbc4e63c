/** A person at the sandbox's pull request: comments, and waits for what Trainyard answers. */
import type { Sandbox } from '../../sandbox/start.ts';

export interface Comment {
  readonly id: number;
  readonly body: string;
  readonly created_at: string;
  readonly user: { readonly login: string; readonly type: string };
}
export interface CheckRun {
  readonly id: number;
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly output: { readonly title: string | null; readonly summary: string | null };
}
export interface CustomJob {
  readonly name: string;
  readonly state: string;
  readonly labels?: Readonly<Record<string, string>>;
}
export interface Build {
  readonly id: string;
  readonly status: string;
  readonly tags?: readonly string[];
}

export type Role = 'owner' | 'writer' | 'reader' | 'stranger' | 'bot';

export function personAt(sandbox: Sandbox, role: Role = 'owner') {
  const { github, google } = sandbox.description;

  async function api<T>(path: string, init: { method?: string; body?: unknown } = {}): Promise<T> {
    const response = await fetch(`${github.api}${path}`, {
      method: init.method ?? (init.body === undefined ? 'GET' : 'POST'),
      headers: {
        authorization: `Bearer ${github.tokens[role]}`,
        'content-type': 'application/json',
      },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async function googleApi<T>(path: string): Promise<T> {
    const response = await fetch(`${google.endpoint}${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  const issue = `/repos/${github.repo}/issues/${github.pull}`;
  const person = {
    api,
    say: (body: string) => api<Comment>(`${issue}/comments`, { body: { body } }),
    comments: () => api<Comment[]>(`${issue}/comments?per_page=100`),
    /** What the App said after that comment. */
    answers: async (after: Comment) =>
      (await person.comments()).filter(({ id, user }) => id > after.id && user.type === 'Bot'),
    reactions: async (to: Comment) =>
      (
        await api<{ content: string; user: { login: string } }[]>(
          `/repos/${github.repo}/issues/comments/${to.id}/reactions`,
        )
      ).map(({ content }) => content),
    head: async () =>
      (await api<{ head: { sha: string } }>(`/repos/${github.repo}/pulls/${github.pull}`)).head.sha,
    checks: async (sha: string) =>
      (await api<{ check_runs: CheckRun[] }>(`/repos/${github.repo}/commits/${sha}/check-runs`))
        .check_runs,
    jobs: async () =>
      (
        await googleApi<{ customJobs?: CustomJob[] }>(
          `/v1/projects/${google.project}/locations/us-central1/customJobs?pageSize=100`,
        )
      ).customJobs ?? [],
    builds: async () =>
      (
        await googleApi<{ builds?: Build[] }>(
          `/v1/projects/${google.project}/locations/global/builds?pageSize=100`,
        )
      ).builds ?? [],
  };
  return person;
}

/** Asks again until there is an answer; fails with what it waited for. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  patienceMs = 150_000,
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs / 1_000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
