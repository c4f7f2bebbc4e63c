/** The demo at the sandbox's GitHub, as the repository's owner: comments and checks in, what they say in words out. */
import { parseMarker } from '../shared/report/marker.ts';
import type { SandboxDescription } from './start.ts';
import { toTerminalText } from './terminal-text.ts';

export interface Comment {
  readonly id: number;
  readonly body: string;
  readonly user: { readonly type: string };
}

export interface CheckRun {
  readonly id: number;
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly output: { readonly title: string | null };
}

export type DemoGitHub = ReturnType<typeof demoGitHub>;

const pollMs = 250;

export function demoGitHub({ github }: Pick<SandboxDescription, 'github'>) {
  const repository = `/repos/${github.repo}`;
  const comments = `${repository}/issues/${github.pull}/comments`;

  /** GETs a path of the API, or POSTs when there is a body. */
  async function api<T>(path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${github.api}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${github.tokens.owner}`,
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  return {
    headOfPull: async () =>
      (await api<{ head: { sha: string } }>(`${repository}/pulls/${github.pull}`)).head.sha,
    headOfMain: async () =>
      (await api<{ commit: { sha: string } }>(`${repository}/branches/main`)).commit.sha,
    fileOfMain: async (path: string) => {
      const file = await api<{ content: string }>(`${repository}/contents/${path}?ref=main`);
      return Buffer.from(file.content, 'base64').toString('utf8');
    },
    say: (body: string) => api<Comment>(comments, { body }),
    comment: (id: number) => api<Comment>(`${repository}/issues/comments/${id}`),
    /** What the App has written or changed since. */
    answers: async (since: Date) => {
      const all = await api<Comment[]>(`${comments}?per_page=100&since=${since.toISOString()}`);
      return all.filter(({ user }) => user.type === 'Bot');
    },
    /** The commit's runs, the newest first. */
    checks: async (sha: string) => {
      const path = `${repository}/commits/${sha}/check-runs?check_name=trainyard%2Ftrain`;
      const { check_runs: checks } = await api<{ check_runs: CheckRun[] }>(path);
      return checks.toSorted((a, b) => b.id - a.id);
    },
  };
}

/** A card's first line, which is its answer, as plain text. */
export function firstLineOf({ body }: Pick<Comment, 'body'>): string {
  return toTerminalText(body).split('\n')[0] ?? '';
}

export function isCard({ body }: Pick<Comment, 'body'>): boolean {
  return parseMarker(body) !== undefined;
}

/** Whether the card says that its run is over. */
export function hasEnded(card: Pick<Comment, 'body'>): boolean {
  return /^(?:Trained|Built|Failed|Cancelled)\b/.test(firstLineOf(card));
}

/** Looks again and again until there is something; undefined when the time is over. */
export async function lookUntil<T>(
  look: () => Promise<T | undefined>,
  patienceMs: number,
): Promise<T | undefined> {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return undefined;
}
