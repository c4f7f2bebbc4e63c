/** What is said of a build config before its builds fail. */
import { expect, it } from '@jest/globals';
import { noteOnBuildConfig } from '../../../shared/triggers/build-config-notes.ts';

const steps = 'steps: [{name: ubuntu}]\n';
const trigger = { name: 'a' };

it.each<[string, string | undefined, boolean, RegExp | undefined]>([
  ['fits where nobody has an account', steps, false, undefined],
  ['lacks where the log goes', steps, true, /`c.yaml` does not say where the log goes/],
  ['logs to the standard bucket', `${steps}options: {logging: GCS_ONLY}\n`, true, /does not say/],
  ['logs to a bucket', `${steps}logsBucket: gs://b\n`, true, undefined],
  ['logs to Cloud Logging', `${steps}options: {logging: CLOUD_LOGGING_ONLY}\n`, true, undefined],
  [
    'logs to a regional bucket',
    `${steps}options: {defaultLogsBucketBehavior: REGIONAL_USER_OWNED_BUCKET}\n`,
    true,
    undefined,
  ],
  // Builds of triggers are loose.
  [
    'has values too many and too few',
    `${steps}substitutions: {_A: b}\ntags: [$_B]\n`,
    false,
    undefined,
  ],
  ['has no variable of anybody', `${steps}tags: [$HOME]\n`, false, /`\$HOME` is none of/],
  ['is not there', undefined, false, /there is no file `c.yaml`/],
  ['is no build config', 'stepz: []\n', false, /will not take `c.yaml` \(line 1: /],
])('one that %s', (_what, text, hasAccount, expected) => {
  const note = noteOnBuildConfig(trigger, { path: 'c.yaml', text }, hasAccount);
  if (expected === undefined) expect(note).toBeUndefined();
  else expect(note).toMatch(expected);
});
