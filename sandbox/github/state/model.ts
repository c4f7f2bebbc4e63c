/**
 * What the sandbox's GitHub remembers, as it is written to disk. Everything else (commits, branches,
 * files, diffs) is read from the git repositories themselves. Instants are ISO 8601 in UTC with whole
 * seconds, as GitHub gives them.
 */
import type { Permission, PermissionLevel, Role } from '../api/operations.ts';

export interface Account {
  readonly id: number;
  readonly login: string;
  readonly type: 'User' | 'Bot' | 'Organization';
}

export interface Repository {
  readonly id: number;
  readonly ownerId: number;
  name: string;
  /** What it was called before, without those that it has back. */
  formerNames?: readonly string[];
  archived?: boolean;
  readonly defaultBranch: string;
  /** The repository that this one was forked from. */
  readonly parentId?: number;
  /** Public, where it is not said: everybody may read. */
  readonly private?: boolean;
  /** Account id → role. */
  roles: Readonly<Record<string, Role>>;
  readonly createdAt: string;
  updatedAt: string;
  pushedAt: string;
  nextNumber: number;
}

export interface Pull {
  readonly id: number;
  readonly repositoryId: number;
  readonly number: number;
  readonly authorId: number;
  readonly headRepositoryId: number;
  readonly headRef: string;
  readonly createdAt: string;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  draft: boolean;
  /** Undefined while everybody may comment. */
  lock?: { readonly reason: string | null };
  headSha: string;
  baseRef: string;
  /** Where the base branch is. */
  baseSha: string;
  maintainerCanModify: boolean;
  updatedAt: string;
  closedAt: string | null;
  /** Undefined until its commits are in the base branch. */
  merged?: { readonly at: string; readonly byId: number; readonly commitSha: string };
}

export interface Comment {
  readonly id: number;
  readonly repositoryId: number;
  readonly issueNumber: number;
  readonly authorId: number;
  /** Written with an installation's token. */
  readonly byApp: boolean;
  readonly createdAt: string;
  body: string;
  updatedAt: string;
}

export const reactionContents = [
  '+1',
  '-1',
  'laugh',
  'confused',
  'heart',
  'hooray',
  'rocket',
  'eyes',
] as const;
type ReactionContent = (typeof reactionContents)[number];

export interface Reaction {
  readonly id: number;
  readonly commentId: number;
  readonly authorId: number;
  readonly content: ReactionContent;
  readonly createdAt: string;
}

export interface CheckSuite {
  readonly id: number;
  readonly repositoryId: number;
  readonly headSha: string;
  readonly headBranch: string | null;
  readonly createdAt: string;
  updatedAt: string;
}

export interface Annotation {
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly annotation_level: string;
  readonly message: string;
  readonly [detail: string]: unknown;
}

export interface CheckAction {
  readonly label: string;
  readonly description: string;
  readonly identifier: string;
}

export interface CheckRun {
  readonly id: number;
  readonly suiteId: number;
  readonly repositoryId: number;
  readonly headSha: string;
  name: string;
  externalId: string;
  detailsUrl: string;
  status: 'queued' | 'in_progress' | 'completed';
  conclusion: string | null;
  startedAt: string;
  completedAt: string | null;
  title: string | null;
  summary: string | null;
  text: string | null;
  annotations: Annotation[];
  actions: readonly CheckAction[];
}

export interface CommitStatus {
  readonly id: number;
  readonly repositoryId: number;
  readonly sha: string;
  readonly authorId: number;
  readonly state: 'error' | 'failure' | 'pending' | 'success';
  readonly targetUrl: string | null;
  readonly description: string | null;
  readonly context: string;
  readonly createdAt: string;
}

export type Permissions = Readonly<Partial<Record<Permission, PermissionLevel>>>;

export interface Installation {
  readonly id: number;
  readonly accountId: number;
  readonly permissions: Permissions;
  readonly createdAt: string;
}

interface InstallationToken {
  readonly token: string;
  readonly installationId: number;
  readonly permissions: Permissions;
  /** Undefined: all repositories of the account. */
  readonly repositoryIds?: readonly number[];
  readonly expiresAt: string;
}

/** A push that git is carrying out: what the references were, so that what it changed is known after a crash. */
export interface PushUnderWay {
  readonly repositoryId: number;
  readonly accountId: number;
  readonly before: readonly { readonly name: string; readonly sha: string }[];
}

/** A webhook that is still to be tried. */
export interface PendingDelivery {
  readonly guid: string;
  readonly redelivery: boolean;
  readonly event: string;
  readonly action: string | null;
  readonly installation_id: number | null;
  readonly repository_id: number | null;
  /** The bytes that are signed and sent. */
  readonly body: string;
}

export interface State {
  nextId: number;
  readonly accounts: Account[];
  readonly repositories: Repository[];
  readonly pulls: Pull[];
  readonly comments: Comment[];
  readonly reactions: Reaction[];
  readonly checkSuites: CheckSuite[];
  readonly checkRuns: CheckRun[];
  readonly statuses: CommitStatus[];
  readonly installations: Installation[];
  readonly installationTokens: InstallationToken[];
  /** Personal access token → account id. */
  readonly personalTokens: Record<string, number>;
  readonly pushes: PushUnderWay[];
  /** Oldest first. Kept with what the events tell of, so that a crash loses neither without the other. */
  readonly outbox: PendingDelivery[];
}

export function emptyState(): State {
  return {
    // Far from the ids that are fixed by the seed.
    nextId: 20_001,
    accounts: [],
    repositories: [],
    pulls: [],
    comments: [],
    reactions: [],
    checkSuites: [],
    checkRuns: [],
    statuses: [],
    installations: [],
    installationTokens: [],
    personalTokens: {},
    pushes: [],
    outbox: [],
  };
}

/** GitHub's instants have no milliseconds. */
export function instant(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
