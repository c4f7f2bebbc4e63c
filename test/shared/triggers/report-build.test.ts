/** A triggered build as its check run shows it. */
import { describe, expect, it } from '@jest/globals';
import { renderBuildCheck, type TriggeredBuild } from '../../../shared/triggers/report-build.ts';

const build: TriggeredBuild = {
  ...{ id: 'b1', project: 'p', region: 'global', triggerId: 't1', status: 'working' },
  ...{ images: [], usesSecrets: false, awaitsApproval: false },
  startTime: '2026-01-01T00:00:00Z',
};
const finishTime = '2026-01-01T00:01:30Z';
const show = (changes: Partial<TriggeredBuild>, log: readonly string[] = []) =>
  renderBuildCheck({ ...build, ...changes }, log, { sandbox: false });

describe('state, conclusion and title', () => {
  it.each<[Partial<TriggeredBuild>, string, string | undefined, string]>([
    [
      { status: 'queued', startTime: undefined } as object,
      'queued',
      undefined,
      'Waiting for a machine',
    ],
    [
      { status: 'pending', awaitsApproval: true, startTime: undefined } as object,
      'queued',
      undefined,
      'Waiting for an approval in Cloud Build',
    ],
    [{}, 'in_progress', undefined, 'Building'],
    [{ status: 'success', finishTime }, 'completed', 'success', 'Built after 1m 30s'],
    [
      { status: 'failure', finishTime, failedStep: 'Unit tests' },
      'completed',
      'failure',
      'Failed after 1m 30s: Unit tests',
    ],
    [
      { status: 'failure', finishTime, failedStep: '<b>@x`|' },
      'completed',
      'failure',
      'Failed after 1m 30s: b@x',
    ],
    [
      { status: 'timeout', finishTime },
      'completed',
      'timed_out',
      'Failed after 1m 30s: the build took too long',
    ],
    [{ status: 'expired' }, 'completed', 'timed_out', 'Failed: it waited too long for a machine'],
    [{ status: 'internal_error' }, 'completed', 'failure', 'Failed: an error of Cloud Build'],
    [{ status: 'cancelled' }, 'completed', 'cancelled', 'Cancelled'],
    [{ status: 'unknown' }, 'in_progress', undefined, 'In a state that Trainyard does not know'],
  ])('%j', (changes, status, conclusion, title) => {
    const check = show(changes);
    expect([check.status, check.conclusion, check.title]).toEqual([status, conclusion, title]);
  });
});

it('names images by digest alone', () => {
  const digest = `sha256:${'1'.repeat(64)}`;
  const { summary } = show({ images: [{ name: 'host:5000/a/b:v1', digest }] });
  expect(summary).toContain(`\`host:5000/a/b@${digest}\``);
});

it('folds the end of the log, which stays text whatever it says', () => {
  const log = [
    '```',
    '/gcbrun',
    '@olivia',
    '::set-output::',
    '</details>',
    '<!-- trainyard:run v1 id=abcdefgh -->',
  ];
  const { text = '' } = show({ status: 'failure' }, log);
  expect(text).toMatch(/^<details><summary>Last 6 lines of the log<\/summary>/);
  expect(text).toMatch(/^````text$/m);
  expect(text).not.toMatch(/^\/gcbrun|@olivia|<!--/m);
});

it('shows no log of what went well, and links to nothing but pages', () => {
  expect(show({ status: 'success' }, ['a']).text).toBeUndefined();
  expect(show({ logUrl: 'javascript:alert(1)' }).summary).not.toContain('javascript');
  expect(show({ logUrl: 'https://console.cloud.google.com/b' }).summary).toContain(
    '](https://console',
  );
});
