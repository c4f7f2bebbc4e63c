/** Threat 8: a repository that the App may not see any more, or that somebody else has now, costs nothing more. */
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { AppUnderTest } from './app-under-test.ts';
import { commentCreated, repositoryOfDeliveries } from './deliveries.ts';
import { repositoryId, type FakeCheck, type FakeComment } from './fake-github.ts';

let app: AppUnderTest;

beforeAll(async () => {
  app = await AppUnderTest.prepare();
  await app.start();
});
afterAll(() => app.close());
afterEach(() => {
  app.world.jobStates = ['queued', 'running'];
  app.github.installation = { id: 31, suspended_at: null };
  app.github.repository = { id: repositoryId, archived: false };
});

/** How often GitHub was asked which installation there is. */
function looks(): number {
  const asks = /^GET \/(app\/installations\/31|repos\/acme\/digits\/installation)$/;
  return app.github.requests.filter((route) => asks.test(route)).length;
}

/** Whatever was delivered before it has been handled, or is left for later, once this is answered. */
async function settle(): Promise<void> {
  const help = app.github.comment('/help', 'olivia', app.world.now);
  await app.deliver(commentCreated(help));
  await app.until('the help', () => app.answersTo(help)[0]);
}

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

interface LostAccess {
  readonly event: string;
  readonly name: string;
  /** As it is sent of this repository or installation, and of another one. */
  readonly payload: (isOurs: boolean) => object;
  /** What GitHub shows from then on. */
  readonly lose: () => void;
}

const ofInstallation = (action: string, lose: () => void): LostAccess => ({
  ...{ event: `installation.${action}`, name: 'installation', lose },
  payload: (isOurs) => ({ action, installation: isOurs ? installation : { id: 32 }, sender }),
});
const ofRepository = (action: string, lose: () => void): LostAccess => ({
  ...{ event: `repository.${action}`, name: 'repository', lose },
  payload: (isOurs) => ({
    ...{ action, installation, sender },
    repository: isOurs ? repository : other,
  }),
});
const events: readonly LostAccess[] = [
  ofInstallation('deleted', () => (app.github.installation = undefined)),
  ofInstallation('suspend', () => {
    app.github.installation = { id: 31, suspended_at: '2026-01-02T03:00:00Z' };
  }),
  {
    ...{ event: 'installation_repositories.removed', name: 'installation_repositories' },
    payload: (isOurs) => ({
      ...{ action: 'removed', installation, sender, repositories_added: [] },
      repositories_removed: [isOurs ? repository : other],
    }),
    // A public repository is still shown to every App.
    lose: () => (app.github.installation = undefined),
  },
  // Whoever has it now has installed the App too.
  ofRepository('transferred', () => (app.github.installation = { id: 77, suspended_at: null })),
  ofRepository('archived', () => (app.github.repository = { id: repositoryId, archived: true })),
  ofRepository('deleted', () => (app.github.repository = undefined)),
  // Its name was given up, and somebody else has taken it.
  {
    ...ofRepository('deleted', () => (app.github.repository = { id: 4_711, archived: false })),
    event: 'repository.deleted, with another one under its name,',
  },
];

it.each(events)('$event ends what runs, and nothing else', async ({ name, payload, lose }) => {
  const { comment, check, job } = await running();
  expect(await app.deliver(payload(false), { event: name })).toBe(202);
  await settle();
  expect(app.world.cancelled).not.toContain(job);
  lose();
  expect(await app.deliver(payload(true), { event: name })).toBe(202);
  await app.until('the end', () => (check.status === 'completed' ? true : undefined), 500);
  expect(app.world.cancelled).toContain(job);
  const card = app.answersTo(comment).find((text) => text.includes(check.external_id));
  expect(card).not.toContain('**Trained**');
});

it.each(events)(
  '$event ends what runs when GitHub can say so again',
  async ({ name, payload, lose }) => {
    const { check, job } = await running();
    lose();
    const asksGitHub = /^GET .*\/(installation|installations\/31|repos\/acme\/digits)$/;
    app.github.faults.push({ route: asksGitHub, when: 'before' });
    expect(await app.deliver(payload(true), { event: name })).toBe(202);
    await app.until('the fault', () => (app.github.faults.length === 0 ? true : undefined));
    await app.until('the end', () => (check.status === 'completed' ? true : undefined), 500);
    expect(app.world.cancelled).toContain(job);
  },
);

it.each(events)(
  '$event ends what runs although GitHub shows it late',
  async ({ name, payload, lose }) => {
    const { check, job } = await running();
    const before = looks();
    expect(await app.deliver(payload(true), { event: name })).toBe(202);
    await app.until('a look', () => (looks() > before ? true : undefined));
    await settle();
    expect(app.world.cancelled).not.toContain(job);
    lose();
    await app.until('the end', () => (check.status === 'completed' ? true : undefined), 500);
    expect(app.world.cancelled).toContain(job);
  },
);

it.each(events)(
  '$event of long ago ends nothing when it is sent again',
  async ({ name, payload }) => {
    const { check, job } = await running();
    const before = looks();
    expect(await app.deliver(payload(true), { event: name })).toBe(202);
    await app.until('the last look', () => (looks() === before + 3 ? true : undefined), 500);
    await settle();
    expect(looks()).toBe(before + 3);
    expect(app.world.cancelled).not.toContain(job);
    expect(check.status).not.toBe('completed');
    app.world.jobStates = ['succeeded'];
    await app.until('the end', () => (check.status === 'completed' ? true : undefined), 500);
    expect(check.conclusion).toBe('success');
  },
);
