/** Commands about runs that there are, and runs that are more or less than a training: deliveries in, words out. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LogQuota } from '../../app/watch/log-quota.ts';
import { parseMarker } from '../../shared/report/marker.ts';
import { digest } from '../shared/world.ts';
import { AppUnderTest } from './app-under-test.ts';
import { checkClicked, commentCreated, pullSynchronized } from './deliveries.ts';
import type { FakeComment } from './fake-github.ts';

let app: AppUnderTest;

beforeAll(async () => {
  app = await AppUnderTest.prepare();
  app.github.files['.github/trainyard.yml'] = [
    'config: config.yaml',
    'profiles:',
    '  quick: {gpu: T4, timeout: 10m, env.EPOCHS: 1}',
    '',
  ].join('\n');
  await app.start();
});
afterAll(() => app.close());

async function say(text: string): Promise<FakeComment> {
  const comment = app.github.comment(text, 'olivia', app.world.now);
  expect(await app.deliver(commentCreated(comment))).toBe(202);
  return comment;
}

async function answerTo(text: string): Promise<string> {
  const comment = await say(text);
  return app.until(`an answer to ${text}`, () => app.answersTo(comment)[0]);
}

/** Until its card says so. */
async function ended(text: string, word = '**Trained**'): Promise<{ id: string; card: string }> {
  const comment = await say(text);
  const card = await app.until(
    `${word} of ${text}`,
    () => app.answersTo(comment).find((body) => body.includes(word)),
    500,
  );
  return { id: parseMarker(card)?.runId ?? '', card };
}

describe('/build', () => {
  it('ends with its image, and neither card nor check speaks of a job', async () => {
    const jobs = app.world.jobs.length;
    const { card } = await ended('/build', '**Built**');
    expect(card).toMatch(/^\*\*Built\*\* the image of `aaaaaaa` · /);
    expect(card).toContain(`\`/train image=${digest}\``);
    expect(card).not.toMatch(/machine|Cost:|Waiting/);
    await app.until(
      'the check',
      () => app.github.checks.at(-1)?.conclusion === 'success' || undefined,
    );
    expect(app.github.checks.at(-1)).toMatchObject({
      ...{ name: 'trainyard/build', output: { title: 'Image built' } },
    });
    expect(app.world.jobs).toHaveLength(jobs);
  });

  it('reuses an image of the same files unless told otherwise', async () => {
    const builds = app.world.builds.length;
    expect((await ended('/build', '**Built**')).card).toContain('image reused');
    expect(app.world.builds).toHaveLength(builds);
    await ended('/build build=always', '**Built**');
    expect(app.world.builds).toHaveLength(builds + 1);
  });

  it('shows a dry run of a build and of a use', async () => {
    expect(await answerTo('/build dry-run')).toMatch(/1\. build .*, or use an image/);
    expect(await answerTo('/train build=never dry-run')).toMatch(/1\. use an image/);
    expect(await answerTo('/train dry-run')).toMatch(/digits-1001@\u200bsha256:…/);
    expect(await answerTo('/train dry-run')).not.toContain('$IMAGE');
  });
});

describe('keys of /train', () => {
  it('come from a profile, and what is typed beats it', async () => {
    const plan = await answerTo('/train profile=quick timeout=20m env.LR=0.1 dry-run');
    expect(plan).toMatch(/1 × T4 .*for at most 20m/s);
    expect(plan).toContain('"EPOCHS"');
    expect(plan).toContain('"LR"');
    const refusal = await answerTo('/train profile=quik dry-run');
    expect(refusal).toMatch(/no profile `quik`.*Its profiles are `quick`/s);
    expect(refusal).toContain('This would work: `/train profile=quick dry-run`');
  });

  it('take an image that a run here has built, and no other', async () => {
    const builds = app.world.builds.length;
    const jobs = app.world.jobs.length;
    const stranger = `sha256:${'e'.repeat(64)}`;
    expect(await answerTo(`/train image=${stranger}`)).toContain('has built the image');
    expect(await answerTo(`/train image=elsewhere/digits@${digest}`)).toContain(
      'has built the image',
    );
    await ended(`/train image=${digest}`);
    expect(app.world.builds).toHaveLength(builds);
    expect(app.world.jobs).toHaveLength(jobs + 1);
    expect(app.world.jobs.at(-1)?.images).toEqual([
      expect.stringMatching(`digits-1001@${digest}$`),
    ]);
  });

  it('build=never ends a run of files that were never built', async () => {
    app.github.files['new.txt'] = 'new';
    const { card } = await ended('/train build=never', '**Failed**');
    delete app.github.files['new.txt'];
    expect(card).toContain('`build=never` builds none');
  });

  it('that are too much are answered with what would be taken, as it was typed', async () => {
    const answer = await answerTo('/train gpu=T4 timeout=5000h max-cost=1 dry-run -- --lr 0.1');
    const example = /This would work: `(.*)`/.exec(answer)?.[1] ?? '';
    expect(example).toMatch(/^\/train gpu=T4 timeout=\S+ max-cost=1 dry-run -- --lr 0.1$/);
    expect(await answerTo(example)).toContain('**Dry run**');
    const long = await answerTo('/train gpu=T4 timeout=99h dry-run');
    expect(long).toMatch(/: A timeout of 99h is more than the \d+h that a run may take\.\n/);
    expect(await answerTo('/train gpu=T4 timeout=99h max-cost=1 dry-run')).toMatch(
      /\n\nBy its price, est\. \$0\.\d\d\/h, this machine .*: \d+\w+ can cost est\. \$(?:0\.9\d|1\.00) in all\.\n/,
    );
    const mismatch = await answerTo('/train gpu=L4 machine=n1-standard-8 dry-run');
    expect(mismatch).toContain('This would work: `/train gpu=L4 dry-run`');
  });
});

describe('/retry', () => {
  it('does the same again on the same commit, with what is changed, though a push came', async () => {
    const first = await ended('/train gpu=T4 name=one -- --lr 0.1');
    const newer = 'b'.repeat(40);
    await app.deliver(pullSynchronized(app.world.now, newer), { event: 'pull_request' });
    const checks = app.github.checks.length;
    const again = await ended(`/retry ${first.id} machine=n1-highmem-8`);
    expect(again.card).toContain('n1-highmem-8');
    expect(again.card).toContain('| `--lr` | `0.1` |');
    expect(again.card).toContain('1 × T4');
    expect(app.github.checks[checks]?.head_sha).toBe('a'.repeat(40));
    await app.deliver(pullSynchronized(app.world.now), { event: 'pull_request' });
  });

  it('is a dry run only when asked for', async () => {
    expect(await answerTo('/retry dry-run')).toMatch(/\*\*Dry run\*\* of .*n1-highmem-8/);
  });

  it.each([
    ['/retry aaaaaaaa', /no run `aaaaaaaa`/],
    ['/retry colour=red', /`\/retry` has no key `colour`/],
    ['/retry machine=n1-highmem-8000 dry-run', /does not train on/],
  ])('%s is refused', async (text, expected) => {
    expect(await answerTo(text)).toMatch(expected);
  });

  it.each([
    ['/retry timeout=5000h dry-run', /^\/retry \w{8} timeout=\S+ dry-run$/],
    ['/retry profile=quik dry-run', /^\/retry \w{8} profile=quick dry-run$/],
  ])('%s is answered with what would be taken, of the same run', async (text, expected) => {
    const example = /This would work: `(.*)`/.exec(await answerTo(text))?.[1] ?? '';
    expect(example).toMatch(expected);
    expect(await answerTo(example)).toContain('**Dry run**');
  });

  it.each([
    ['/train profile=quik timeout=5000h', /profiles are `quick`/, /This would work: `[^`]*5000h/],
    ['/train timeout=5000h max-cost=0.01', /ask the operator/, /Write `timeout/],
  ])('%s is not told what would be refused', async (text, expected, refused) => {
    const answer = await answerTo(`${text} dry-run`);
    expect(answer).toMatch(expected);
    expect(answer).not.toMatch(refused);
  });
});

describe('/logs', () => {
  it('shows the end of the newest job’s log, harmless', async () => {
    app.logLines = ['epoch 1', '/train gpu=A100', '@olivia ```', '</details><!-- trainyard:run'];
    const answer = await answerTo('/logs lines=3');
    expect(answer).toMatch(
      /^\*\*Log\*\* of the job of run `\w{8}` \(`aaaaaaa`\): the last 3 lines/,
    );
    expect(answer).not.toContain('epoch 1');
    expect(answer).not.toMatch(/^\/train/m);
    expect(answer).not.toContain('@olivia');
    expect(answer).not.toContain('<!-- trainyard:run');
    expect(answer).toContain('<details>');
  });

  it('keeps to what a comment holds', async () => {
    app.logLines = Array.from({ length: 200 }, (_, at) => `${at} ${'x'.repeat(4_000)}`);
    const answer = await answerTo('/logs lines=200');
    expect(answer.length).toBeLessThan(60_000);
    expect(answer).toContain('│ 199 ');
    expect(answer).toContain('as many as a comment holds');
  });

  it('shows what was seen when the minute’s reads are used up, and says when to ask again', async () => {
    const quota = new LogQuota(1, { now: () => app.world.now });
    quota.take('demo-project', 'question');
    app.logRefusal = quota.refused('demo-project', 'question');
    const answer = await answerTo('/logs');
    app.logRefusal = undefined;
    expect(answer).toMatch(/^\*\*Log\*\*/);
    expect(answer).toContain('this minute is used up. Ask again in 1m for newer ones.');
    expect(answer).toContain('epoch=1/2 loss=0.5');
  });

  it('shows the build’s where there is no job’s, and says so where there is none', async () => {
    app.logLines = [];
    expect(await answerTo('/logs aaaaaaaa')).toMatch(/no run `aaaaaaaa`/);
    expect(await answerTo('/logs')).toMatch(/Log|nothing to a log/);
  });
});

describe('/compare and /cost', () => {
  it('say what is missing', async () => {
    expect(await answerTo('/compare')).toMatch(
      /^\*\*Not done\*\* `\/compare`: No run of this pull request has metrics/,
    );
    expect(await answerTo('/compare aaaaaaaa base')).toMatch(/no run `aaaaaaaa`/);
  });

  it('/cost lists the runs and the month', async () => {
    const answer = await answerTo('/cost');
    expect(answer).toMatch(/^\*\*est\. <?\$\d+\.\d+\*\* for \d+ runs of this pull request/);
    expect(answer).toMatch(/\| run \| commit \| state/);
    expect(answer).toMatch(/This repository in \d{4}-\d\d \(UTC\): est\. <?\$/);
  });
});

describe('the buttons of a check', () => {
  const olivia = { id: 7, login: 'olivia' };
  const click = (...given: Parameters<typeof checkClicked>): Promise<number> =>
    app.deliver(checkClicked(...given), { event: 'check_run' });

  it('Retry and GitHub’s own Re-run do the same again, decided anew', async () => {
    const first = await ended('/train gpu=T4 -- --lr 0.3');
    const check = app.github.checks.find(({ external_id }) => external_id === first.id)!;
    for (const identifier of ['retry', undefined]) {
      const known = app.github.checks.length;
      await click(check, olivia, identifier);
      const again = await app.until('another check', () => app.github.checks[known]);
      expect(again).toMatchObject({ head_sha: check.head_sha });
      expect(again.external_id).not.toBe(check.external_id);
      await app.until('its end', () => again.conclusion, 500);
      const card = await app.until('its card', () =>
        app.github.comments.find(({ body }) => parseMarker(body)?.runId === again.external_id),
      );
      await app.until('its last words', () => card.body.includes('**Trained**') || undefined, 500);
      expect(card.body).toContain('| `--lr` | `0.3` |');
    }
    const known = app.github.checks.length;
    app.github.pull.state = 'closed';
    const before = app.github.comments.length;
    // A second click on the first one would have its very bytes, and be the same click.
    await click(app.github.checks.at(-1)!, olivia, 'retry');
    const refusal = await app.until('an answer', () => app.github.comments[before]?.body);
    app.github.pull.state = 'open';
    expect(refusal).toMatch(/\*\*Not started\*\* `\/retry \w{8}`: .*closed/);
    expect(app.github.checks).toHaveLength(known);
  });

  it('Logs answers with the end of the log', async () => {
    app.logLines = ['the last line'];
    const check = app.github.checks.at(-1)!;
    const before = app.github.comments.length;
    await click(check, olivia, 'logs');
    const answer = await app.until('an answer', () => app.github.comments[before]?.body);
    expect(answer).toContain(`of the job of run \`${check.external_id}\``);
    expect(answer).toContain('│ the last line');
  });
});

it('a run in a locked conversation has its check, and its card is offered once', async () => {
  const route = /^POST .*\/(?:comments|reactions)$/;
  app.github.refused = { route, message: 'Unable to create comment because issue is locked.' };
  const offered = (): number =>
    app.github.requests.filter((one) => /^POST .*\/issues\/1\/comments$/.test(one)).length;
  const [before, checks] = [offered(), app.github.checks.length];
  await say('/train');
  const check = await app.until('the check', () => app.github.checks[checks]);
  await app.until('the end', () => check.conclusion, 500);
  expect(check.conclusion).toBe('success');
  expect(offered()).toBe(before + 1);
  app.github.refused = undefined;
});
