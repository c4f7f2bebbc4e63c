/** Every command in every circumstance that it can meet: who gives it, what became of its pull request meanwhile. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { commandRegistry } from '../../shared/command/command-registry.ts';
import { parseMarker } from '../../shared/report/marker.ts';
import { AppUnderTest } from './app-under-test.ts';
import { commentCreated } from './deliveries.ts';
import { repositoryId, type FakeComment } from './fake-github.ts';

let app: AppUnderTest;
/** A run that has ended, so that every command about runs has one. */
let runId: string;
let people = 1_000;
const standard = { permission: 'write' };

beforeAll(async () => {
  app = await AppUnderTest.prepare();
  await app.start();
  const comment = await say('/train');
  const card = await app.until(
    'a run',
    () => app.answersTo(comment).find((body) => body.includes('**Trained**')),
    500,
  );
  runId = parseMarker(card)?.runId ?? '';
});
afterAll(() => app.close());
afterEach(() => {
  app.github.refused = undefined;
  app.github.name = 'digits';
  Object.assign(app.github.pull, {
    ...{ state: 'open', pushedAt: '2020-01-01T00:00:00Z', archived: false },
    headRepositoryId: repositoryId,
  });
  app.world.jobStates = ['queued', 'pending', 'running', 'succeeded'];
});

/** Somebody who has not been heard of: nobody's answers are counted against them. */
function somebody(permission = standard.permission): string {
  people += 1;
  const login = `person-${people}`;
  app.github.permissions[login] = { id: people, permission };
  return login;
}

interface Circumstance {
  readonly login?: string;
  readonly changes?: (comment: FakeComment) => Record<string, unknown>;
}

async function say(
  text: string,
  { login = 'olivia', changes }: Circumstance = {},
): Promise<FakeComment> {
  const comment = app.github.comment(text, login, app.world.now);
  expect(await app.deliver(commentCreated(comment, changes?.(comment)))).toBe(202);
  return comment;
}

async function answerTo(text: string, circumstance?: Circumstance): Promise<string> {
  const comment = await say(text, circumstance);
  return app.until(`an answer to ${text}`, () => app.answersTo(comment)[0]);
}

/** Whatever was delivered before it has been handled once this is answered. */
async function settle(): Promise<void> {
  await answerTo('/help');
}

interface Row {
  readonly text: string;
  /** What it says when all is well. */
  readonly allowed: RegExp;
  /** Starts something, and so needs a commit that may be run. */
  readonly starts?: true;
  /** Is told to everybody. */
  readonly isPublic?: true;
  /** Does again what was pinned before; a push does not matter. */
  readonly isPinned?: true;
}

/** A dry run goes the whole way but for the last step; the last step has tests of its own. */
const rows: readonly Row[] = [
  { text: '/train gpu=T4 dry-run', allowed: /\*\*Dry run\*\* of .* on 1 × T4/, starts: true },
  { text: '/build dry-run', allowed: /\*\*Dry run\*\* of the image of `aaaaaaa`/, starts: true },
  { text: '/retry dry-run', allowed: /\*\*Dry run\*\*/, starts: true, isPinned: true },
  { text: '/status', allowed: /\| run \| commit/ },
  { text: '/logs', allowed: /\*\*Log\*\*|nothing to a log/ },
  { text: '/compare', allowed: /has metrics/ },
  { text: '/cost', allowed: /for 1 run of this pull request/ },
  { text: '/cancel', allowed: /Nothing of this pull request is running/ },
  { text: '/help', allowed: /\/train/, isPublic: true },
];
const cases = rows.map((row) => [row.text, row] as const);
const notPublic = cases.filter(([, { isPublic }]) => isPublic !== true);
const starting = cases.filter(([, { starts }]) => starts === true);
const others = cases.filter(([, { starts }]) => starts !== true);

/** These have files of their own. */
const elsewhere = ['approve', 'trigger'];

it('has a row for every command', () => {
  const covered = rows.map(({ text }) => text.slice(1).split(' ')[0]);
  const all = commandRegistry.map(({ name }) => name).filter((name) => !elsewhere.includes(name));
  expect(new Set(covered)).toEqual(new Set(all));
});

async function withoutEffect(act: () => Promise<void>): Promise<void> {
  const known = [app.world.builds.length, app.world.jobs.length, app.github.checks.length];
  await act();
  expect([app.world.builds.length, app.world.jobs.length, app.github.checks.length]).toEqual(known);
}

function facesOf(comment: FakeComment): string[] {
  return app.github.reactions
    .filter(({ commentId }) => commentId === comment.id)
    .map(({ content }) => content);
}

describe('somebody with write access', () => {
  it.each(cases)('%s is answered', async (text, { allowed }) => {
    await withoutEffect(async () => {
      expect(await answerTo(text, { login: somebody() })).toMatch(allowed);
    });
  });
});

describe.each(['read', 'triage', 'none'])('somebody with permission %s', (permission) => {
  it.each(notPublic)('%s is refused, without a reaction', async (text) => {
    const comment = await say(text, { login: somebody(permission) });
    const answer = await app.until('an answer', () => app.answersTo(comment)[0]);
    expect(answer).toMatch(/write access|may (?:start|see)/);
    expect(answer).not.toContain(runId);
    expect(facesOf(comment)).toEqual([]);
  });
});

describe('a bot', () => {
  it.each(cases)('%s is not heard', async (text) => {
    const before = app.github.comments.length;
    const user = { id: 3, login: 'ci[bot]', type: 'Bot' };
    const comment = app.github.comment(text, 'olivia', app.world.now);
    comment.user = user;
    await app.deliver(commentCreated(comment, { sender: user }));
    await settle();
    // The comment, the settling one and its answer.
    expect(app.github.comments).toHaveLength(before + 3);
  });
});

describe('a pull request from a fork', () => {
  it.each(starting)('%s is refused', async (text) => {
    app.github.pull.headRepositoryId = 4_711;
    expect(await answerTo(text)).toMatch(/fork/);
  });
  it.each(others)('%s works', async (text, { allowed }) => {
    app.github.pull.headRepositoryId = 4_711;
    expect(await answerTo(text)).toMatch(allowed);
  });
});

describe('a push between the comment and its handling', () => {
  it.each(cases)('%s', async (text, { allowed, starts, isPinned }) => {
    app.github.pull.pushedAt = new Date(app.world.now.getTime() + 1_000).toISOString();
    const isMoved = starts === true && isPinned !== true;
    expect(await answerTo(text)).toMatch(isMoved ? /A push may lie between/ : allowed);
  });
});

describe('a closed pull request', () => {
  it.each(starting)('%s is refused', async (text) => {
    app.github.pull.state = 'closed';
    expect(await answerTo(text)).toMatch(/closed/);
  });
  it.each(others)('%s works', async (text, { allowed }) => {
    app.github.pull.state = 'closed';
    expect(await answerTo(text)).toMatch(allowed);
  });
});

const readOnly = [
  ['a locked conversation', 'Unable to create comment because issue is locked.', false],
  ['an archived repository', 'Repository was archived so is read-only.', true],
] as const;

describe.each(readOnly)('%s', (_what, message, archived) => {
  it.each(cases)('%s is handled, and not again and again', async (text) => {
    await withoutEffect(async () => {
      app.github.pull.archived = archived;
      const route = archived ? /^(?:POST|PATCH) \/repos/ : /^POST .*\/(?:comments|reactions)$/;
      app.github.refused = { route, message };
      const asked = (): number =>
        app.github.requests.filter((one) => /^POST .*\/issues\/1\/comments$/.test(one)).length;
      const before = asked();
      const comment = await say(text);
      await app.until('the attempt', () => (asked() > before ? true : undefined));
      // Whatever waits for another attempt is due now.
      app.world.now = new Date(app.world.now.getTime() + 300_000);
      app.github.refused = undefined;
      app.github.pull.archived = false;
      await settle();
      await settle();
      // The settling ones.
      expect(app.answersTo(comment)).toHaveLength(2);
      expect(asked()).toBe(before + 3);
    });
  });
});

describe('a renamed repository', () => {
  it.each(cases)('%s works under the new name', async (text, { allowed }) => {
    app.github.name = 'numbers';
    const changes = (comment: FakeComment): Record<string, unknown> => ({
      repository: {
        ...commentCreated(comment).repository,
        name: 'numbers',
        full_name: 'acme/numbers',
      },
    });
    expect(await answerTo(text, { changes })).toMatch(allowed);
  });
});

describe('somebody whose permission is revoked while their run goes on', () => {
  it.each(notPublic)('%s is refused, and the run is not theirs to touch', async (text) => {
    app.world.jobStates = ['queued'];
    const login = somebody();
    const begun = await say('/train', { login });
    await app.until('the job', () => app.world.jobs.find(isWaiting), 200);
    app.github.permissions[login] = { id: people, permission: 'read' };
    expect(await answerTo(text, { login })).toMatch(/write access|may (?:start|see)/);
    expect(app.world.jobs.some(isWaiting)).toBe(true);
    await say('/cancel all');
    await app.until('the end', () => cardOf(begun)?.includes('**Cancelled**') || undefined, 200);
  });
});

function isWaiting({
  name,
  endTime,
}: {
  readonly name: string;
  readonly endTime?: string;
}): boolean {
  return endTime === undefined && !app.world.cancelled.has(name);
}

function cardOf(comment: FakeComment): string | undefined {
  return app.answersTo(comment).find((body) => body.includes('trainyard:run'));
}
