/** From a signed delivery to what people see, over HTTP on both sides. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { insertDelivery } from '../../app/store/deliveries.ts';
import { openStore } from '../../app/store/open-store.ts';
import { parseMarker } from '../../shared/report/marker.ts';
import { AppUnderTest, log } from './app-under-test.ts';
import { commentCreated, pullSynchronized } from './deliveries.ts';
import { head, type FakeComment } from './fake-github.ts';

let app: AppUnderTest;
let stranded: FakeComment;

beforeAll(async () => {
  app = await AppUnderTest.prepare();
  // A process that stored a delivery and died before it did anything about it.
  stranded = app.github.comment('/help', 'olivia', app.world.now);
  const store = await openStore({ databaseUrl: undefined, dataDir: app.dataDir }, log);
  const body = Buffer.from(JSON.stringify(commentCreated(stranded)));
  const receivedAt = app.world.now;
  await insertDelivery(store.db, { id: 'stranded', event: 'issue_comment', body, receivedAt });
  await store.close();
  await app.start();
});
afterAll(() => app.close());
beforeEach(() => {
  app.github.faults.length = 0;
  app.github.pull.state = 'open';
  app.github.pull.pushedAt = '2020-01-01T00:00:00Z';
});

async function say(text: string, login = 'olivia'): Promise<FakeComment> {
  const comment = app.github.comment(text, login, app.world.now);
  expect(await app.deliver(commentCreated(comment))).toBe(202);
  return comment;
}

function answer(comment: FakeComment): Promise<string> {
  return app.until(`an answer to ${comment.body}`, () => app.answersTo(comment)[0]);
}

/** Whatever was delivered before it has been handled once this is answered. */
async function settle(): Promise<void> {
  await answer(await say('/help'));
}

it('asks GitHub for what it could not deliver, once it listens', async () => {
  const at = app.world.now.toISOString();
  const attempt = (id: number, guid: string, status_code: number, event = 'issue_comment') => ({
    ...{ id, guid, event, status_code, delivered_at: at },
  });
  app.github.failedDeliveries = [
    attempt(5, 'lost', 502),
    attempt(4, 'seen', 200),
    attempt(3, 'seen', 502),
    attempt(2, 'other', 502, 'star'),
    // Taken by us although GitHub did not hear so.
    attempt(1, 'stranded', 504),
  ];
  await app.restart();
  await app.until('what it asks for', () => app.github.redelivered[0]);
  app.github.failedDeliveries = [];
  expect(app.github.redelivered).toEqual([5]);
});

it('handles what an earlier process life stored and did not handle', async () => {
  expect(await answer(stranded)).toContain('/train');
});

describe('a comment that starts nothing', () => {
  it.each([
    { says: '/train gpu=T5', expected: /T4/, reaction: 'confused' },
    { says: '/trian', expected: /\/train/, reaction: 'confused' },
    { says: '/train config=missing.yaml', expected: /missing\.yaml/, reaction: 'confused' },
    { says: '/train dry-run', expected: /n1-standard-8/, reaction: 'eyes' },
    { says: '/help', expected: /\/train/, reaction: undefined },
    { says: '/train', login: 'rae', expected: /write access/, reaction: undefined },
  ])('$says gets one answer', async ({ says, login, expected, reaction }) => {
    const comment = await say(says, login);
    expect(await answer(comment)).toMatch(expected);
    await settle();
    const reactions = app.github.reactions.filter(({ commentId }) => commentId === comment.id);
    if (reaction === undefined) expect(reactions).toEqual([]);
    else expect(reactions.map(({ content }) => content)).toContain(reaction);
    expect(app.world.builds).toEqual([]);
    expect(app.github.checks).toEqual([]);
  });

  it('refuses when a push may lie between the comment and now', async () => {
    app.github.pull.pushedAt = new Date(app.world.now.getTime() + 1_000).toISOString();
    expect(await answer(await say('/train'))).toMatch(/push/);
    expect(app.world.builds).toEqual([]);
  });

  it('refuses what was written long before it could be handled', async () => {
    const comment = app.github.comment('/train', 'olivia', app.world.now);
    app.world.now = new Date(app.world.now.getTime() + 3_600_000);
    await app.deliver(commentCreated(comment));
    expect(await answer(comment)).toMatch(/written 1h ago/);
    expect(app.world.builds).toEqual([]);
  });

  it('refuses a pull request that is closed', async () => {
    app.github.pull.state = 'closed';
    expect(await answer(await say('/train'))).toMatch(/closed/);
  });

  it('refuses a comment that was edited before it was handled', async () => {
    const comment = app.github.comment('/train gpu=T4', 'olivia', app.world.now);
    const asDelivered = structuredClone(comment);
    comment.body = '/train gpu=A100:8';
    await app.deliver(commentCreated(asDelivered));
    expect(await answer(comment)).toMatch(/edited/);
  });

  it.each([
    ['a bot', { user: { id: 3, login: 'ci[bot]', type: 'Bot' } }],
    ['an App in the name of a person', { performed_via_github_app: { id: 1 } }],
    ['somebody other than its author', { user: { id: 1, login: 'olivia', type: 'User' } }],
  ])('says nothing to %s', async (_who, changes) => {
    const comment = app.github.comment('/help', 'olivia', app.world.now);
    const before = app.github.comments.length;
    await app.deliver(commentCreated({ ...comment, ...changes }));
    await settle();
    // The settling comment and its answer.
    expect(app.github.comments).toHaveLength(before + 2);
  });

  it('answers a stranger once in a pull request, and a few times an hour in all', async () => {
    app.github.permissions['sam'] = { id: 666, permission: 'none' };
    const first = await say(Array.from({ length: 8 }, () => '/help').join('\n\n'), 'sam');
    await answer(first);
    await settle();
    await say('/train', 'sam');
    await settle();
    // The two that settle are answered to somebody else.
    expect(app.answersTo(first).length - 2).toBe(1);
    const inPull = (number: number): Record<string, unknown> => ({
      issue: { number, pull_request: {} },
    });
    for (let number = 2; number <= 9; number++) {
      const comment = app.github.comment('/help', 'sam', app.world.now);
      await app.deliver(commentCreated(comment, inPull(number)));
      await settle();
    }
    const asked = app.github.requests.filter((route) =>
      /^POST .*\/issues\/[2-9]\/comments$/.test(route),
    );
    // With the answer and the face in the first one.
    expect(asked).toHaveLength(3);
  });

  it('answers a stranger once, however many comments come at once, and makes a face at a few others', async () => {
    app.github.permissions['tess'] = { id: 667, permission: 'read' };
    const texts = Array.from({ length: 20 }, () => '/help');
    const comments = texts.map((text) => app.github.comment(text, 'tess', app.world.now));
    const before = app.github.comments.length;
    const known = app.github.reactions.length;
    await Promise.all(comments.map((comment) => app.deliver(commentCreated(comment))));
    await app.until('the faces', () =>
      app.github.reactions.length === known + 4 ? true : undefined,
    );
    await settle();
    await settle();
    const ids = new Set(comments.map(({ id }) => id));
    const said = app.github.comments
      .slice(before)
      .flatMap(({ body }) => /trainyard-answer 1001\/comment\/(\d+)\//.exec(body)?.[1] ?? []);
    expect(said.filter((id) => ids.has(Number(id)))).toHaveLength(1);
    const faces = app.github.reactions.filter(({ commentId }) => ids.has(commentId));
    expect(faces.map(({ content }) => content)).toEqual(Array(4).fill('confused'));
    expect(new Set(faces.map(({ commentId }) => commentId)).size).toBe(4);
  });

  it('answers once although the answer’s receipt was lost', async () => {
    app.github.faults.push({ route: /^POST .*\/issues\/1\/comments$/, when: 'after' });
    const comment = await say('/help');
    await app.until('the fault', () => (app.github.faults.length === 0 ? true : undefined));
    const lists = (): number =>
      app.github.requests.filter((route) => /^GET .*\/issues\/1\/comments$/.test(route)).length;
    const before = lists();
    await app.until('a second attempt', () => (lists() > before ? true : undefined), 100);
    await settle();
    expect(app.answersTo(comment)).toHaveLength(2);
  });
});

describe('/train', () => {
  it('becomes one build, one job, one comment and one check, whatever is delivered twice', async () => {
    const comment = app.github.comment('/train gpu=T4', 'olivia', app.world.now);
    const delivery = commentCreated(comment);
    await Promise.all([
      app.deliver(delivery, { id: 'same' }),
      app.deliver(delivery, { id: 'same' }),
      // A replay under another id passes the signature.
      app.deliver(delivery, { id: 'other' }),
    ]);
    await answer(comment);
    const check = await app.until('the check', () => app.github.checks[0]);
    expect(check).toMatchObject({ name: 'trainyard/train', head_sha: head });
    expect(check.status).not.toBe('completed');
    await app.until('the build', () => app.world.builds[0]);
    await app.restart();
    await app.until('the end', () => (check.status === 'completed' ? true : undefined), 500);
    await app.until('the last card', () =>
      app.answersTo(comment)[0]?.includes('**Trained**') === true ? true : undefined,
    );
    await settle();
    expect(check.conclusion).toBe('success');
    expect(app.github.checks).toHaveLength(1);
    expect(app.world.builds).toHaveLength(1);
    expect(app.world.jobs).toHaveLength(1);
    const reactions = app.github.reactions.filter(({ commentId }) => commentId === comment.id);
    // GitHub keeps one of each, however often it is given.
    expect([...new Set(reactions.map(({ content }) => content))]).toEqual(['eyes', 'rocket']);
    const cards = app.answersTo(comment).filter((body) => body.includes('trainyard:run'));
    expect(cards).toHaveLength(1);
  });

  it('finds its comment and check again when GitHub’s answers to their creation were lost', async () => {
    app.github.faults.push({ route: /^POST .*\/issues\/1\/comments$/, when: 'after' });
    app.github.faults.push({ route: /^POST .*\/check-runs$/, when: 'after' });
    app.github.faults.push({ route: /^PATCH .*\/check-runs/, when: 'before' });
    const checksBefore = app.github.checks.length;
    const comment = await say('/train');
    const card = await app.until(
      'the last card',
      () => app.answersTo(comment).find((body) => body.includes('**Trained**')),
      200,
    );
    const check = app.github.checks.at(-1);
    await app.until('the check', () => (check?.status === 'completed' ? true : undefined), 500);
    expect(app.github.checks).toHaveLength(checksBefore + 1);
    expect(app.answersTo(comment)).toEqual([card]);
  });

  it('fails with its reason when the archive is not the commit', async () => {
    app.github.archived = { ...app.github.files, Dockerfile: 'FROM evil\n' };
    const builds = app.world.builds.length;
    const comment = await say('/train');
    const card = await app.until(
      'the failed card',
      () => app.answersTo(comment).find((body) => body.includes('**Failed**')),
      200,
    );
    app.github.archived = undefined;
    expect(card).toContain('export-subst');
    expect(app.world.builds).toHaveLength(builds);
    await app.until('the check', () =>
      app.github.checks.at(-1)?.conclusion === 'failure' ? true : undefined,
    );
  });

  it('trains the commit that was the head when the comment was written', async () => {
    const seen = 'b'.repeat(40);
    await app.deliver(pullSynchronized(new Date(app.world.now.getTime() - 10_000), seen), {
      event: 'pull_request',
    });
    await app.deliver(pullSynchronized(new Date(app.world.now.getTime() + 10_000)), {
      event: 'pull_request',
    });
    const checks = app.github.checks.length;
    await say('/train');
    const check = await app.until('the check', () => app.github.checks[checks]);
    expect(check.head_sha).toBe(seen);
  });
});

describe('/status and /cancel', () => {
  /** A run that waits for its machine until it is told otherwise. */
  async function waiting(): Promise<{ id: string; comment: FakeComment }> {
    app.world.jobStates = ['queued'];
    const comment = await say('/train');
    const card = await app.until('the card', () => app.answersTo(comment)[0]);
    return { id: parseMarker(card)?.runId ?? '', comment };
  }
  afterEach(() => {
    app.world.jobStates = ['queued', 'pending', 'running', 'succeeded'];
  });

  it('lists the runs of the pull request', async () => {
    const { id } = await waiting();
    expect(await answer(await say('/status'))).toContain(`| \`${id}\` |`);
    await say(`/cancel ${id}`);
  });

  it('stops the build and the job of the run, and says so on its card', async () => {
    const jobs = app.world.jobs.length;
    const { id, comment } = await waiting();
    await app.until('the job', () => app.world.jobs[jobs], 200);
    const card = (): string => app.answersTo(comment)[0] ?? '';
    await app.until('the card', () => card().includes(`/cancel ${id}`) || undefined, 200);
    const cancel = await say(`/cancel ${id}`);
    await app.until('the end', () => card().includes('**Cancelled**') || undefined, 200);
    expect(app.world.cancelled).toContain(app.world.jobs.at(-1)?.name);
    await settle();
    // Its card has said it; the settling comment's answer is the only other one.
    expect(app.answersTo(cancel)).toHaveLength(1);
    expect(app.github.reactions).toContainEqual({ commentId: cancel.id, content: 'eyes' });
    expect(await answer(await say(`/cancel ${id}`))).toMatch(/has ended already/);
    expect(await answer(await say('/cancel zzzzzzzz'))).toMatch(
      new RegExp(`no run \`zzzzzzzz\`; its newest are .*\`${id}\``),
    );
  });

  it('is not what /retry means without a name, which says so', async () => {
    const going = await waiting();
    const dry = await answer(await say('/retry dry-run'));
    expect(dry).toMatch(
      new RegExp(
        `- This is \`\\w{8}\` again, the newest run that has ended; \`${going.id}\` goes on\\.`,
      ),
    );
    await say(`/cancel ${going.id}`);
    await app.until(
      'the end',
      () => app.answersTo(going.comment)[0]?.includes('**Cancelled**') || undefined,
      200,
    );
    expect(await answer(await say('/retry dry-run'))).not.toContain('goes on');
  });

  it('asks which one when there are several, and stops all when told so', async () => {
    const first = await waiting();
    const second = await waiting();
    const asked = await answer(await say('/cancel'));
    expect(asked).toContain(`/cancel ${first.id}`);
    expect(asked).toContain(`/cancel ${second.id}`);
    await say('/cancel all');
    for (const { comment } of [first, second]) {
      await app.until(
        'the end',
        () => app.answersTo(comment)[0]?.includes('**Cancelled**') || undefined,
        200,
      );
    }
    expect(await answer(await say('/cancel'))).toMatch(/Nothing of this pull request is running/);
  });

  it.each(['/cancel all', '/status'])('%s is not for people without write access', async (text) => {
    const { id } = await waiting();
    expect(await answer(await say(text, app.github.anotherReader()))).toMatch(/write access/);
    expect(await answer(await say('/status'))).not.toMatch(new RegExp(`${id}.*cancel`));
    await say('/cancel all');
  });

  it('works on a pull request that is closed', async () => {
    const { comment } = await waiting();
    app.github.pull.state = 'closed';
    await say('/cancel');
    await app.until(
      'the end',
      () => app.answersTo(comment)[0]?.includes('**Cancelled**') || undefined,
      200,
    );
  });
});

it('shows runs on the dashboard and counts them, without a script', async () => {
  const page = await fetch(`${app.url}/dashboard`);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  const html = await page.text();
  expect(html).toContain('acme/digits#1');
  expect(html).not.toContain('<script');
  const known = commentCreated(app.github.comment('/help', 'olivia', app.world.now));
  await app.deliver(known, { id: 'twice' });
  await app.deliver(known, { id: 'twice' });
  const metrics = await (await fetch(`${app.url}/metrics`)).text();
  expect(metrics).toMatch(/trainyard_runs\{phase="succeeded"\} \d/);
  expect(metrics).toMatch(/trainyard_commands_total\{verdict="allowed"\} \d/);
  expect(metrics).toMatch(/trainyard_deliveries_total\{result="duplicate"\} 1/);
});
