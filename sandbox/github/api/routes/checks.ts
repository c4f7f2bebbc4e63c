/** Check runs and their suites. There is one App, so a commit has at most one suite. */
import { gitOf, type Hub } from '../../hub.ts';
import type { Annotation, CheckAction, CheckRun, CheckSuite } from '../../state/model.ts';
import { viewAnnotation, viewCheckRun, viewSuite } from '../../views/check.ts';
import { checkRunEvent } from '../../webhooks/events.ts';
import type { Call, Handler } from '../call.ts';
import type { Input } from '../openapi.ts';
import { page } from '../paging.ts';
import { ApiError, notFound, ok, type Reply } from '../reply.ts';
import { commitAt } from './repositories.ts';

function runOf(call: Call): CheckRun {
  const id = call.integer('check_run_id');
  const found = call.hub.store.state.checkRuns.find(
    (one) => one.id === id && one.repositoryId === call.repository.id,
  );
  if (found === undefined) throw notFound();
  return found;
}

function suiteOf(call: Call): CheckSuite {
  const id = call.integer('check_suite_id');
  const found = call.hub.store.state.checkSuites.find(
    (one) => one.id === id && one.repositoryId === call.repository.id,
  );
  if (found === undefined) throw notFound();
  return found;
}

/** The commit's suite, made by its first check run. */
async function ensureSuite(call: Call, headSha: string): Promise<CheckSuite> {
  const { hub, repository } = call;
  const { checkSuites } = hub.store.state;
  const find = (): CheckSuite | undefined =>
    checkSuites.find((one) => one.repositoryId === repository.id && one.headSha === headSha);
  const existing = find();
  if (existing !== undefined) return existing;
  const refs = await gitOf(hub, repository).refs('refs/heads/');
  // Another request may have made it while git was asked.
  const meanwhile = find();
  if (meanwhile !== undefined) return meanwhile;
  const branch = refs.find(({ sha }) => sha === headSha)?.name.replace('refs/heads/', '');
  const now = hub.now();
  const suite: CheckSuite = {
    id: hub.store.newId(),
    repositoryId: repository.id,
    headSha,
    headBranch: branch ?? null,
    createdAt: now,
    updatedAt: now,
  };
  checkSuites.push(suite);
  return suite;
}

async function create(call: Call): Promise<Reply> {
  const { hub, repository } = call;
  const headSha = call.text('head_sha');
  const commit = await gitOf(hub, repository).commit(headSha);
  if (commit?.sha !== headSha) throw new ApiError(422, `No commit found for SHA: ${headSha}`);
  const suite = await ensureSuite(call, headSha);
  const run: CheckRun = {
    id: hub.store.newId(),
    suiteId: suite.id,
    repositoryId: repository.id,
    headSha,
    name: call.text('name'),
    externalId: '',
    detailsUrl: hub.web,
    status: 'queued',
    conclusion: null,
    startedAt: hub.now(),
    completedAt: null,
    title: null,
    summary: null,
    text: null,
    annotations: [],
    actions: [],
  };
  apply(run, call.input, hub);
  hub.store.state.checkRuns.push(run);
  suite.updatedAt = hub.now();
  checkRunEvent(hub, 'created', run, call.actor);
  if (run.status === 'completed') checkRunEvent(hub, 'completed', run, call.actor);
  return { status: 201, json: viewCheckRun(hub, run) };
}

function update(call: Call): Reply {
  const run = runOf(call);
  const wasCompleted = run.status === 'completed';
  apply(run, call.input, call.hub);
  const suite = call.hub.store.state.checkSuites.find(({ id }) => id === run.suiteId);
  if (suite !== undefined) suite.updatedAt = call.hub.now();
  if (!wasCompleted && run.status === 'completed') {
    checkRunEvent(call.hub, 'completed', run, call.actor);
  }
  return ok(viewCheckRun(call.hub, run));
}

/** Takes over what the body says; what it does not mention stays. */
function apply(run: CheckRun, input: Input, hub: Hub): void {
  const text = (name: string): string | undefined => {
    const value = input[name];
    return typeof value === 'string' ? value : undefined;
  };
  run.name = text('name') ?? run.name;
  run.externalId = text('external_id') ?? run.externalId;
  run.detailsUrl = text('details_url') ?? run.detailsUrl;
  run.startedAt = wholeSeconds(text('started_at')) ?? run.startedAt;
  const conclusion = text('conclusion');
  const status = conclusion === undefined ? text('status') : 'completed';
  if (status === 'queued' || status === 'in_progress' || status === 'completed') {
    run.status = status;
  }
  if (run.status === 'completed') {
    run.conclusion = conclusion ?? run.conclusion;
    run.completedAt = wholeSeconds(text('completed_at')) ?? run.completedAt ?? hub.now();
  } else {
    // Taken up again.
    run.conclusion = null;
    run.completedAt = null;
  }
  if (Array.isArray(input['actions'])) run.actions = input['actions'] as CheckAction[];
  applyOutput(run, input['output']);
}

function applyOutput(run: CheckRun, output: unknown): void {
  if (output === null || typeof output !== 'object') return;
  const { title, summary, text, annotations } = output as Input;
  if (typeof title === 'string') run.title = title;
  if (typeof summary === 'string') run.summary = summary;
  if (typeof text === 'string') run.text = text;
  // Each request adds its annotations to those before.
  if (Array.isArray(annotations)) run.annotations.push(...(annotations as Annotation[]));
}

function wholeSeconds(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `${new Date(text).toISOString().slice(0, 19)}Z`;
}

async function listForRef(call: Call): Promise<Reply> {
  const { sha } = await commitAt(call, call.text('ref'));
  return list(call, (run) => run.repositoryId === call.repository.id && run.headSha === sha);
}

function list(call: Call, belongs: (run: CheckRun) => boolean): Reply {
  const name = call.optionalText('check_name');
  const status = call.optionalText('status');
  const appId = call.input['app_id'];
  const matching = call.hub.store.state.checkRuns
    .filter(belongs)
    .filter((run) => name === undefined || run.name === name)
    .filter((run) => status === undefined || run.status === status)
    .filter(() => appId === undefined || appId === call.hub.app.id)
    // Newest first, as GitHub lists them.
    .toReversed();
  const isNewest = (run: CheckRun): boolean =>
    matching.find((one) => one.name === run.name) === run;
  const all = call.optionalText('filter') === 'all' ? matching : matching.filter(isNewest);
  const { items, headers } = page(call, all);
  const runs = items.map((one) => viewCheckRun(call.hub, one));
  return ok({ total_count: all.length, check_runs: runs }, headers);
}

async function listSuites(call: Call): Promise<Reply> {
  const { sha } = await commitAt(call, call.text('ref'));
  const { checkRuns, checkSuites } = call.hub.store.state;
  const appId = call.input['app_id'];
  const name = call.optionalText('check_name');
  const hasRun = ({ id }: CheckSuite): boolean =>
    name === undefined || checkRuns.some((run) => run.suiteId === id && run.name === name);
  const all = checkSuites
    .filter((one) => one.repositoryId === call.repository.id && one.headSha === sha)
    .filter(() => appId === undefined || appId === call.hub.app.id)
    .filter(hasRun);
  const { items, headers } = page(call, all);
  const suites = await Promise.all(items.map((one) => viewSuite(call.hub, one)));
  return ok({ total_count: all.length, check_suites: suites }, headers);
}

function annotations(call: Call): Reply {
  const run = runOf(call);
  const { items, headers } = page(call, run.annotations);
  return ok(
    items.map((one) => viewAnnotation(call.hub, run, one)),
    headers,
  );
}

/** Somebody presses "Re-run": the App is told, and makes a new run or takes this one up again. */
function rerequest(call: Call): Reply {
  const run = runOf(call);
  if (run.status !== 'completed') {
    throw new ApiError(422, 'This check run is not rerequestable');
  }
  checkRunEvent(call.hub, 'rerequested', run, call.actor);
  return { status: 201, json: {} };
}

export const checks = {
  'checks/create': create,
  'checks/update': update,
  'checks/get': (call) => ok(viewCheckRun(call.hub, runOf(call))),
  'checks/list-for-ref': listForRef,
  'checks/list-for-suite': (call) => {
    const { id } = suiteOf(call);
    return list(call, ({ suiteId }) => suiteId === id);
  },
  'checks/list-annotations': annotations,
  'checks/get-suite': async (call) => ok(await viewSuite(call.hub, suiteOf(call))),
  'checks/list-suites-for-ref': listSuites,
  'checks/rerequest-run': rerequest,
} satisfies Record<string, Handler>;
