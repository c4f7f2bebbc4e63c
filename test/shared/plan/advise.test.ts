/** What is advised instead of a command that was refused: would it be taken, and is it what was meant? */
import { describe, expect, it } from '@jest/globals';
import { parseCommands } from '../../../shared/command/parse.ts';
import { renderCommand } from '../../../shared/command/render-command.ts';
import type { TrainCommand } from '../../../shared/command/command.ts';
import { defaultSettings } from '../../../shared/config/project-settings.ts';
import { advise } from '../../../shared/plan/advise.ts';
import { planRun, type PlanInput } from '../../../shared/plan/plan-run.ts';
import type { Remedies } from '../../../shared/plan/plan.ts';
import { remediesOf } from '../../../shared/plan/remedies.ts';
import { withTriedFix } from '../../../shared/plan/tried-fix.ts';
import { checkPlan } from '../../../shared/policy/check-plan.ts';
import { effectivePolicy } from '../../../shared/policy/policy.ts';

const settings = {
  ...defaultSettings('demo-project', ['us-central1', 'europe-west4'], {
    resultsBuckets: { 'us-central1': 'results', 'europe-west4': 'results-eu' },
  }),
  maxTimeoutSeconds: 12 * 3_600,
  maxUsdPerRun: 2,
};

const jobConfig = {
  path: 'config.yaml',
  text: 'workerPoolSpecs:\n  containerSpec: {imageUri: $IMAGE}\n',
};
const attempt = (command: TrainCommand) => plan(command, jobConfig);
const withoutConfig = (command: TrainCommand) => plan(command, undefined);

function plan(
  command: TrainCommand,
  file: PlanInput['jobConfig'],
  given: PlanInput['settings'] = settings,
): ReturnType<typeof planRun> {
  return planRun({
    ...{
      runId: 'k7q2m4xa',
      runDirectory: 'directory',
      owner: 'test',
      tier: 'pull',
      authority: 'app',
    },
    subject: {
      repository: { id: 1, fullName: 'acme/digits' },
      ...{ pullNumber: 1, headSha: 'a'.repeat(40), requestedBy: { id: 7, login: 'olivia' } },
    },
    repoConfig: { config: 'config.yaml', dockerfile: 'Dockerfile' },
    ...{ settings: given, command, hasDockerfile: true },
    jobConfig: file,
  });
}

function adviceFor(line: string, files = attempt): string | undefined {
  const [found] = parseCommands(line);
  if (found?.kind !== 'command' || found.command.kind !== 'train') throw new Error(line);
  const answer = files(found.command);
  if (answer.kind === 'planned') throw new Error(`not refused: ${line}`);
  const advised = advise(found.command, answer, files, settings);
  if (advised === undefined) return undefined;
  expect(attempt(advised).kind).toBe('planned');
  return renderCommand(advised);
}

it.each([
  ['/train gpu=T5 dry-run -- --lr 1', /^\/train gpu=T4 dry-run -- --lr 1$/],
  ['/train gpu=T4:3', /^\/train gpu=T4:[24]$/],
  ['/train gpu=L4 machine=n1-standard-8 name=x', /^\/train gpu=L4 name=x$/],
  ['/train machine=n1-standrad-8', /^\/train machine=n1-standard-8$/],
  ['/train region=europe-west5', /^\/train region=europe-west4$/],
  // Both limits at once: the advice for the first one would be refused for the second.
  ['/train gpu=T4 timeout=90h', /^\/train gpu=T4 timeout=\d+h?\d*m?$/],
  ['/train gpu=T4 timeout=12h', /^\/train gpu=T4 timeout=\d+h?\d*m?$/],
  ['/train gpu=T5 region=europe-west5 timeout=90h', /^\/train gpu=T4 region=europe-west4 timeout=/],
])('%s', (line, expected) => {
  expect(adviceFor(line)).toMatch(expected);
});

describe('what a run may change when it fails', () => {
  const rules = { operator: settings.maxUsdPerRun, machines: undefined as string[] | undefined };
  function remedies(line: string, { operator, machines } = rules): Remedies {
    const [found] = parseCommands(line);
    if (found?.kind !== 'command' || found.command.kind !== 'train') throw new Error(line);
    const allowed = effectivePolicy({ ...(machines && { machines }) }, {});
    const tried = (command: TrainCommand): ReturnType<typeof planRun> => {
      const answer = plan(command, jobConfig, { ...settings, maxUsdPerRun: operator });
      const refusal = answer.kind === 'planned' ? checkPlan(answer.plan, allowed) : undefined;
      return refusal ?? answer;
    };
    const answer = tried(found.command);
    if (answer.kind === 'rejected') throw new Error(answer.message);
    const known = remediesOf(found.command, answer.plan, tried, settings);
    const { longer, larger } = known;
    for (const { timeoutSeconds, machineType } of [
      { timeoutSeconds: longer?.timeoutSeconds, machineType: undefined },
      { timeoutSeconds: undefined, machineType: larger?.machineType },
    ]) {
      const changes = {
        ...(timeoutSeconds && { timeoutSeconds }),
        ...(machineType && { machineType }),
      };
      expect(tried({ ...found.command, ...changes }).kind).toBe('planned');
    }
    return known;
  }

  it.each<[string, Partial<typeof rules>, number | undefined, string | undefined]>([
    ['/train machine=n1-standard-4 timeout=1h', {}, 2 * 3_600, 'n1-highmem-4'],
    ['/train machine=n1-standard-4 timeout=8h', { operator: 100 }, 12 * 3_600, 'n1-highmem-4'],
    ['/train machine=n1-standard-4 timeout=12h', { operator: 100 }, undefined, 'n1-highmem-4'],
    [
      '/train machine=n1-standard-4 timeout=1h',
      { machines: ['n1-standard-4', 'n1-highmem-8'] },
      ...([2 * 3_600, 'n1-highmem-8'] as const),
    ],
    ['/train machine=n1-standard-4 timeout=1h', { machines: ['n1-standard-4'] }, 7_200, undefined],
    // No more than what is allowed in all.
    [
      '/train gpu=T4 timeout=1h',
      { operator: 1.5 },
      expect.any(Number) as unknown as number,
      'n1-highmem-8',
    ],
    ['/train gpu=T4 timeout=1h', { operator: 1.1 }, undefined, undefined],
  ])('%s below %j', (line, change, seconds, machine) => {
    const { longer, larger } = remedies(line, { ...rules, ...change });
    expect(longer?.timeoutSeconds).toEqual(seconds);
    expect(larger?.machineType).toBe(machine);
  });

  it('says what it costs, where that is known', () => {
    const { longer, larger } = remedies('/train gpu=T4 timeout=30m');
    expect(longer?.ceilingUsd).toBeGreaterThan(larger?.ceilingUsd ?? Infinity);
    expect(larger?.memoryGb).toEqual([30, 52]);
  });
});

it.each([
  // What it says of the machine is true whatever may be spent.
  [2, /^`\/train gpu=L4` alone picks g2\S+ \(est\. \$\S+\)\. `n1-standard-8` takes /],
  [0.01, /^`n1-standard-8` takes /],
])('up to %d dollars what would be refused is not advised', (maxUsdPerRun, expected) => {
  const tried = (command: TrainCommand) => plan(command, jobConfig, { ...settings, maxUsdPerRun });
  const [found] = parseCommands('/train gpu=L4 machine=n1-standard-8');
  if (found?.kind !== 'command' || found.command.kind !== 'train') throw new Error('a command');
  const refusal = tried(found.command);
  if (refusal.kind === 'planned') throw new Error('not refused');
  expect(withTriedFix(refusal, found.command, tried).fix).toMatch(expected);
});

it.each(['/train gpu=H100:8 timeout=1h', '/train config=missing.yaml region=mars-north1'])(
  'nothing is known for %s',
  (line) => {
    const files = line.includes('missing') ? withoutConfig : attempt;
    expect(adviceFor(line, files)).toBeUndefined();
  },
);
