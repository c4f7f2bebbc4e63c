/** GitHub's limits are kept in every minute and hour, urgent things first, and nobody waits for long. */
import { describe, expect, it } from '@jest/globals';
import { fc, runs } from '../../properties.ts';
import { CloudError } from '../../../shared/errors.ts';
import { send } from '../../../shared/github/client.ts';
import { publishOne, type Published } from '../../../shared/github/publish-one.ts';
import {
  isPostponed,
  plannedLimits,
  RequestBudget,
  withinBudget,
  type GitHubLimits,
  type Priority,
} from '../../../shared/github/request-budget.ts';
import type { Clock } from '../../../shared/ports.ts';

const create = 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments';
const edit = 'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}';
const read = 'GET /repos/{owner}/{repo}';
const hour = 3_600_000;

/** Time that stands still until it is moved, and then wakes who sleeps. */
class ManualClock implements Clock {
  private nowMs = Date.UTC(2026, 0, 1);
  private sleepers: { at: number; wake: () => void }[] = [];

  now(): Date {
    return new Date(this.nowMs);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.sleepers.push({ at: this.nowMs + ms, wake }));
  }

  async pass(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    for (;;) {
      await settled();
      const next = this.sleepers.sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.nowMs = Math.max(this.nowMs, next.at);
      this.sleepers.shift();
      next.wake();
    }
    this.nowMs = end;
    await settled();
  }
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** A budget, and a GitHub that notes when it was asked for what. */
function start(limits: GitHubLimits = plannedLimits) {
  const clock = new ManualClock();
  const budget = new RequestBudget(limits, clock);
  const sent: { readonly route: string; readonly what: string; readonly at: number }[] = [];
  const refused: { readonly what: string; readonly error: CloudError }[] = [];
  let answer: () => Promise<unknown> = () => Promise.resolve({ status: 200, headers: {} });
  const ask = async (route: string, priority: Priority, what = ''): Promise<void> => {
    try {
      await budget.send(route, priority, () => {
        sent.push({ route, what, at: clock.now().getTime() });
        return answer();
      });
    } catch (error) {
      if (isPostponed(error)) refused.push({ what, error });
    }
  };
  const answerWith = (next: () => Promise<unknown>): void => void (answer = next);
  return { clock, budget, sent, refused, ask, answerWith };
}

function most(times: readonly number[], periodMs: number): number {
  return Math.max(
    0,
    ...times.map((from) => times.filter((at) => at >= from && at < from + periodMs).length),
  );
}

describe('the budget of an installation', () => {
  it('is never exceeded, whatever is asked for and when', async () => {
    const limits = { writesPerMinute: 6, creationsPerHour: 20, atOnce: 100 };
    const event = fc.record({
      route: fc.constantFrom(create, edit, read),
      priority: fc.constantFrom<Priority>('reply', 'state', 'progress'),
      afterMs: fc.integer({ min: 0, max: 60_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 120 }), async (events) => {
        const { clock, sent, refused, ask } = start(limits);
        for (const { route, priority, afterMs } of events) {
          void ask(route, priority);
          await clock.pass(afterMs);
        }
        await clock.pass(10_000);
        // Everybody has an answer within ten seconds.
        expect(sent.length + refused.length).toBe(events.length);
        const at = (kinds: readonly string[]): number[] =>
          sent.filter(({ route }) => kinds.includes(route)).map((one) => one.at);
        expect(most(at([create, edit]), 60_000)).toBeLessThanOrEqual(6);
        expect(most(at([create]), hour)).toBeLessThanOrEqual(20);
        expect(at([read])).toHaveLength(events.filter(({ route }) => route === read).length);
      }),
      { numRuns: runs(40) },
    );
  });

  it.each<[Priority, number]>([
    ['reply', 60],
    ['state', 51],
    ['progress', 30],
  ])('gives to a %s no more than %d writes of a minute', async (priority, expected) => {
    const { sent, ask, clock } = start();
    for (let one = 0; one < 70; one++) void ask(edit, priority);
    await clock.pass(0);
    expect(sent).toHaveLength(expected);
  });

  it('lets replies go before changes of state, and these before progress', async () => {
    const { sent, refused, ask, clock } = start();
    for (let one = 0; one < 60; one++) void ask(edit, 'reply', 'earlier');
    await clock.pass(55_000);
    for (const priority of ['progress', 'state', 'reply'] as const) {
      void ask(create, priority, priority);
    }
    await clock.pass(10_000);
    expect(sent.slice(60).map(({ what }) => what)).toEqual(['reply']);
    expect(refused.map(({ what }) => what).sort()).toEqual(['progress', 'state']);
    // Who is refused is told when to come back, but for progress, which is told of by and by.
    const told = new Map(refused.map(({ what, error }) => [what, error.retryAfterSeconds]));
    expect(told.get('progress')).toBeUndefined();
    expect(told.get('state')).toBe(5);
  });

  it('says that nothing was sent, so that what is refused may be sent later without a look', async () => {
    const { budget, clock } = start({ ...plannedLimits, writesPerMinute: 1 });
    let requests = 0;
    const octokit = withinBudget(
      { request: () => Promise.resolve({ status: 201, data: {}, headers: {}, n: ++requests }) },
      budget,
      'state',
    );
    const request = { operation: 'issues.createComment', route: create, parameters: {} };
    await send(octokit, request);
    const second = send(octokit, request);
    void second.catch(() => undefined);
    await clock.pass(3_000);
    await expect(second).rejects.toMatchObject({ status: 429, retryable: true, ambiguous: false });
    expect(requests).toBe(1);
  });

  it('has no more than its limit under way at once', async () => {
    const { sent, ask, answerWith, clock } = start({ ...plannedLimits, atOnce: 3 });
    const { promise, resolve } = Promise.withResolvers<unknown>();
    answerWith(() => promise);
    for (let one = 0; one < 5; one++) void ask(read, 'reply');
    await clock.pass(1_000);
    expect(sent).toHaveLength(3);
    resolve({});
    await clock.pass(0);
    expect(sent).toHaveLength(5);
  });
});

describe('what GitHub says of its limits', () => {
  const refusal = (status: number, headers: Record<string, string>, message = 'no'): Error =>
    Object.assign(new Error(message), { status, response: { headers } });
  const inTenMinutes = String(Date.UTC(2026, 0, 1) / 1_000 + 600);

  it.each<[string, Error, number]>([
    ['retry-after', refusal(403, { 'retry-after': '120' }), 120],
    ['429', refusal(429, {}), 60],
    [
      'a secondary limit in words',
      refusal(403, {}, 'You have exceeded a secondary rate limit'),
      60,
    ],
    [
      'none left',
      refusal(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inTenMinutes }),
      600,
    ],
    ['more than an hour', refusal(429, { 'retry-after': '86400' }), 3_600],
    ['no permission', refusal(403, { 'x-ratelimit-remaining': '4999' }), 0],
    ['not found', refusal(404, {}), 0],
  ])('keeps everybody from asking: %s', async (_what, error, seconds) => {
    const { sent, ask, answerWith, clock, budget } = start();
    answerWith(() => Promise.reject(error));
    await ask(read, 'reply');
    answerWith(() => Promise.resolve({ status: 200, headers: {} }));
    for (let second = 0; second < seconds; second += 20) {
      void ask(read, 'reply');
      if (seconds - second > 20) expect(budget.left()).toEqual({ minute: 0, hour: 0 });
      await clock.pass(20_000);
    }
    const first = sent[0]?.at ?? 0;
    expect(sent.slice(1).every(({ at }) => at >= first + seconds * 1_000)).toBe(true);
    await ask(read, 'reply');
    expect(sent.length).toBeGreaterThan(1);
  });

  it('waits for the reset when an answer took the last request', async () => {
    const { sent, refused, ask, answerWith, clock } = start();
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inTenMinutes };
    answerWith(() => Promise.resolve({ status: 200, headers }));
    await ask(read, 'reply');
    void ask(read, 'reply');
    await clock.pass(590_000);
    expect([sent.length, refused.length]).toEqual([1, 1]);
    answerWith(() => Promise.resolve({ status: 200, headers: {} }));
    void ask(read, 'reply');
    await clock.pass(10_000);
    expect(sent).toHaveLength(2);
  });
});

describe('a card that finds no budget', () => {
  const shown: Published = { id: 1, digest: 'old', phase: 'running', at: '2026-01-01T00:00:00Z' };
  const now = new Date('2026-01-01T01:00:00Z');

  async function publishIn(phase: string, ended: boolean): Promise<Published> {
    const { budget, clock } = start({ ...plannedLimits, writesPerMinute: 1 });
    await budget.send(edit, 'reply', () => Promise.resolve({}));
    const failures: unknown[] = [];
    const place = {
      text: 'news',
      find: () => Promise.resolve(undefined),
      create: () => Promise.resolve(2),
      update: () =>
        budget.send(edit, phase === 'running' ? 'progress' : 'state', () => Promise.resolve()),
    };
    const onFailure = (error: unknown): void => void failures.push(error);
    const published = publishOne(shown, place, { now, phase, ended, intervalMs: 1, onFailure });
    await clock.pass(3_000);
    expect(failures).toEqual([]);
    return published;
  }

  it('shows its progress at the next look instead', async () => {
    expect(await publishIn('running', false)).toEqual(shown);
  });

  it.each([
    ['a change', 'collecting', false],
    ['the end', 'succeeded', true],
  ])('comes back for %s', async (_what, phase, ended) => {
    const { retryAt, ...rest } = await publishIn(phase, ended);
    expect(rest).toEqual(shown);
    expect(Date.parse(retryAt ?? '')).toBeGreaterThan(now.getTime());
    expect(Date.parse(retryAt ?? '')).toBeLessThanOrEqual(now.getTime() + 60_000);
  });
});
