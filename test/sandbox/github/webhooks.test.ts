/** Webhooks: what is sent, how it is signed, and what becomes of a delivery. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Webhooks } from '@octokit/webhooks';
import { addressOf, clone } from './git-client.ts';
import { kindOf, type Received } from './webhook-receiver.ts';
import { differencesOf, problemsOf } from './webhook-schemas.ts';
import {
  appId,
  digits,
  installationId,
  issueOne,
  startWorld,
  statusOf,
  type World,
} from './world.ts';

let world: World;
/** One delivery of every kind that is sent. */
let everything: Map<string, Received>;

const kinds = [
  'installation.created',
  'push',
  'pull_request.opened',
  'pull_request.synchronize',
  'pull_request.edited',
  'pull_request.closed',
  'pull_request.reopened',
  'pull_request.locked',
  'pull_request.unlocked',
  'repository.archived',
  'repository.unarchived',
  'repository.renamed',
  'issue_comment.created',
  'issue_comment.edited',
  'issue_comment.deleted',
  'check_run.created',
  'check_run.completed',
  'check_run.rerequested',
  'check_run.requested_action',
];

/** What octokit has no example of. */
const unrecorded = ['pull_request.edited', 'repository.archived', 'repository.unarchived'];

beforeAll(async () => {
  world = await startWorld();
  await doEverything();
  await world.github.webhooksSettled();
  everything = new Map(world.receiver.received.map((one) => [kindOf(one), one]));
});
afterAll(() => world.close());

async function doEverything(): Promise<void> {
  const { pulls, issues, checks } = world.as('writer').rest;
  const bot = world.installation.rest;
  const address = addressOf(world.github.web, 'acme/digits', world.github.tokens.writer);
  const { git, commit, remove } = await clone(address);
  try {
    const onBranch = async (text: string): Promise<void> => {
      await commit({ 'new.txt': text });
      await git('push', '--quiet', 'origin', 'HEAD:refs/heads/new');
    };
    await onBranch('1\n');
    const { data: pull } = await pulls.create({ ...digits, head: 'new', base: 'main', title: 'x' });
    const number = { ...digits, pull_number: pull.number };
    await onBranch('2\n');
    await pulls.update({ ...number, title: 'y', body: 'z' });
    await pulls.update({ ...number, state: 'closed' });
    await pulls.update({ ...number, state: 'open' });
    const { data: comment } = await issues.createComment({ ...issueOne, body: '/train' });
    await issues.updateComment({ ...digits, comment_id: comment.id, body: '/train gpu=T4' });
    await issues.deleteComment({ ...digits, comment_id: comment.id });
    const { data: run } = await bot.checks.create({
      ...{ ...digits, name: 'train', head_sha: pull.head.sha, external_id: 'k7q2' },
      output: { title: 'Running', summary: 'epoch 1/20' },
      actions: [{ label: 'Cancel', description: 'Ends the run', identifier: 'cancel' }],
    });
    await bot.checks.update({ ...digits, check_run_id: run.id, conclusion: 'success' });
    await checks.rerequestRun({ ...digits, check_run_id: run.id });
    world.github.pressButton(run.id, 'cancel', 'writer');
    await git('push', '--quiet', 'origin', ':new');
    await issues.lock({ ...issueOne, lock_reason: 'resolved' });
    await issues.unlock(issueOne);
    const { repos } = world.as('owner').rest;
    await repos.update({ ...digits, archived: true });
    await repos.update({ ...digits, archived: false });
    await repos.update({ ...digits, name: 'numbers' });
    await repos.update({ owner: 'acme', repo: 'numbers', name: 'digits' });
  } finally {
    await remove();
  }
}

describe('what is sent', () => {
  it('is of these kinds', () => {
    expect([...everything.keys()].toSorted()).toEqual(kinds.toSorted());
  });

  it('fits octokit’s schemas, each one of it', () => {
    const problems = world.receiver.received.flatMap((one) =>
      problemsOf(one.event, one.payload).map((problem) => `${kindOf(one)} ${problem}`),
    );
    expect(problems).toEqual([]);
  });

  it.each(kinds.filter((kind) => !unrecorded.includes(kind)))(
    'looks in %s like GitHub’s own',
    (kind) => {
      const { event, payload } = everything.get(kind)!;
      expect(differencesOf(event, payload)).toEqual([]);
    },
  );

  it('is JSON that is signed over its bytes, with GitHub’s headers', async () => {
    const guids = new Set<string>();
    for (const one of world.receiver.received) {
      expect(await world.receiver.isSigned(one)).toBe(true);
      const { headers } = one;
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        'user-agent': expect.stringMatching(/^GitHub-Hookshot\//),
        'x-github-event': one.event,
        'x-github-hook-installation-target-id': String(appId),
        'x-github-hook-installation-target-type': 'integration',
        'x-hub-signature': expect.stringMatching(/^sha1=[0-9a-f]{40}$/),
        'content-length': String(one.bytes.length),
      });
      expect(headers['x-github-delivery']).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      guids.add(String(headers['x-github-delivery']));
    }
    expect(guids.size).toBe(world.receiver.received.length);
  });

  it('is refused by the official library under another secret or with another byte', async () => {
    const { bytes, headers } = everything.get('issue_comment.created')!;
    const signature = String(headers['x-hub-signature-256']);
    const text = bytes.toString('utf8');
    expect(await new Webhooks({ secret: 'another' }).verify(text, signature)).toBe(false);
    const { isSigned } = world.receiver;
    expect(await isSigned({ ...everything.get('push')!, bytes: Buffer.from(`${text} `) })).toBe(
      false,
    );
  });

  it('names the installation and who did it', () => {
    for (const { payload } of world.receiver.received) {
      expect(payload).toMatchObject({ installation: { id: installationId } });
      expect(payload['sender']).toMatchObject({ id: expect.any(Number) });
    }
  });
});

describe('deliveries', () => {
  interface Delivery {
    readonly id: number;
    readonly guid: string;
    readonly event: string;
    readonly action: string | null;
    readonly status: string;
    readonly status_code: number;
    readonly redelivery: boolean;
  }
  const apps = () => world.app.rest.apps;
  const newest = async (): Promise<Delivery> => {
    await world.github.webhooksSettled();
    return (await apps().listWebhookDeliveries({ per_page: 1 })).data[0]!;
  };
  const comment = () => world.as('writer').rest.issues.createComment({ ...issueOne, body: 'x' });

  beforeEach(async () => {
    await world.takeEvents();
  });
  afterEach(() => {
    world.receiver.answer = (response) => response.writeHead(202).end('accepted');
  });

  it('are listed, newest first, with what was answered', async () => {
    const { data } = await apps().listWebhookDeliveries({ per_page: 100 });
    expect(
      data.map(({ event, action }) => (action === null ? event : `${event}.${action}`)),
    ).toEqual(world.receiver.received.map(kindOf).toReversed());
    expect(data.at(-1)).toMatchObject({
      ...{ event: 'installation', action: 'created', status: 'OK', status_code: 202 },
      ...{ redelivery: false, installation_id: installationId, repository_id: null },
    });
    expect(data[0]).not.toHaveProperty('request');
  });

  it('are shown in full with the bytes that were sent', async () => {
    await comment();
    const { id } = await newest();
    const { data } = await apps().getWebhookDelivery({ delivery_id: id });
    const sent = world.receiver.last('issue_comment.created');
    expect(data).toMatchObject({
      guid: sent.headers['x-github-delivery'],
      url: world.receiver.url,
      request: { headers: { 'X-GitHub-Event': 'issue_comment' }, payload: sent.payload },
      response: { payload: 'accepted' },
    });
    expect(await statusOf(apps().getWebhookDelivery({ delivery_id: 1 }))).toBe(404);
  });

  it('are paged by cursor', async () => {
    const ids: number[] = [];
    const octokit = world.app;
    const pages = octokit.paginate.iterator(octokit.rest.apps.listWebhookDeliveries, {
      per_page: 4,
    });
    for await (const { data } of pages) ids.push(...data.map(({ id }) => id));
    const { data } = await apps().listWebhookDeliveries({ per_page: 100 });
    expect(ids).toEqual(data.map(({ id }) => id));
    expect(ids).toEqual(ids.toSorted((a, b) => b - a));
    expect(await statusOf(apps().listWebhookDeliveries({ cursor: 'nonsense' }))).toBe(422);
  });

  it.each([
    { answer: 500, status: 'Invalid HTTP Response: 500' },
    { answer: 404, status: 'Invalid HTTP Response: 404' },
    { answer: 302, status: 'Invalid HTTP Response: 302' },
    { answer: 204, status: 'OK' },
  ])('are recorded as $status, and not tried again', async ({ answer, status }) => {
    world.receiver.answer = (response) => response.writeHead(answer, { location: '/x' }).end();
    await comment();
    expect(await newest()).toMatchObject({ status, status_code: answer });
    expect(world.receiver.take()).toEqual(['issue_comment.created']);
    const wanted = status === 'OK' ? 'success' : 'failure';
    const { data } = await apps().listWebhookDeliveries({ status: wanted });
    expect(data[0]).toMatchObject({ status });
    expect(data.every((one) => (one.status === 'OK') === (wanted === 'success'))).toBe(true);
  });

  it('are recorded as failed when nobody listens or somebody hangs up', async () => {
    world.receiver.answer = (response) => response.destroy();
    await comment();
    expect(await newest()).toMatchObject({ status: 'failed to connect to host', status_code: 0 });
    world.github.setWebhook('http://127.0.0.1:1/nobody', 'a secret');
    await comment();
    expect(await newest()).toMatchObject({ status: 'failed to connect to host', status_code: 0 });
    world.github.setWebhook(world.receiver.url, world.receiver.secret);
  });

  it('keep no more of an answer than people look at', async () => {
    world.receiver.answer = (response) => response.writeHead(200).end('x'.repeat(1024 ** 2));
    await comment();
    const { id } = await newest();
    const { data } = await apps().getWebhookDelivery({ delivery_id: id });
    expect(String(data.response.payload)).toHaveLength(64 * 1024);
  });

  it('are repeated with the same bytes under the same guid, when the App asks', async () => {
    world.receiver.answer = (response) => response.writeHead(503).end();
    await comment();
    const failed = await newest();
    const first = world.receiver.last('issue_comment.created');
    world.receiver.answer = (response) => response.writeHead(202).end();
    const redeliver = await apps().redeliverWebhookDelivery({ delivery_id: failed.id });
    expect(redeliver.status).toBe(202);
    const again = await newest();
    expect(again).toMatchObject({ guid: failed.guid, redelivery: true, status: 'OK' });
    expect(again.id).not.toBe(failed.id);
    const second = world.receiver.last('issue_comment.created');
    expect(second).not.toBe(first);
    expect(second.bytes.equals(first.bytes)).toBe(true);
    expect(second.headers['x-github-delivery']).toBe(failed.guid);
    expect(await world.receiver.isSigned(second)).toBe(true);
    // Both tries are on record.
    const { data } = await apps().listWebhookDeliveries({ per_page: 2 });
    expect(data.map(({ status_code }) => status_code)).toEqual([202, 503]);
    expect(await statusOf(apps().redeliverWebhookDelivery({ delivery_id: 1 }))).toBe(404);
  });

  it('are the App’s alone', async () => {
    const asWriter = world.as('writer').rest.apps;
    expect(await statusOf(asWriter.listWebhookDeliveries())).toBe(401);
    const { id } = await newest();
    expect(await statusOf(asWriter.redeliverWebhookDelivery({ delivery_id: id }))).toBe(401);
    expect(await statusOf(world.installation.rest.apps.getAuthenticated())).toBe(200);
  });

  it('leave in the order in which things happened', async () => {
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const answers: (() => void)[] = [];
    world.receiver.answer = (response) => answers.push(() => response.writeHead(202).end());
    const said = await Promise.all([comment(), comment(), comment()]);
    const oldestFirst = said.map(({ data }) => data.id).toSorted((a, b) => a - b);
    // The next one is sent when the one before is answered.
    while (world.receiver.take().length < 1) await turn();
    expect(answers).toHaveLength(1);
    for (let answered = 0; answered < said.length; answered++) {
      while (answers.length === 0) await turn();
      answers.shift()?.();
    }
    await world.github.webhooksSettled();
    const told = world.receiver.received.slice(-3).map(({ payload }) => payload['comment']);
    expect(told).toMatchObject(oldestFirst.map((id) => ({ id })));
  });
});
