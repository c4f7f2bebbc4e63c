/** Check runs, their suites and commit statuses as GitHub's API and webhooks show them. */
import { gitOf, type Hub } from '../hub.ts';
import type { Annotation, CheckRun, CheckSuite, CommitStatus } from '../state/model.ts';
import { nodeId, viewAccount, viewApp } from './account.ts';
import { repositoryPage, repositoryUrl, viewRepository } from './repository.ts';

function suiteOf(hub: Hub, run: CheckRun): CheckSuite {
  const suite = hub.store.state.checkSuites.find(({ id }) => id === run.suiteId);
  if (suite === undefined) throw new Error(`no check suite ${run.suiteId}`);
  return suite;
}

export function viewCheckRun(hub: Hub, run: CheckRun) {
  const repository = hub.store.repository(run.repositoryId);
  const url = `${repositoryUrl(hub, repository)}/check-runs/${run.id}`;
  return {
    id: run.id,
    node_id: nodeId('CheckRun', run.id),
    name: run.name,
    head_sha: run.headSha,
    external_id: run.externalId,
    url,
    html_url: `${repositoryPage(hub, repository)}/runs/${run.id}`,
    details_url: run.detailsUrl,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    output: {
      title: run.title,
      summary: run.summary,
      text: run.text,
      annotations_count: run.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: run.suiteId },
    app: viewApp(hub),
    pull_requests: pullsAt(hub, run.repositoryId, run.headSha),
    // GitHub's API does not list the buttons; the sandbox's page has no other way to draw them.
    actions: run.actions,
  };
}

/** The `check_run` of a payload, with its suite in full. */
export function viewCheckRunOfEvent(hub: Hub, run: CheckRun) {
  const { actions: _, ...view } = viewCheckRun(hub, run);
  return { ...view, check_suite: viewSuiteOfEvent(hub, suiteOf(hub, run)) };
}

/** A suite by itself: also its repository and commit. */
export async function viewSuite(hub: Hub, suite: CheckSuite) {
  const repository = hub.store.repository(suite.repositoryId);
  const view = viewSuiteOfEvent(hub, suite);
  const commit = await gitOf(hub, repository).commit(suite.headSha);
  return {
    ...view,
    repository: viewRepository(hub, repository),
    latest_check_runs_count: runsOf(hub, suite).length,
    check_runs_url: `${view.url}/check-runs`,
    head_commit:
      commit === undefined
        ? null
        : {
            id: commit.sha,
            tree_id: commit.treeSha,
            message: commit.message,
            timestamp: commit.committer.date,
            author: { name: commit.author.name, email: commit.author.email },
            committer: { name: commit.committer.name, email: commit.committer.email },
          },
  };
}

function runsOf(hub: Hub, suite: CheckSuite): CheckRun[] {
  return hub.store.state.checkRuns.filter(({ suiteId }) => suiteId === suite.id);
}

function viewSuiteOfEvent(hub: Hub, suite: CheckSuite) {
  const repository = hub.store.repository(suite.repositoryId);
  const { status, conclusion } = summaryOf(runsOf(hub, suite));
  return {
    id: suite.id,
    node_id: nodeId('CheckSuite', suite.id),
    head_branch: suite.headBranch,
    head_sha: suite.headSha,
    status,
    conclusion,
    url: `${repositoryUrl(hub, repository)}/check-suites/${suite.id}`,
    before: null,
    after: suite.headSha,
    pull_requests: pullsAt(hub, suite.repositoryId, suite.headSha),
    app: viewApp(hub),
    created_at: suite.createdAt,
    updated_at: suite.updatedAt,
  };
}

export function viewAnnotation(hub: Hub, run: CheckRun, annotation: Annotation) {
  const page = repositoryPage(hub, hub.store.repository(run.repositoryId));
  const path = annotation.path.split('/').map(encodeURIComponent).join('/');
  return {
    start_column: null,
    end_column: null,
    title: null,
    raw_details: null,
    ...annotation,
    blob_href: `${page}/blob/${run.headSha}/${path}`,
  };
}

/** Worst first. @see https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-checks */
const conclusionsByWeight = [
  'action_required',
  'timed_out',
  'cancelled',
  'failure',
  'stale',
  'success',
  'neutral',
  'skipped',
];

function summaryOf(runs: readonly CheckRun[]) {
  if (runs.length === 0) return { status: 'queued', conclusion: null };
  if (runs.some(({ status }) => status !== 'completed')) {
    const isStarted = runs.some(({ status }) => status !== 'queued');
    return { status: isStarted ? 'in_progress' : 'queued', conclusion: null };
  }
  const worst = conclusionsByWeight.find((one) =>
    runs.some(({ conclusion }) => conclusion === one),
  );
  // A suite of skipped runs is not called skipped in payloads.
  return {
    status: 'completed',
    conclusion: worst === 'skipped' ? 'neutral' : (worst ?? 'neutral'),
  };
}

function pullsAt(hub: Hub, repositoryId: number, headSha: string) {
  return hub.store.state.pulls
    .filter(
      (pull) =>
        pull.headSha === headSha &&
        pull.state === 'open' &&
        // Pull requests of forks are not listed here.
        pull.repositoryId === repositoryId &&
        pull.headRepositoryId === repositoryId,
    )
    .map((pull) => {
      const repository = hub.store.repository(repositoryId);
      const url = repositoryUrl(hub, repository);
      const repo = { id: repository.id, url, name: repository.name };
      return {
        url: `${url}/pulls/${pull.number}`,
        id: pull.id,
        number: pull.number,
        head: { ref: pull.headRef, sha: pull.headSha, repo },
        base: { ref: pull.baseRef, sha: pull.baseSha, repo },
      };
    });
}

export function viewStatus(hub: Hub, status: CommitStatus) {
  const repository = hub.store.repository(status.repositoryId);
  const creator = viewAccount(hub, hub.store.account(status.authorId));
  return {
    avatar_url: creator.avatar_url,
    url: `${repositoryUrl(hub, repository)}/statuses/${status.sha}`,
    id: status.id,
    node_id: nodeId('StatusContext', status.id),
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    creator,
  };
}
