/**
 * Every command in every circumstance that it can meet, on the sandbox as people start it: who gives it, what became
 * of its pull request, its conversation, its repository or its author's role meanwhile. One answer or none, and
 * nothing launched.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { superviseApp, type SupervisedApp } from '../../sandbox/supervised-app.ts';
import { commandRegistry } from '../../shared/command/command-registry.ts';
import { addressOf, clone } from '../sandbox/github/git-client.ts';
import { eventually, personAt, type Comment, type Role } from './github-user.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

interface Row {
  /** `SHA` is the pull request's newest commit. */
  readonly text: string;
  readonly allowed: RegExp;
  /** What it says of a pull request that has had no run; the same, unless told. */
  readonly ofNone?: RegExp;
  /** Starts something, and so needs a pull request whose commit may be run. */
  readonly starts?: 'newest' | 'pinned';
}

const dryRun = /\*\*Dry run\*\*/;
const noRuns = /^\*\*Not (?:started|done)\*\*.*: (?:There are no runs|No run) of this pull request/;
/** A dry run goes the whole way but for the last step; where nothing may start, it is no dry run that is asked for. */
const rows: readonly Row[] = [
  { text: '/train dry-run', allowed: dryRun, starts: 'newest' },
  { text: '/build dry-run', allowed: dryRun, starts: 'newest' },
  { text: '/retry dry-run', allowed: dryRun, ofNone: noRuns, starts: 'pinned' },
  { text: '/status', allowed: /\| run \| commit/, ofNone: /no run/i },
  { text: '/logs', allowed: /\*\*Log\*\*/, ofNone: noRuns },
  { text: '/compare', allowed: /No run of the default branch has metrics/, ofNone: noRuns },
  { text: '/cost', allowed: /for \d runs? of this pull request/, ofNone: /no run/i },
  { text: '/cancel all', allowed: /Nothing of this pull request is running/ },
  { text: '/approve SHA', allowed: /comes from the repository itself and needs no approval/ },
  { text: '/trigger list', allowed: /on-branch/ },
  { text: '/help', allowed: /\/train \[key=value/ },
];

/** Can deploy, and is only tried where it must not run. */
const deploys: Row = {
  text: '/trigger run on-branch head',
  allowed: /is never started/,
  starts: 'newest',
};

it('has a row for every command', () => {
  const named = rows.map(({ text }) => text.slice(1).split(' ')[0]);
  expect(new Set(named)).toEqual(new Set(commandRegistry.map(({ name }) => name)));
});

const triggers = `triggers:
  - name: on-branch
    on: push
    branch: ^never$
    config: cloudbuild.yaml
    run: {allowed: true, head: true}
`;
let sandbox: TemporarySandbox;
let app: SupervisedApp;
const appLines: string[] = [];
/** Pull requests that nobody was answered in yet, one for each command. */
const untouched: number[] = [];
let forked = 0;

beforeAll(async () => {
  sandbox = await startTemporarySandbox();
  await startApp();
  await openPulls();
  const asked = await say('/train', 'owner');
  await eventually('a run', () => cardAfter(asked, '**Trained**'), 300_000);
}, 400_000);
afterAll(async () => {
  await app.stop();
  await sandbox.close();
});

async function startApp(): Promise<void> {
  app = superviseApp(sandbox.appEnvironment, (line) => appLines.push(line));
  await app.untilReady(new URL(sandbox.description.app.webhook).origin);
}

/** Also declares a trigger in the default branch. */
async function openPulls(): Promise<void> {
  const { web, repo, tokens } = sandbox.description.github;
  const { git, commit, commitOn, remove } = await clone(addressOf(web, repo, tokens.owner));
  try {
    const file = '.github/trainyard.yml';
    const path = join(import.meta.dirname, '../../examples/digits', file);
    await commit({ [file]: (await readFile(path, 'utf8')) + triggers });
    const branches = rows.map((_, index) => `other-${index}`);
    await git('push', '--quiet', 'origin', 'HEAD:main');
    await commitOn('main', { 'NOTES.md': 'x\n' });
    await git('push', '--quiet', 'origin', ...branches.map((one) => `HEAD:refs/heads/${one}`));
    await personAt(sandbox, 'stranger').api(`/repos/${repo}/forks`, { body: {} });
    const fork = addressOf(web, 'sam/digits', tokens.stranger);
    await git('push', '--quiet', fork, 'HEAD:refs/heads/mine');
    for (const head of branches) untouched.push(await openPull('owner', head));
    forked = await openPull('stranger', 'sam:mine');
  } finally {
    await remove();
  }
}

async function openPull(role: Role, head: string): Promise<number> {
  const body = { title: 'Another', head, base: 'main' };
  const path = `/repos/${sandbox.description.github.repo}/pulls`;
  return (await personAt(sandbox, role).api<{ number: number }>(path, { body })).number;
}

/** The repository under the name that it had first: who is led elsewhere follows. */
const repo = '/repos/acme/digits';

async function say(text: string, role: Role, pull = 1): Promise<Comment> {
  const { api } = personAt(sandbox, role);
  const { head } = await api<{ head: { sha: string } }>(`${repo}/pulls/${pull}`);
  const body = text.replace('SHA', head.sha);
  return api<Comment>(`${repo}/issues/${pull}/comments`, { body: { body } });
}

async function botsAfter(comment: Comment, pull = 1): Promise<readonly Comment[]> {
  const since = `since=${comment.created_at}&per_page=100`;
  const all = await personAt(sandbox).api<Comment[]>(`${repo}/issues/${pull}/comments?${since}`);
  return all.filter(({ user }) => user.type === 'Bot');
}

/** Each answer names the command that it is to. */
async function answersTo(comment: Comment, pull = 1): Promise<readonly string[]> {
  const mark = `trainyard-answer 1001/comment/${comment.id}/`;
  const bodies = (await botsAfter(comment, pull)).map(({ body }) => body);
  return bodies.filter((body) => body.includes(mark));
}

async function cardAfter(comment: Comment, words: string): Promise<Comment | undefined> {
  return (await botsAfter(comment)).find(({ id, body }) => id > comment.id && body.includes(words));
}

async function launched(): Promise<readonly number[]> {
  const { jobs, builds } = personAt(sandbox);
  return [(await jobs()).length, (await builds()).length];
}

const patch = (path: string, body: object, method = 'PATCH'): Promise<unknown> =>
  quietly(path, method, body);

/** An owner's act that answers with nothing. */
async function quietly(path: string, method: string, body?: object): Promise<void> {
  const { api, tokens } = sandbox.description.github;
  const response = await fetch(`${api}${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens.owner}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect([200, 204]).toContain(response.status);
}

/** What the pull request's newest commit was when the comments were written. */
let headBefore = '';

async function forcePush(): Promise<void> {
  headBefore = await personAt(sandbox).head();
  const { web, tokens } = sandbox.description.github;
  const { git, commitOn, remove } = await clone(addressOf(web, 'acme/digits', tokens.owner));
  try {
    await commitOn('main', { 'PUSHED.md': `after ${headBefore}\n` });
    await git('push', '--quiet', '--force', 'origin', 'HEAD:tune-learning-rate');
  } finally {
    await remove();
  }
}

interface Circumstance {
  readonly name: string;
  readonly expected: (row: Row) => RegExp;
  /** Whether the command is given without `dry-run`: it must not start anything. */
  readonly isInEarnest?: (row: Row) => boolean;
  readonly role?: (index: number) => Role;
  readonly pull?: (index: number) => number;
  readonly rows?: readonly Row[];
  readonly before?: () => Promise<unknown>;
  /** Happens while the App is down: after the comments, and before it hears of them. */
  readonly between?: () => Promise<unknown>;
  /** GitHub takes no answer. */
  readonly isSilent?: true;
  readonly after?: () => Promise<unknown>;
}

const allowed = ({ allowed }: Row): RegExp => allowed;
const isApprove = ({ text }: Row): boolean => text.startsWith('/approve');
const circumstances: readonly Circumstance[] = [
  { name: 'somebody with write access', expected: allowed },
  {
    name: 'somebody without',
    // To everybody without write access one answer in a pull request, and five in an hour.
    rows: rows.filter(({ text }) => text !== '/help'),
    role: (index) => (index < 5 ? 'reader' : 'stranger'),
    pull: (index) => untouched[index] ?? 0,
    isInEarnest: () => true,
    expected: () => /write access/,
  },
  {
    name: 'a pull request from a fork',
    pull: () => forked,
    rows: [...rows, deploys],
    isInEarnest: () => true,
    expected: (row) =>
      row.starts === 'newest' || isApprove(row)
        ? /from (?:a fork|forks)/
        : (row.ofNone ?? row.allowed),
  },
  {
    // The App has heard of nothing but its comments.
    name: 'a forced push between the comment and its handling',
    rows: [...rows, deploys],
    between: forcePush,
    isInEarnest: ({ starts }) => starts === 'newest',
    expected: (row) => (row.starts === 'newest' ? /A push may lie between/ : row.allowed),
  },
  {
    name: 'a forced push to a pull request whose head was known',
    between: forcePush,
    expected: (row) =>
      row.starts === 'newest'
        ? new RegExp(
            String.raw`^\*\*Dry run\*\* of (?:the image of )?\`${headBefore.slice(0, 7)}\``,
          )
        : row.allowed,
  },
  {
    name: 'a closed pull request',
    rows: [...rows, deploys],
    isInEarnest: () => true,
    before: () => patch(`${repo}/pulls/1`, { state: 'closed' }),
    expected: (row) => (row.starts !== undefined || isApprove(row) ? /is closed/ : row.allowed),
    after: () => patch(`${repo}/pulls/1`, { state: 'open' }),
  },
  {
    name: 'a locked conversation',
    before: () => quietly(`${repo}/issues/1/lock`, 'PUT'),
    expected: () => /GitHub takes none/,
    isSilent: true,
    after: () => quietly(`${repo}/issues/1/lock`, 'DELETE'),
  },
  {
    name: 'a repository renamed between the comment and its handling',
    between: () => patch(repo, { name: 'numbers' }),
    expected: allowed,
  },
  {
    name: 'a repository that was renamed',
    expected: allowed,
    after: () => patch('/repos/acme/numbers', { name: 'digits' }),
  },
  {
    name: 'a repository archived between the comment and its handling',
    between: () => patch(repo, { archived: true }),
    rows: [...rows, deploys],
    isInEarnest: () => true,
    expected: () => /GitHub takes none/,
    isSilent: true,
    after: () => patch(repo, { archived: false }),
  },
];

const notTaken = (): number =>
  appLines.filter((line) => line.includes('GitHub took no answer to a command')).length;

/** A mark at a refusal and at a plan; strangers get a sentence and no conversation. */
function reactionsTo(answer: string): readonly string[] {
  if (answer.includes('write access')) return [];
  if (/^\*\*Not (?:started|done)\*\*/.test(answer)) return ['confused'];
  return dryRun.test(answer) ? ['eyes'] : [];
}

describe.each(circumstances)('$name', (circumstance) => {
  const { role = () => 'owner' as const, pull = () => 1, isSilent = false } = circumstance;
  const { isInEarnest = () => false } = circumstance;
  const { rows: own = rows, expected, before, between, after } = circumstance;
  const comments: Comment[] = [];
  let launchedBefore: readonly number[] = [];

  beforeAll(async () => {
    launchedBefore = await launched();
    await before?.();
    if (between !== undefined) await app.stop();
    const untaken = notTaken();
    for (const [index, row] of own.entries()) {
      const text = isInEarnest(row) ? row.text.replace(' dry-run', '') : row.text;
      comments.push(await say(text, role(index), pull(index)));
    }
    await between?.();
    if (between !== undefined) await startApp();
    if (isSilent) {
      await eventually('all to be handled', () =>
        Promise.resolve(notTaken() >= untaken + own.length ? true : undefined),
      );
    } else {
      for (const [index, comment] of comments.entries()) {
        await eventually(`an answer to ${comment.body}`, async () =>
          (await answersTo(comment, pull(index))).length > 0 ? true : undefined,
        );
      }
    }
    await after?.();
    // Whatever waited for another attempt, or for the repository, has had its time once this is answered.
    const last = await say('/help', 'owner', untouched.at(-1));
    await eventually('the last', async () => (await answersTo(last, untouched.at(-1)))[0]);
  }, 600_000);

  it.each(own.map((row, index) => [row.text, row, index] as const))(
    '%s',
    async (_text, row, index) => {
      const comment = comments[index];
      if (comment === undefined) throw new Error('nobody said it');
      const answers = await answersTo(comment, pull(index));
      const reactions = await personAt(sandbox).reactions(comment);
      if (isSilent) {
        expect([answers, reactions]).toEqual([[], []]);
        return;
      }
      expect(answers).toEqual([expect.stringMatching(expected(row))]);
      expect(reactions).toEqual(reactionsTo(answers[0] ?? ''));
    },
  );

  it('has nothing launched', async () => {
    expect(await launched()).toEqual(launchedBefore);
  });
});

describe('a role that is taken away while the run goes on', () => {
  const collaborator = `${repo}/collaborators/wes`;

  it('takes every command from them, with one refusal, and the run is left alone', async () => {
    const asked = await say('/train -- --epochs 9000', 'writer');
    const head = await personAt(sandbox).head();
    const job = await eventually('a job that runs', async () =>
      (await personAt(sandbox).jobs()).find(({ state }) => state === 'JOB_STATE_RUNNING'),
    );
    const launchedBefore = await launched();
    await quietly(collaborator, 'PUT', { permission: 'pull' });
    const lines = rows
      .map(({ text }) => text)
      .toReversed()
      .filter((text) => text !== '/help');
    const comment = await say(lines.join('\n\n'), 'writer');
    const answer = await eventually('the refusal', async () => (await answersTo(comment))[0]);
    expect(answer).toMatch(/write access/);
    expect((await personAt(sandbox).jobs()).find(({ name }) => name === job.name)).toMatchObject({
      state: 'JOB_STATE_RUNNING',
    });
    // A later one, by somebody who may.
    const cancel = await say('/cancel all', 'owner');
    await eventually('the end', () => cardAfter(asked, '**Cancelled**'));
    expect(await personAt(sandbox).reactions(cancel)).toEqual(['eyes']);
    expect(await answersTo(comment)).toHaveLength(1);
    expect(await personAt(sandbox).reactions(comment)).toEqual([]);
    expect(await launched()).toEqual(launchedBefore);
    expect((await personAt(sandbox).checks(head)).at(-1)?.status).toBe('completed');
    await quietly(collaborator, 'PUT', { permission: 'push' });
  });
});

describe('at the end', () => {
  it('no run is open', async () => {
    const { jobs, builds } = personAt(sandbox);
    const open = /QUEUED|PENDING|RUNNING|WORKING/;
    expect((await jobs()).filter(({ state }) => open.test(state))).toEqual([]);
    expect((await builds()).filter(({ status }) => open.test(status))).toEqual([]);
    const asked = await say('/cancel all', 'owner');
    const [answer] = await eventually('an answer', async () => {
      const answers = await answersTo(asked);
      return answers.length > 0 ? answers : undefined;
    });
    expect(answer).toMatch(/Nothing of this pull request is running/);
  });

  it('nothing was sent that GitHub would have refused as malformed', () => {
    expect(sandbox.violations).toEqual([]);
  });
});
