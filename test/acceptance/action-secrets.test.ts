/** `secrets_env` by the shipped bundle: the value reaches the training program and nothing else. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StepResult } from '../action/run-bundle.ts';
import { stepsAt, type Inputs, type Steps } from './action-step.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

const trainer = 'trainer@demo-project.iam.gserviceaccount.com';
const value = 's3cr3t $(HOME) \' " ünï\nsecond line';
const api = 'projects/demo-project/secrets/api-key/versions/latest';
const denied = 'projects/demo-project/secrets/not-granted/versions/1';

let sandbox: TemporarySandbox;
let steps: Steps;

beforeAll(async () => {
  sandbox = await startTemporarySandbox();
  steps = stepsAt(sandbox);
  for (const id of ['api-key', 'not-granted']) await makeSecret(id);
  const bindings = [
    { role: 'roles/secretmanager.secretAccessor', members: [`serviceAccount:${trainer}`] },
  ];
  await post('/v1/projects/demo-project/secrets/api-key:setIamPolicy', { policy: { bindings } });
});
afterAll(() => sandbox.close());

async function post(path: string, body: object): Promise<void> {
  const answer = await fetch(`${sandbox.description.google.endpoint}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect([path, answer.status, await answer.text()]).toEqual([path, 200, expect.anything()]);
}

async function makeSecret(id: string): Promise<void> {
  const secrets = '/v1/projects/demo-project/secrets';
  await post(`${secrets}?secretId=${id}`, { replication: { automatic: {} } });
  const data = Buffer.from(value).toString('base64');
  await post(`${secrets}/${id}:addVersion`, { payload: { data } });
}

/** Tells what it was started with, and of a secret only its hash. */
const program = `import hashlib, json, os, sys
value = os.environb.get(b"API_KEY", b"")
print("argv", json.dumps(sys.argv[1:]))
print("sha256", hashlib.sha256(value).hexdigest())
print("names", "TRAINYARD_SECRETS" in os.environ, os.environ.get("PLAIN"))
if "fail" in sys.argv: sys.exit("giving up")
`;
const sha256 = createHash('sha256').update(value).digest('hex');
const config = `workerPoolSpecs:
- machineSpec: {machineType: n1-standard-4}
  containerSpec:
    imageUri: $IMAGE
    env: [{name: PLAIN, value: "1"}, {name: API_KEY, value: of the file}]
`;
const dockerfile = `FROM python:3.12-slim
WORKDIR /app
COPY train.py .
ENTRYPOINT ["python", "train.py"]
CMD ["from", "$(PLAIN)", "image"]
`;
const files = { 'train.py': program, 'config_gpu.yaml': config, Dockerfile: dockerfile };
const withSecret: Inputs = { secrets_env: `API_KEY=${api}`, service_account: trainer };

/** Everything of a step that somebody else can see, and the job as Vertex AI shows it. */
async function visible(step: StepResult): Promise<string> {
  const job = step.outputs['job'] ?? '';
  const shown = job === '' ? {} : await steps.ask(`/v1/${job}`);
  return JSON.stringify([step, shown, await steps.builds()]);
}

/** A part of the value that no escaping changes. */
const trace = 's3cr3t';

describe('secrets_env', () => {
  it.each<[string, Inputs, readonly string[]]>([
    ['ENTRYPOINT and CMD', {}, ['from', '$(PLAIN)', 'image']],
    ['ENTRYPOINT and arguments', { args: '--lr "a b" $(PLAIN)' }, ['--lr', 'a b', '1']],
    ['command', { command_override: 'python3 train.py x' }, ['x']],
    ['command and arguments', { command_override: 'python3 train.py x', args: 'y' }, ['x', 'y']],
  ])("is read by the job and keeps the image's %s", async (_what, inputs, argv) => {
    const step = await steps.run({ ...withSecret, ...inputs }, { files });
    expect([step.code, step.output]).toEqual([0, expect.stringContaining(`sha256 ${sha256}`)]);
    expect(step.output).toContain(`argv ${JSON.stringify(argv).replaceAll(',', ', ')}\n`);
    expect(step.output).toContain('names False 1\n');
    expect(step.output).toMatch(/^Note: The job reads the secrets `API_KEY` itself/m);
    const all = await visible(step);
    expect(all).not.toContain(trace);
    expect(all).toContain(api);
  });

  it('says in the log of the job which role is missing, and does not start the program', async () => {
    const step = await steps.run({ ...withSecret, secrets_env: `API_KEY=${denied}` }, { files });
    const outputs = { state: 'failed', reason: 'permission_denied' };
    expect(step).toMatchObject({ code: 1, outputs });
    expect(step.summary).toContain('roles/secretmanager.secretAccessor');
    expect(step.output).toMatch(
      /^trainyard: could not get the secret API_KEY \(\S+\) as the job's account, which needs roles\/secretmanager\.secretAccessor on it: HTTP 403: Permission 'secretmanager\.versions\.access' denied/m,
    );
    expect(step.output).not.toMatch(/^argv/m);
  });

  it('shows no end of the log where more people may read it', async () => {
    const step = await steps.run({ ...withSecret, args: 'fail' }, { files });
    expect(step).toMatchObject({ code: 1, outputs: { reason: 'user_code_exit' } });
    expect(step.output).toMatch(/^giving up$/m);
    expect(step.summary).not.toContain('giving up');
    expect(step.summary).toContain('not shown here, because the job has secrets');
    const again = await steps.run({ command: 'follow', job: step.outputs['job'] ?? '' });
    expect(again.summary).not.toContain('giving up');
  });

  it.each<[string, Inputs, string, RegExp]>([
    ['a reserved name', { secrets_env: `LD_PRELOAD=${api}` }, 'bad_argument', /"LD_PRELOAD"/],
    ['no version', { secrets_env: 'A=projects/p/secrets/s' }, 'bad_argument', /versions\/latest/],
    ['no account', { service_account: '' }, 'bad_argument', /Set `service_account`/],
    ['another image', { image: 'python:3.12' }, 'field_not_allowed', /allow_plain_secrets: true/],
  ])('is refused with %s', async (_what, inputs, reason, says) => {
    const before = await steps.inventory();
    const step = await steps.run({ ...withSecret, ...inputs }, { files });
    expect(step).toMatchObject({ code: 1, outputs: { state: 'refused', reason } });
    expect(step.output).toMatch(says);
    expect(await steps.inventory()).toEqual(before);
  });

  it.each([
    ["a fork's pull request", 'pull_request', 2, {}],
    ['a head that nobody has proven', 'issue_comment', 1001, { allow_untrusted_head: 'true' }],
  ])('is never given to %s', async (_what, event, headId, inputs) => {
    const payload = join(sandbox.dataDir, 'event.json');
    const head = { repo: { id: headId } };
    await writeFile(payload, JSON.stringify({ repository: { id: 1001 }, pull_request: { head } }));
    const env = {
      GITHUB_EVENT_NAME: event,
      GITHUB_EVENT_PATH: payload,
      GITHUB_SHA: 'b'.repeat(40),
    };
    const step = await steps.run({ ...withSecret, ...inputs }, { files, env });
    expect(step).toMatchObject({
      code: 1,
      outputs: { state: 'refused', reason: 'fork_not_approved' },
    });
    expect(step.output).toContain('secrets `API_KEY` are not given to code');
  });

  it('is written into the job of another image when the step says so, masked and nowhere else', async () => {
    const { outputs } = await steps.run({ command: 'build' }, { files });
    const inputs = { ...withSecret, image: outputs['image'] ?? '', allow_plain_secrets: 'true' };
    const step = await steps.run(inputs, { files });
    expect([step.code, step.output]).toEqual([0, expect.stringContaining(`sha256 ${sha256}`)]);
    const job = await steps.ask(`/v1/${step.outputs['job'] ?? ''}`);
    expect(JSON.stringify(job)).toContain(trace);
    const masks = /^::add-mask::.*$/gm;
    expect(step.output.match(masks)).toHaveLength(2);
    expect(step.output.replaceAll(masks, '')).not.toContain(trace);
    expect(JSON.stringify([step.outputs, step.state, step.summary])).not.toContain(trace);
  });
});
