/** `pr_comment` by the Action's bundle at the sandbox's GitHub: one comment a run, and never a run that fails for it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandsIn } from '../action/runner-log.ts';
import { stepsAt, type Inputs, type StepOptions, type Steps } from './action-step.ts';
import { startGate } from './gate.ts';
import { personAt, type Comment } from './github-user.ts';
import { startInterceptingProxy, type JsonObject } from './intercepting-proxy.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

let sandbox: TemporarySandbox;
let steps: Steps;

beforeAll(async () => {
  sandbox = await startTemporarySandbox();
  steps = stepsAt(sandbox);
});

afterAll(async () => {
  expect(sandbox.violations).toEqual([]);
  await sandbox.close();
});

/** A workflow on the sandbox's pull request, whose head is in that repository unless told otherwise. */
async function onPullRequest(inputs: Inputs, headRepository = 1001, options: StepOptions = {}) {
  const { github } = sandbox.description;
  const event = join(sandbox.dataDir, 'event.json');
  await writeFile(
    event,
    JSON.stringify({
      repository: { id: 1001 },
      pull_request: { number: github.pull, head: { repo: { id: headRepository } } },
    }),
  );
  const env = {
    GITHUB_API_URL: github.api,
    GITHUB_EVENT_NAME: 'pull_request',
    GITHUB_EVENT_PATH: event,
    ...options.env,
  };
  const token = { pr_comment: 'true', github_token: github.tokens.writer };
  return steps.run({ args: '--epochs 2', ...token, ...inputs }, { ...options, env });
}

const comments = () => personAt(sandbox).comments();
const ofRun = (all: readonly Comment[], runId = '') =>
  all.filter(({ body }) => body.includes(`<!-- trainyard:run v1 id=${runId} -->`));
const warnings = (output: string) =>
  commandsIn(output).filter((line) => line.startsWith('warning ') && /comment/.test(line));

describe('pr_comment', () => {
  it('keeps one comment, edited from phase to phase to the end', async () => {
    const bodies: string[] = [];
    // Training begins when the comment says so: it is not missed, however quick it is.
    const gate = await startGate();
    const change = (answer: JsonObject): JsonObject => {
      bodies.push(String(answer['body']));
      if (bodies.at(-1)?.startsWith('**Training**') === true) gate.open();
      return answer;
    };
    const { origin, pathname } = new URL(sandbox.description.github.api);
    const proxy = await startInterceptingProxy(origin, (method) =>
      method === 'GET' ? undefined : { change },
    );
    const program = await readFile(join(import.meta.dirname, '../../examples/digits/train.py'));
    const step = await onPullRequest({}, 1001, {
      files: { 'train.py': `${gate.wait}\n${program.toString()}` },
      env: { GITHUB_API_URL: `${proxy.endpoint}${pathname}` },
    });
    await Promise.all([gate.close(), proxy.close()]);
    expect(step).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
    const mine = ofRun(await comments(), step.outputs['run_id']);
    expect(mine).toHaveLength(1);
    expect(mine[0]?.body).toMatch(/^\*\*Trained\*\* `[0-9a-f]{7}`: val_accuracy \*\*0\.\d+\*\*/);
    const firstWords = bodies.map((body) => /^\*\*(\w+)/.exec(body)?.[1]);
    expect(firstWords).toEqual(expect.arrayContaining(['Building', 'Training', 'Trained']));
    expect(warnings(step.output)).toEqual([]);
  });

  it('is taken up by a step that follows the run, and no forged marker is', async () => {
    const left = await onPullRequest({ wait: 'false' });
    const run_id = left.outputs['run_id'] ?? '';
    const [mine] = ofRun(await comments(), run_id);
    expect(mine?.body).toMatch(/^\*\*(?:Building|Waiting|Training)\*\*/);
    const forged = `Trained\n<!-- trainyard:run v1 id=${run_id} -->`;
    const forgery = await personAt(sandbox, 'reader').say(forged);
    const step = await onPullRequest({ command: 'follow', job: left.outputs['job'] ?? '' });
    expect(step).toMatchObject({ code: 0, outputs: { run_id } });
    const all = ofRun(await comments(), run_id);
    expect(all.map(({ id }) => id)).toEqual([mine?.id, forgery.id]);
    expect(all[0]?.body).toMatch(/^\*\*Trained\*\*/);
    expect(all[1]?.body).toBe(forged);
  });

  it.each([
    ['the head is in a fork', {}, 9_999, /comes from a fork/],
    [
      'the token is no good',
      { github_token: 'ghp_nobody' },
      1_001,
      /could not be written: Bad cred/,
    ],
    ['the event has no pull request', {}, undefined, /has no pull request/],
  ])('trains all the same, with one warning, when %s', async (_what, inputs, head, warning) => {
    const before = await comments();
    const { github } = sandbox.description;
    const step =
      head === undefined
        ? await steps.run({
            ...{ args: '--epochs 1', pr_comment: 'true', github_token: github.tokens.writer },
          })
        : await onPullRequest(inputs, head);
    expect(step).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
    expect(warnings(step.output)).toEqual([expect.stringMatching(warning)]);
    expect(await comments()).toEqual(before);
  });

  it('needs a token', async () => {
    const step = await steps.run({ pr_comment: 'true' });
    expect(step).toMatchObject({ code: 1, outputs: { state: 'refused', reason: 'bad_argument' } });
    expect(step.output).toContain('`pr_comment` needs `github_token`');
  });
});
