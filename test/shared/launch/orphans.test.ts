import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import {
  fromOpenBuild,
  fromOpenJob,
  judgeOrphan,
  type OrphanVerdict,
} from '../../../shared/launch/orphans.ts';
import { toBuildRequest, toJobRequest } from '../../../shared/launch/requests.ts';
import { deriveResourceMac } from '../../../shared/launch/resource-mac.ts';
import { jobPlan } from '../../../shared/plan/job-plan.ts';
import { defaultSettings } from '../../../shared/config/project-settings.ts';
import type { BuildSnapshot, EndedAttempt, JobSnapshot, Run } from '../../../shared/watch/run.ts';
import { plan as basic } from '../world.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const mac = deriveResourceMac(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
const now = new Date('2026-01-02T12:00:00.000Z');
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000).toISOString();
const context = { owner: 'test', mac, now, isServed: (id: number) => id === 1 };

/** With the labels that a plan really gets. */
const { labels } = jobPlan(
  basic.job.spec,
  { ...basic, settings: defaultSettings('demo-project', ['us-central1']) },
  {
    ...{ region: 'us-central1', timeoutSeconds: 3_600, timeout: '3600s' },
    machine: { machineType: 'n1-standard-8' },
  },
);
const plan = { ...basic, job: { ...basic.job, labels } };
const run: Run = { plan, createdAt: hoursAgo(2), image: 'digits@sha256:b' };
const request = toJobRequest(run, mac);
const job = (change: Partial<JobSnapshot> = {}): JobSnapshot => ({
  ...{ name: 'j', id: 'j', state: 'running', labels: request.labels, timeoutSeconds: 3_600 },
  ...{ images: ['digits@sha256:b'], createTime: hoursAgo(1) },
  ...change,
});
const named = (name: string): Run => ({ ...run, job: { intent: { at: hoursAgo(2) }, name } });
const ended: Run = { ...named('j'), end: { outcome: 'failed', at: hoursAgo(0) } };
const attempt: EndedAttempt = {
  ...{ region: 'us-central1', job: 'i', endTime: hoursAgo(1) },
  ...{ reason: 'stockout', message: '' },
};
const word = (verdict: OrphanVerdict) => (verdict.kind === 'end' ? verdict.why : verdict.kind);

describe('judgeOrphan', () => {
  it.each<[string, Partial<JobSnapshot>, Run | undefined, string]>([
    ['the job of an open run', {}, named('j'), 'followed'],
    ['of a run that looks for it', {}, run, 'followed'],
    ['in the place of another', {}, named('other'), 'extra'],
    ['just now in the place of another', { createTime: hoursAgo(0.1) }, named('other'), 'followed'],
    ['late, of an attempt that is over', {}, { ...run, attempts: [attempt] }, 'extra'],
    ['of a run that is over', {}, ended, 'run_over'],
    ['that is being cancelled already', { state: 'cancelling' }, ended, 'followed'],
    ['of a run that is not on record', {}, undefined, 'unknown'],
    ['the same, whose time is up', { createTime: hoursAgo(26) }, undefined, 'expired'],
    [
      'the same, with a longer time',
      { createTime: hoursAgo(26), timeoutSeconds: 86_400 },
      undefined,
      'unknown',
    ],
    ['with another image', { images: ['evil'] }, ended, 'foreign'],
    [
      'with the run of another',
      { labels: { ...request.labels, 'trainyard-run': 'zzzzzzzz' } },
      ended,
      'foreign',
    ],
    [
      'with another attempt',
      { labels: { ...request.labels, 'trainyard-attempt': '2' } },
      undefined,
      'foreign',
    ],
    [
      'with no label but the owner',
      { labels: { 'trainyard-owner': 'test' } },
      undefined,
      'foreign',
    ],
  ])('a job %s', (_what, change, known, expected) => {
    expect(word(judgeOrphan(fromOpenJob(job(change)), known, context))).toBe(expected);
  });

  it('ends what is of a repository that is no longer served', () => {
    const verdict = judgeOrphan(fromOpenJob(job()), undefined, {
      ...context,
      isServed: () => false,
    });
    expect(word(verdict)).toBe('not_served');
  });

  const source = { bucket: 'b', object: 'o', generation: '1', contentHash: 'c' };
  const { tags = [] } = toBuildRequest(plan, basic.build, source, mac).build;
  const build = (its: readonly string[]): BuildSnapshot => ({
    ...{ name: 'b', id: 'b', status: 'working', createTime: hoursAgo(1), tags: its, images: [] },
  });
  it.each<[string, readonly string[], Run | undefined, string]>([
    ['of an open run', tags, { ...run, build: { intent: { at: '' }, name: 'b' } }, 'followed'],
    ['of a run that looks for it', tags, run, 'followed'],
    [
      'in the place of another',
      tags,
      { ...run, build: { intent: { at: '' }, name: 'a' } },
      'extra',
    ],
    ['of a run that is over', tags, ended, 'run_over'],
    ['of a run that is not on record', tags, undefined, 'unknown'],
    [
      'whose own config has tags like ours',
      ['trainyard-run-zzzzzzzz', 'trainyard-mac-x', ...tags],
      ended,
      'run_over',
    ],
    ['without a MAC', tags.filter((tag) => !tag.includes('-mac-')), ended, 'foreign'],
    ["with another run's tag after ours", [...tags, 'trainyard-run-zzzzzzzz'], ended, 'foreign'],
  ])('a build %s', (_what, its, known, expected) => {
    expect(word(judgeOrphan(fromOpenBuild(build(its)), known, context))).toBe(expected);
  });
});
