/** Threat 8: a repository that the App may not see any more, or that somebody else has now, costs nothing more. */
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { AppUnderTest } from './app-under-test.ts';
import { commentCreated, repositoryOfDeliveries } from './deliveries.ts';
import type { FakeCheck, FakeComment } from './fake-github.ts';

let app: AppUnderTest;

beforeAll(async () => {
  app = await AppUnderTest.prepare();
  await app.start();
}, 60_000);
afterAll(() => app.close());
afterEach(() => {
  app.world.jobStates = ['queued', 'running'];
});

async function running(): Promise<{ comment: FakeComment; check: FakeCheck; job: string }> {
  app.world.jobStates = ['queued', 'running'];
  const known = { checks: app.github.checks.length, jobs: app.world.jobs.length };
  const comment = app.github.comment('/train', 'olivia', app.world.now);
  await app.deliver(commentCreated(comment));
  const check = await app.until('the check', () => app.github.checks[known.checks]);
  const job = await app.until('the job', () => app.world.jobs[known.jobs], 200);
  return { comment, check, job: job.name };
}

const sender = { id: 7, login: 'olivia', type: 'User' };
const repository = repositoryOfDeliveries;
const other = { ...repository, id: 666, name: 'other', full_name: 'acme/other' };
const installation = { id: 31 };

/** Each as it is sent of this repository or installation, and of another one. */
const events: readonly (readonly [string, string, (isOurs: boolean) => object])[] = [
  ...(['deleted', 'suspend'] as const).map(
    (action) =>
      [
        `installation.${action}`,
        'installation',
        (isOurs: boolean) => ({ action, installation: isOurs ? installation : { id: 32 }, sender }),
      ] as const,
  ),
  [
    'installation_repositories.removed',
    'installation_repositories',
    (isOurs) => ({
      ...{ action: 'removed', installation, sender, repositories_added: [] },
      repositories_removed: [isOurs ? repository : other],
    }),
  ],
  ...(['transferred', 'archived', 'deleted'] as const).map(
    (action) =>
      [
        `repository.${action}`,
        'repository',
        (isOurs: boolean) => ({
          ...{ action, installation, sender },
          repository: isOurs ? repository : other,
        }),
      ] as const,
  ),
];

it.each(events.map(([event, name, payload]) => ({ event, name, payload })))(
  '$event ends what runs, and nothing else',
  async ({ name, payload }) => {
    const { comment, check, job } = await running();
    expect(await app.deliver(payload(false), { event: name })).toBe(202);
    const help = app.github.comment('/help', 'olivia', app.world.now);
    await app.deliver(commentCreated(help));
    await app.until('the help', () => app.answersTo(help)[0]);
    expect(app.world.cancelled).not.toContain(job);
    expect(await app.deliver(payload(true), { event: name })).toBe(202);
    await app.until('the end', () => (check.status === 'completed' ? true : undefined), 500);
    expect(app.world.cancelled).toContain(job);
    const card = app.answersTo(comment).find((text) => text.includes(check.external_id));
    expect(card).not.toContain('**Trained**');
  },
  60_000,
);
