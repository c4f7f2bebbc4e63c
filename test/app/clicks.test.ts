/** Buttons of a check, Re-run and a newer push: signed deliveries in, what people see out. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { AppUnderTest } from './app-under-test.ts';
import { checkClicked, commentCreated, pullSynchronized } from './deliveries.ts';
import { head, type FakeCheck, type FakeComment } from './fake-github.ts';

let app: AppUnderTest;
const olivia = { id: 7, login: 'olivia' };
const rae = { id: 8, login: 'rae' };

beforeAll(async () => {
  app = await AppUnderTest.prepare();
  await app.start();
});
afterAll(() => app.close());

async function train(): Promise<{ comment: FakeComment; check: FakeCheck }> {
  const known = app.github.checks.length;
  const comment = app.github.comment('/train', 'olivia', app.world.now);
  await app.deliver(commentCreated(comment));
  const check = await app.until('the check', () => app.github.checks[known]);
  return { comment, check };
}

function click(...args: Parameters<typeof checkClicked>): Promise<number> {
  return app.deliver(checkClicked(...args), { event: 'check_run' });
}

function ended(check: FakeCheck, conclusion: string): Promise<boolean> {
  return app.until(conclusion, () => (check.conclusion === conclusion ? true : undefined), 500);
}

/** Whatever was delivered before it has been handled once this is answered. */
async function settle(): Promise<void> {
  const comment = app.github.comment('/help', 'olivia', app.world.now);
  await app.deliver(commentCreated(comment));
  await app.until('the help', () => app.answersTo(comment).find((text) => text.includes('/train')));
}

it('Cancel ends the run, for those who may and on checks of ours only', async () => {
  const { check, comment } = await train();
  expect(check.actions?.map(({ identifier }) => identifier)).toEqual(['cancel', 'logs']);
  await click({ ...check, app: { id: 1 } }, olivia, 'cancel');
  await click({ ...check, external_id: 'nosuchid' }, olivia, 'cancel');
  await click(check, { ...olivia, type: 'Bot' }, 'cancel');
  await click(check, olivia, 'format-disk');
  await click(check, rae, 'cancel');
  await settle();
  await app.until('the refusal', () =>
    app.answersTo(comment).find((text) => text.includes('write access')),
  );
  expect(check.status).not.toBe('completed');
  await click(check, olivia, 'cancel');
  await ended(check, 'cancelled');
  expect(check.actions?.map(({ identifier }) => identifier)).toEqual(['retry', 'logs']);
});

it('a newer push marks the cards of older commits, an ended one too, once', async () => {
  const { check, comment } = await train();
  await ended(check, 'success');
  const card = await app.until('the card', () =>
    app.github.comments.find(
      ({ body }) => body.includes('**Trained**') && body.includes(check.external_id),
    ),
  );
  expect(card.id).toBeGreaterThan(comment.id);
  await app.deliver(pullSynchronized(app.world.now, head), { event: 'pull_request' });
  await settle();
  expect(card.body).not.toContain('Superseded');
  const newer = 'b'.repeat(40);
  app.github.pull.head = newer;
  await app.deliver(pullSynchronized(app.world.now, newer), { event: 'pull_request' });
  await app.until('the mark', () => (card.body.includes('Superseded') ? true : undefined));
  expect(card.body).toContain('`bbbbbbb`');
  expect(check.conclusion).toBe('success');
});
