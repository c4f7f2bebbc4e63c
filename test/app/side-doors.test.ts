/** Threats 10 and 11: buttons, Re-run and replays have no more rights than a comment, and happen once. */
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { AppUnderTest } from './app-under-test.ts';
import { checkClicked, commentCreated } from './deliveries.ts';
import { repositoryId, type FakeCheck, type FakeComment } from './fake-github.ts';

let app: AppUnderTest;
let check: FakeCheck;
const olivia = { id: 7, login: 'olivia' };
const rae = { id: 8, login: 'rae' };

beforeAll(async () => {
  app = await AppUnderTest.prepare();
  await app.start();
  await app.deliver(commentCreated(app.github.comment('/train', 'olivia', app.world.now)));
  check = await app.until('the check', () => app.github.checks[0]);
  await ended(check);
});
afterAll(() => app.close());
afterEach(() => {
  app.github.pull.headRepositoryId = repositoryId;
});

async function ended(one: FakeCheck): Promise<void> {
  await app.until('the end', () => (one.status === 'completed' ? true : undefined), 500);
}

/** Whatever was delivered before it has been handled once this is answered. */
async function settle(): Promise<void> {
  const comment = app.github.comment('/help', 'olivia', app.world.now);
  await app.deliver(commentCreated(comment));
  await app.until('the help', () => app.answersTo(comment)[0]);
}

function click(
  payload: ReturnType<typeof checkClicked>,
  options: { readonly id?: string; readonly event?: string } = {},
): Promise<number> {
  return app.deliver(payload, { event: 'check_run', ...options });
}

async function answerOf(act: () => Promise<unknown>): Promise<string> {
  const known = app.github.comments.length;
  await act();
  return app.until('an answer', () => app.github.comments[known]?.body);
}

it('Re-run and Retry are decided anew, for those who may', async () => {
  for (const button of [undefined, 'retry']) {
    const checks = app.github.checks.length;
    expect(await answerOf(() => click(checkClicked(check, rae, button)))).toMatch(/write access/);
    app.github.pull.headRepositoryId = 4_711;
    expect(await answerOf(() => click(checkClicked(check, olivia, button)))).toMatch(/fork/);
    app.github.pull.headRepositoryId = repositoryId;
    // Another check's bytes, such as GitHub sends of a later click.
    const later = { ...check, conclusion: 'neutral' };
    await click(checkClicked({ ...later, app: { id: 1 } }, olivia, button));
    await click(checkClicked({ ...later, external_id: 'aaaaaaaa' }, olivia, button));
    await settle();
    expect(app.github.checks).toHaveLength(checks);
    await click(checkClicked(later, olivia, button));
    const again = await app.until('the new check', () => app.github.checks[checks]);
    expect(again.head_sha).toBe(check.head_sha);
    expect(again.external_id).not.toBe(check.external_id);
    await ended(again);
  }
});

it('the same click happens once, under whatever delivery id', async () => {
  const checks = app.github.checks.length;
  const payload = checkClicked({ ...check, conclusion: 'skipped' }, olivia, 'retry');
  for (const id of ['click-1', 'click-2', 'click-1']) await click(payload, { id });
  const again = await app.until('the new check', () => app.github.checks[checks]);
  await ended(again);
  await settle();
  expect(app.github.checks).toHaveLength(checks + 1);
});

it('a signed body does nothing under the name of another event', async () => {
  const known = [app.github.checks.length, app.github.comments.length];
  const written: FakeComment = {
    ...{ id: 1, body: '/train', created_at: app.world.now.toISOString() },
    user: { ...olivia, type: 'User' },
    performed_via_github_app: null,
  };
  const bodies = [
    commentCreated(written),
    checkClicked(check, olivia),
    checkClicked(check, olivia, 'retry'),
  ];
  for (const event of ['issue_comment', 'pull_request', 'push', 'installation', 'repository']) {
    for (const body of bodies) expect(await app.deliver(body, { event })).toBe(202);
  }
  await settle();
  // The settling comment and its answer.
  expect([app.github.checks.length, app.github.comments.length - 2]).toEqual(known);
});

it('a run of another pull request is not done again', async () => {
  const comment = app.github.comment(`/retry ${check.external_id}`, 'olivia', app.world.now);
  const elsewhere = { issue: { number: 2, pull_request: {} } };
  await app.deliver(commentCreated(comment, elsewhere));
  expect(await app.until('an answer', () => app.answersTo(comment)[0])).toMatch(
    /is one of pull request 1/,
  );
});
