/** Which jobs have a lost run back, and what of it is believed. */
import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { defaultSettings, type ProjectSettings } from '../../../shared/config/project-settings.ts';
import { judgeLostJob, lostRun } from '../../../shared/launch/lost-job.ts';
import { jobFacts, toJobRequest } from '../../../shared/launch/requests.ts';
import { deriveResourceMac } from '../../../shared/launch/resource-mac.ts';
import { jobPlan } from '../../../shared/plan/job-plan.ts';
import type { JobDescription } from '../../../shared/ports.ts';
import { renderCard } from '../../../shared/report/render-card.ts';
import { triesAgain, type EndedAttempt, type JobSnapshot } from '../../../shared/watch/run.ts';
import { plan as basic } from '../world.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const mac = deriveResourceMac(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
const settings = defaultSettings('demo-project', ['us-central1', 'us-east1']);
const place = { project: 'demo-project', region: 'us-central1' };
const context = { owner: 'test', mac, settings, ...place };

/** With the labels and results that a plan really gets. */
const planned = jobPlan(
  basic.job.spec,
  { ...basic, settings },
  {
    ...{ region: 'us-central1', timeoutSeconds: 3_600, timeout: '3600s' },
    machine: { machineType: 'n1-standard-8', acceleratorType: 'NVIDIA_TESLA_T4' },
  },
);
const run = { plan: { ...basic, job: planned }, createdAt: '', image: 'digits@sha256:b' };
const over: EndedAttempt = { region: 'us-east1', endTime: '', reason: 'stockout', message: '' };
const request = toJobRequest(run, mac);
const second = toJobRequest({ ...run, attempts: [over] }, mac);
const job = (change: Partial<JobSnapshot> = {}): JobSnapshot => ({
  ...{ name: 'j', id: 'j', state: 'running', labels: request.labels, timeoutSeconds: 3_600 },
  ...{ images: ['digits@sha256:b'], createTime: '2026-01-02T11:00:00Z' },
  ...{ startTime: '2026-01-02T11:01:00Z' },
  ...change,
});
const labelled = (labels: Record<string, string>) =>
  job({ labels: { ...request.labels, ...labels } });
const older = { name: 'older', createTime: '2026-01-02T10:00:00Z' };

/** As a version without them has marked it. */
const { 'trainyard-asker': asker, ...unnamed } = request.labels;
const unasked = { ...unnamed, 'trainyard-mac': mac(jobFacts(run)) };

describe('judgeLostJob', () => {
  it.each<[string, JobSnapshot, readonly JobSnapshot[], string]>([
    ['ours and alone', job(), [], 'restore'],
    ['ours, as the list has it too', job(), [job()], 'restore'],
    ['ours, and over', job({ state: 'succeeded' }), [], 'restore'],
    [
      'with a younger copy',
      job(),
      [job({ name: 'k', createTime: '2026-01-02T12:00:00Z' })],
      'restore',
    ],
    [
      'beside an older one without a mark',
      job(),
      [{ ...labelled({ 'trainyard-mac': 'f'.repeat(40) }), ...older }],
      'restore',
    ],
    ['the second attempt', job({ name: 'k', labels: second.labels }), [job(older)], 'restore'],
    ['a copy of one that is over', job(), [job({ ...older, state: 'succeeded' })], 'copy'],
    ['an attempt that is behind', job(), [job({ name: 'k', labels: second.labels })], 'copy'],
    ['with a forged mark', labelled({ 'trainyard-mac': 'f'.repeat(40) }), [], 'foreign'],
    ['without a mark', labelled({ 'trainyard-mac': '' }), [], 'foreign'],
    ['of another repository', labelled({ 'trainyard-repository': '2' }), [], 'foreign'],
    ['of another commit', labelled({ 'trainyard-sha': 'c'.repeat(40) }), [], 'foreign'],
    ['of another run', labelled({ 'trainyard-run': 'aaaaaaaa' }), [], 'foreign'],
    ['of another asker', labelled({ 'trainyard-asker': '8-rae' }), [], 'foreign'],
    [
      'that says it counts for its commit',
      labelled({ 'trainyard-summary': 'true' }),
      [],
      'foreign',
    ],
    ['of an older version', job({ labels: unasked }), [], 'restore'],
    ['with another image', job({ images: ['evil@sha256:c'] }), [], 'foreign'],
  ])('says of a job %s', (_, one, namesakes, expected) => {
    const verdict = judgeLostJob(one, namesakes, context);
    expect(verdict.kind === 'refuse' ? verdict.why : verdict.kind).toBe(expected);
  });

  it.each<[string, Partial<typeof context> | { settings: ProjectSettings | undefined }]>([
    ['project', { project: 'other-project' }],
    ['region', { region: 'europe-west4' }],
    ['repository that is served', { settings: undefined }],
  ])('refuses one outside of its %s', (_, change) => {
    expect(judgeLostJob(job(), [], { ...context, ...change })).toEqual({
      ...{ kind: 'refuse', why: 'place' },
    });
  });
});

const description = (change: Partial<JobSnapshot> = {}, outputUriPrefix?: string) => {
  const baseOutputDirectory =
    outputUriPrefix === undefined ? request.spec.baseOutputDirectory : { outputUriPrefix };
  const described: JobDescription = {
    ...{ snapshot: job(change), displayName: 'digits' },
    spec: { ...request.spec, ...(baseOutputDirectory && { baseOutputDirectory }) },
  };
  return described;
};
const known = {
  ...{ runId: 'k7q2m4xa', headSha: 'a'.repeat(40), pullNumber: 1 },
  repository: { id: 1, fullName: 'acme/digits' },
};
const cardContext = { now: new Date('2026-01-02T12:00:00Z'), sandbox: false, links: {} };

describe('lostRun', () => {
  it('is plain JSON, and nothing is launched for it again', () => {
    const lost = lostRun(description(), context, known);
    expect(JSON.parse(JSON.stringify(lost))).toEqual(lost);
    expect(lost.plan.build).toBeUndefined();
    expect(lost.plan.command).toBeUndefined();
    expect(lost.plan.summary).toBeUndefined();
    expect(triesAgain(lost, 'stockout')).toBe(false);
    expect(lost.plan.estimate.timeoutSeconds).toBe(3_600);
  });

  it('says on its card that its record was lost, and who asked for it where that is known', () => {
    const card = renderCard(lostRun(description(), context, known), cardContext);
    expect(card).toContain('**Training**');
    expect(card).toContain('The record of this run was lost and made anew from its job');
    expect(asker).toBe('7-olivia');
    expect(card).toContain('| asked by | `olivia` |');
    const ofOlder = renderCard(
      lostRun(description({ labels: unasked }), context, known),
      cardContext,
    );
    expect(ofOlder).not.toContain('asked by');
    expect(ofOlder).toContain('who asked for it');
  });

  it('counts for its commit where its command did', () => {
    const summary = { ...run, plan: { ...run.plan, summary: true as const } };
    const { labels } = toJobRequest(summary, mac);
    expect(judgeLostJob(job({ labels }), [], context).kind).toBe('restore');
    expect(lostRun(description({ labels }), context, known).plan.summary).toBe(true);
  });

  it.each([
    ['', 0],
    ['0-ghost', 0],
    ['12345678901234567-x', 0],
    ['41898282-dependabot-bot-', 41_898_282],
  ])('takes %j for the asker %d', (label, id) => {
    const labels = { ...request.labels, 'trainyard-asker': label };
    expect(lostRun(description({ labels }), context, known).plan.subject.requestedBy.id).toBe(id);
  });

  it.each([
    ['where they belong', undefined, 'pull', true],
    ["of another repository's", 'gs://demo-project-trainyard-results/2/pull/x', 'pull', false],
    ["of another tier's", 'gs://demo-project-trainyard-results/1/pull/x', 'base', false],
    ['in another bucket', 'gs://evil/1/pull/x', 'pull', false],
  ])('reads results %s: %j of a job of the tier %s', (_, prefix, tier, reads) => {
    const labels = { ...request.labels, 'trainyard-tier': tier };
    const { job: restored, notes } = lostRun(description({ labels }, prefix), context, known).plan;
    expect(restored.outputUriPrefix !== undefined).toBe(reads);
    expect(notes.some((note) => note.startsWith('Its results are not read'))).toBe(!reads);
  });

  it.each([
    ['pull', 'pull'],
    ['', 'fork'],
    ['owner', 'fork'],
  ])('takes the tier label %j for %s', (tier, expected) => {
    const labels = { ...request.labels, 'trainyard-tier': tier };
    expect(lostRun(description({ labels }), context, known).plan.tier).toBe(expected);
  });

  it('keeps the log of a job with secrets to itself', () => {
    const failed = (labels: Record<string, string>) => ({
      ...lostRun(description({ labels: { ...request.labels, ...labels } }), context, known),
      logTail: ['key=hunter2'],
      end: { outcome: 'failed', at: '2026-01-02T12:00:00Z', reason: 'user_code_exit' } as const,
    });
    expect(renderCard(failed({}), cardContext)).toContain('hunter2');
    expect(renderCard(failed({ 'trainyard-secrets': 'true' }), cardContext)).not.toContain(
      'hunter2',
    );
  });
});
