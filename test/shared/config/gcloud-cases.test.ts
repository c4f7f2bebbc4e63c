import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseJobConfig } from '../../../shared/config/parse-job-config.ts';

const folder = join(import.meta.dirname, 'cases');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const yamlFiles = (path: string): string[] =>
  readdirSync(join(folder, path)).filter((name) => name.endsWith('.yaml'));

describe('what gcloud takes', () => {
  it.each(yamlFiles('.'))('%s becomes the request that gcloud sends', (name) => {
    const sent: unknown = JSON.parse(read(name.replace('.yaml', '.json')));
    expect(parseJobConfig(read(name), name, {})).toEqual({ ok: true, value: sent });
  });

  it.each(yamlFiles('.'))('%s means the same when it comes from Windows', (name) => {
    const saved = `\uFEFF${read(name).replaceAll('\n', '\r\n')}`;
    expect(parseJobConfig(saved, name, {})).toEqual(parseJobConfig(read(name), name, {}));
  });
});

/** Each with the place and the words of its first problem, or of all. */
const refused: Readonly<Record<string, readonly [at: string, message: RegExp][]>> = {
  'accel-count-no-type': [['2:63', /`acceleratorCount` needs an `acceleratorType`/]],
  'bad-accelerator-config': [['2:62', /cannot be `NVIDIA_T4`. Did you mean `NVIDIA_TESLA_T4`/]],
  'bad-args-numbers': [['4:77', /`args` must be text; put it in quotes/]],
  'bad-args-string': [['4:66', /`args` must be a list/]],
  'bad-env-mapping': [['6:10', /`- name: NAME` and `value: "VALUE"`/]],
  'bad-machinespec-string': [['2:16', /`machineSpec` must be a mapping/]],
  'bad-pools-string': [['1:18', /`workerPoolSpecs` must be a list/]],
  'bad-replica-string': [['3:17', /`replicaCount` must be a whole number/]],
  'bad-strategy': [['5:24', /cannot be `CHEAP`. Valid are .*STANDARD, SPOT, FLEX_START/]],
  'bad-unknown-nested': [
    ['2:45', /unknown key `machinType`. Did you mean `machineType`/],
    ['2:63', /unknown key `gpu`. The keys here are machineType, acceleratorType/],
    ['4:3', /unknown key `replicas`. Did you mean `replicaCount`/],
    ['5:60', /unknown key `image`. Did you mean `imageUri`/],
    ['5:73', /unknown key `ports`/],
    ['5:88', /unknown key `nested`/],
  ],
  'bad-unknown-top': [['5:1', /unknown key `foo`. The keys here are/]],
  'config-mapping-snake': [
    ['1:1', /`worker_pool_specs` is spelled `workerPoolSpecs`/],
    ['2:3', /`machine_spec` is spelled `machineSpec`/],
    ['3:5', /`machine_type` is spelled `machineType`/],
    ['4:3', /`replica_count` is spelled `replicaCount`/],
    ['5:3', /`container_spec` is spelled `containerSpec`/],
    ['6:5', /`image_uri` is spelled `imageUri`/],
  ],
  'config-snake': [
    ['1:1', /`workerPoolSpecs`/],
    ['2:3', /`machineSpec`/],
    ['3:5', /`machineType`/],
    ['4:3', /`replicaCount`/],
    ['5:3', /`containerSpec`/],
    ['6:5', /`imageUri`/],
  ],
  'config-snake-inner': [
    ['2:3', /`machineSpec`/],
    ['3:5', /`machineType`/],
    ['4:5', /`acceleratorType`/],
    ['5:5', /`acceleratorCount`/],
    ['6:3', /`replicaCount`/],
    ['7:3', /`containerSpec`/],
    ['8:5', /`imageUri`/],
  ],
  'date-value': [['4:29', /`imageUri` must be text; put it in quotes/]],
  'empty-containerspec': [['4:3', /`imageUri` is missing/]],
  'empty-file': [['1:1', /the file is empty/]],
  'invalid-yaml': [['3:3', /indentation/]],
  'list-for-single': [['2:16', /`machineSpec` must be a mapping/]],
  'missing-imageuri': [['4:3', /`imageUri` is missing. Write `imageUri: \$IMAGE`/]],
  'no-container': [['2:3', /exactly one of `containerSpec` and `pythonPackageSpec`/]],
  'no-machinespec': [['2:3', /`machineSpec` is missing/]],
  'no-pools': [['1:1', /`workerPoolSpecs` is missing/]],
  'only-comment': [['1:1', /the file is empty/]],
  'replica-bool': [['3:17', /`replicaCount` must be a whole number/]],
  'replica-float': [['3:17', /`replicaCount` must be a whole number/]],
  'replica-zero-negative': [
    ['3:17', /exactly 1 replica/],
    ['6:17', /at least 1/],
  ],
  'scheduling-timeout-int': [['5:23', /`timeout` must be a duration.*"3600s"/]],
  'string-root': [['1:1', /must be a mapping with `workerPoolSpecs`/]],
};

describe('what gcloud passes on or refuses without a place', () => {
  it('is all in the table', () => {
    const names = yamlFiles('refused').map((name) => name.replace('.yaml', ''));
    expect(names.sort()).toEqual(Object.keys(refused).sort());
  });

  it.each(Object.entries(refused))('%s is refused', (name, expected) => {
    const parsed = parseJobConfig(read(`refused/${name}.yaml`), `${name}.yaml`, {});
    const problems = parsed.ok ? [] : parsed.problems;
    const places = problems.map(({ file, line, column }) => `${file}:${line}:${column}`);
    expect(places).toEqual(expected.map(([at]) => `${name}.yaml:${at}`));
    for (const [index, [, message]] of expected.entries())
      expect(problems[index]?.message).toMatch(message);
  });
});
