/** Runs at each of their phases, for tests of what is shown of them. */
import type { Metrics } from '../../../shared/metrics/metrics.ts';
import type { CardContext } from '../../../shared/report/render-card.ts';
import type { JobSnapshot, Run, RunEnd } from '../../../shared/watch/run.ts';
import { digest, plan } from '../world.ts';

export const context: CardContext = {
  now: new Date('2026-01-02T03:04:00Z'),
  sandbox: false,
  links: { job: 'https://console.example/job', logs: 'https://console.example/logs' },
};

export const created: Run = { plan, createdAt: '2026-01-02T03:00:00Z' };

export const building: Run = {
  ...created,
  build: { intent: { at: '2026-01-02T03:00:00Z' } },
};

const job: JobSnapshot = {
  name: 'projects/p/locations/r/customJobs/1',
  id: '1',
  state: 'running',
  labels: {},
  startTime: '2026-01-02T03:01:50Z',
};
const jobIntent = { at: '2026-01-02T03:01:10Z' };

export const queued: Run = {
  ...building,
  image: `us-central1-docker.pkg.dev/demo-project/trainyard/digits@${digest}`,
  job: { intent: jobIntent },
};

export const running: Run = {
  ...queued,
  job: { intent: jobIntent, name: job.name, snapshot: job },
  progress: {
    unit: 'epoch',
    step: 7,
    totalSteps: 20,
    values: { loss: 0.212, val_accuracy: 0.941 },
  },
};

export const measured: Metrics = {
  values: { loss: 0.118, val_accuracy: 0.961 },
  series: {
    loss: [
      { step: 1, value: 0.7 },
      { step: 2, value: 0.118 },
    ],
    val_loss: [
      { step: 1, value: 0.8 },
      { step: 2, value: 0.2 },
    ],
  },
};

export function ended(end: Omit<RunEnd, 'at'>, rest: Partial<Run> = {}): Run {
  const over: JobSnapshot = { ...job, state: 'succeeded', endTime: '2026-01-02T03:05:50Z' };
  return {
    ...running,
    job: { intent: jobIntent, name: job.name, snapshot: over },
    end: { ...end, at: '2026-01-02T03:06:12Z' },
    ...rest,
  };
}

export const succeeded = ended({ outcome: 'succeeded' }, { metrics: measured });

/** As `succeeded`, beside what the default branch had measured when it ended. */
export const compared: Run = {
  ...succeeded,
  baseline: {
    ...{ runId: 'baserun2', headSha: '9d0e4f1'.padEnd(40, '0'), branch: 'main' },
    values: { loss: 0.131, val_accuracy: 0.957 },
  },
};

/** A run in which every word that somebody else chooses is the given one. */
export function hostileRun(word: string): Run {
  return ended(
    {
      outcome: 'failed',
      reason: 'internal',
      message: `Vertex AI says: ${word}`,
      fix: `Try \`${word}\``,
    },
    {
      plan: {
        ...plan,
        notes: [word, `the machine is \`${word}\``],
        metric: word,
        subject: { ...plan.subject, requestedBy: { id: 1, login: word } },
        job: {
          ...plan.job,
          spec: {
            workerPoolSpecs: [
              { containerSpec: { imageUri: word, command: [word], args: [word, word] } },
            ],
          },
        },
      },
      metrics: {
        values: { [word]: 1, loss: 2 },
        series: { [`${word}_loss`]: measured.series['loss'] ?? [] },
      },
      baseline: {
        ...{ runId: 'baserun2', headSha: 'b'.repeat(40), branch: word },
        values: { [word]: 2, loss: 1, [`${word}_old`]: 1 },
        series: { [`${word}_loss`]: measured.series['loss'] ?? [] },
        parameters: { [word]: word, command: word, [`--${word}`]: 'a' },
      },
      logTail: [word, `  ${word}`, word.repeat(3)],
    },
  );
}
