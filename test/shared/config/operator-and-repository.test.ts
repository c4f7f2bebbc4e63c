import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { badConfig } from '../../../shared/config/bad-config.ts';
import { noRepoConfig, parseRepoConfig } from '../../../shared/config/repo-config.ts';
import { parseServerConfig } from '../../../shared/config/server-config.ts';

describe('parseRepoConfig', () => {
  it('fills in what is not said', () => {
    const value = { config: 'config_cpu.yaml', dockerfile: 'Dockerfile' };
    expect(parseRepoConfig('', 'f')).toEqual({ ok: true, value });
  });

  it('reads the example repository', () => {
    const text = readFileSync('examples/digits/.github/trainyard.yml', 'utf8');
    expect(parseRepoConfig(text, 'f')).toMatchObject({
      ok: true,
      value: { metric: 'val_accuracy', goal: 'maximize', timeoutSeconds: 1_800, maxUsd: 2 },
    });
  });

  it.each([
    ['confg: a.yaml', '1:1', 'unknown key `confg`. Did you mean `config`?'],
    ['project: x', '1:1', /^unknown key `project`. The keys are config, dockerfile/],
    ['config: ../a', '1:9', '`config` must be a path inside the repository.'],
    ['max_usd: -1', '1:10', '`max_usd` must be above 0.'],
    ['max_usd: "2"', '1:10', '`max_usd` must be a number.'],
    ['timeout: 90', '1:10', '`timeout` must be text.'],
    ['timeout: soon', '1:10', '`timeout` must be a duration such as 1h30m.'],
    ['goal: up', '1:7', '`goal` must be one of maximize, minimize.'],
    ['metric: a\nregion: x/y', '2:9', /`region` must be a region/],
    ['- a', '1:1', 'the file must be a mapping.'],
    ['who: {permision: write}', '1:7', 'unknown key `permision`. Did you mean `permission`?'],
    ['who: {permission: read}', '1:19', /one of triage, write, maintain, admin/],
    ['who:\n  users:\n    - 7\n    - olivia', '4:7', '`users` must be a numeric id.'],
    ['who: {users: [1.5]}', '1:15', '`users` must be a numeric id.'],
    ['who: {users: [90071992547409921]}', '1:15', '`users` must be a numeric id.'],
    ['who: {teams: [Acme/ML]}', '1:15', '`teams` must be the slug of a team.'],
    ['forks: always', '1:8', '`forks` must be one of never, approved.'],
    ['gpus: [T5]', '1:8', /`gpus` must be one of T4/],
    ['machines: [n1/../x]', '1:12', '`machines` must be a machine type.'],
    ['open_fields: [serviceAccount]', '1:15', /`open_fields` must be one of tensorboard/],
    ['max_gpus_per_run: 0', '1:19', '`max_gpus_per_run` must be above 0.'],
    ['max_runs_per_user: 1.5', '1:20', '`max_runs_per_user` must be a whole number.'],
    ['max_runs_per_repo: 1', '1:1', /Did you mean `max_runs_per_/],
    ['max_usd_per_month: .inf', '1:20', /`max_usd_per_month` must be/],
  ])('refuses %j', (text, at, message) => {
    const parsed = parseRepoConfig(text, 'f');
    const [first] = parsed.ok ? [] : parsed.problems;
    if (typeof message === 'string') expect(first?.message).toBe(message);
    else expect(first?.message).toMatch(message);
    expect(`${first?.line ?? 0}:${first?.column ?? 0}`).toBe(at);
  });

  it('reads the rules of who may do what', () => {
    const text = 'who: {teams: [ml]}\nregions: [us-east1]\nmax_usd: 2\nmax_usd_per_month: 9\n';
    expect(parseRepoConfig(text, 'f')).toMatchObject({
      ok: true,
      value: {
        maxUsd: 2,
        policy: {
          members: { teams: ['ml'], users: [] },
          regions: ['us-east1'],
          maxUsdPerRun: 2,
          maxUsdPerMonth: 9,
        },
      },
    });
  });

  it('reads profiles as it reads comments', () => {
    const text = [
      'profiles:',
      '  quick: {gpu: "T4:2", timeout: 10m}',
      "  large: {machine: n1-highmem-8, config: it's.yaml}",
      '',
    ].join('\n');
    const parsed = parseRepoConfig(text, 'f');
    expect(parsed.ok && [...(parsed.value.profiles ?? [])]).toEqual([
      ['quick', { kind: 'train', gpu: { kind: 'gpu', name: 'T4', count: 2 }, timeoutSeconds: 600 }],
      ['large', { kind: 'train', machineType: 'n1-highmem-8', config: "it's.yaml" }],
    ]);
  });

  it.each([
    ['profiles:\n  q:\n    gppu: T4', '3:11', /no key `gppu`. Did you mean `gpu`/],
    ['profiles:\n  q:\n    gpu: T4\n    timeout: 90', '4:14', /is a duration/],
    ['profiles:\n  q: {gpu: true}', '2:12', /`gpu` needs a value/],
    ['profiles:\n  q: {gpu: [T4]}', '2:12', /`gpu` is not valid/],
    ['profiles:\n  q: {dry-run: true}', '2:16', /`dry-run` has no place/],
    ['profiles:\n  q: {profile: other}', '2:16', /`profile` has no place/],
    ['profiles:\n  q: {"--": true, gpu: T4}', '2:13', /`--` has no place/],
    ['profiles:\n  "a b": {gpu: T4}', '2:3', /must be a name/],
    ['profiles: [T4]', '1:11', /must be a mapping/],
  ])('refuses the profile in %j', (text, at, message) => {
    const parsed = parseRepoConfig(text, 'f');
    const [first] = parsed.ok ? [] : parsed.problems;
    expect(first?.message).toMatch(message);
    expect(`${first?.line ?? 0}:${first?.column ?? 0}`).toBe(at);
  });

  it('names problems in the order of their lines', () => {
    const parsed = parseRepoConfig(
      'config: a.yaml\ntimout: 30m\nmax_usd: two\ngoal: up\n',
      'r.yml',
    );
    expect((parsed.ok ? [] : parsed.problems).map(({ line }) => line)).toEqual([2, 3, 4]);
  });

  it('turns problems into an answer with their places', () => {
    const parsed = parseRepoConfig('a: 1\nb: 2\nc: 3\nd: 4\n', '.github/trainyard.yml');
    const refusal = badConfig(parsed.ok ? [] : parsed.problems);
    expect(refusal.reason).toBe('bad_config');
    expect(refusal.message).toMatch(
      /^`\.github\/trainyard\.yml:1:1`: unknown key `a`.*\(and 1 more\)$/,
    );
    expect(noRepoConfig()).toMatchObject({ kind: 'rejected', reason: 'no_config' });
  });
});

describe('parseServerConfig', () => {
  it('names buckets and the registry after the project', () => {
    const text = 'owner: mine\nrepositories:\n  "1001": {project: demo-project}\n';
    const parsed = parseServerConfig(text, 'f');
    expect(parsed.ok && parsed.value.owner).toBe('mine');
    expect(parsed.ok && parsed.value.repositories.get(1001)).toEqual({
      project: 'demo-project',
      regions: ['us-central1'],
      buildRegion: 'global',
      registry: 'us-central1-docker.pkg.dev/demo-project/trainyard',
      sourceBucket: 'demo-project_cloudbuild',
      logsBucket: 'demo-project_cloudbuild',
      resultsBuckets: { 'us-central1': 'demo-project-trainyard-results' },
      maxUsdPerRun: 5,
      maxTimeoutSeconds: 86_400,
      policy: { maxUsdPerMonth: 50 },
    });
  });

  it('takes the rules of who may do what', () => {
    const text = `owner: mine
repositories:
  1001:
    project: demo-project
    owner_id: 77
    who: {permission: maintain, teams: [ml-platform], users: [7], bots: [8]}
    forks: approved
    machines: [n1-standard-8]
    gpus: [T4]
    open_fields: [tensorboard]
    cancel_superseded: true
    max_gpus_per_run: 4
    max_runs_per_pull: 1
    max_runs_per_user: 2
    max_runs_per_repository: 3
    max_usd_per_month: 100
    builder_service_accounts: {fork: b@demo-project.iam.gserviceaccount.com}
    registries: {fork: us-central1-docker.pkg.dev/demo-project/forks}
`;
    const parsed = parseServerConfig(text, 'f');
    expect(parsed.ok && parsed.value.repositories.get(1001)).toMatchObject({
      ownerId: 77,
      policy: {
        permission: 'maintain',
        members: { teams: ['ml-platform'], users: [7] },
        bots: [8],
        forks: 'approved',
        machines: ['n1-standard-8'],
        gpus: ['T4'],
        openFields: ['tensorboard'],
        cancelSuperseded: true,
        maxGpusPerRun: 4,
        maxRunsPerPull: 1,
        maxRunsPerUser: 2,
        maxRunsPerRepository: 3,
        maxUsdPerMonth: 100,
      },
      builderServiceAccounts: { fork: 'b@demo-project.iam.gserviceaccount.com' },
      registries: { fork: 'us-central1-docker.pkg.dev/demo-project/forks' },
    });
  });

  it('takes what is said', () => {
    const text = `owner: mine
repositories:
  1001:
    project: demo-project
    regions: [europe-west4, us-central1]
    results_buckets: {europe-west4: eu-results}
    trainer_service_account: trainer@demo-project.iam.gserviceaccount.com
    trainer_service_accounts: {fork: forks@demo-project.iam.gserviceaccount.com}
    launcher_service_account: launcher@demo-project.iam.gserviceaccount.com
    max_usd_per_run: 20
    max_timeout: 2d
    allow_unknown_machines: true
    prices: {n9-future-8: 2.5, NVIDIA_TESLA_T4: 0.3, pd-ssd: 0.1}
`;
    const parsed = parseServerConfig(text, 'f');
    expect(parsed.ok && parsed.value.repositories.get(1001)).toMatchObject({
      regions: ['europe-west4', 'us-central1'],
      resultsBuckets: { 'europe-west4': 'eu-results' },
      trainerServiceAccount: 'trainer@demo-project.iam.gserviceaccount.com',
      trainerServiceAccounts: { fork: 'forks@demo-project.iam.gserviceaccount.com' },
      launcherServiceAccount: 'launcher@demo-project.iam.gserviceaccount.com',
      maxUsdPerRun: 20,
      maxTimeoutSeconds: 172_800,
      allowUnknownMachines: true,
      prices: { 'n9-future-8': 2.5, NVIDIA_TESLA_T4: 0.3, 'pd-ssd': 0.1 },
    });
  });

  it.each([
    ['repositories: {}', '1:1', /`owner` is missing/],
    ['owner: A\nrepositories: {}', '1:8', /`owner` must be lower-case/],
    ['owner: a\nrepositories: {acme/digits: {project: demo-project}}', '2:16', /numeric id/],
    ['owner: a\nrepositories: {0: {project: demo-project}}', '2:16', /numeric id/],
    ['owner: a\nrepositories: {9007199254740993: {project: demo-project}}', '2:16', /numeric id/],
    ['owner: a\nrepositories: {1: {project: demo-project, who: {team: [a]}}}', '2:49', /`teams`/],
    [
      'owner: a\nrepositories: {1: {project: demo-project, prices: {n1-standard-4: -1}}}',
      '2:67',
      /above 0/,
    ],
    ['owner: a\nrepositories: {1: {projekt: demo-project}}', '2:20', /`project`/],
    ['owner: a\nrepositories: {1: {project: demo-project, regoins: [a]}}', '2:43', /`regions`/],
    ['owner: a\nrepositories: {1: {project: evil.example/}}', '2:29', /must be a project id/],
    [
      'owner: a\nrepositories: {1: {project: demo-project, source_bucket: "gs://b"}}',
      '2:58',
      /without gs/,
    ],
    [
      'owner: a\nrepositories: {1: {project: demo-project, launcher_service_account: a@evil.example}}',
      '2:69',
      /service account/,
    ],
    [
      'owner: a\nrepositories: {1: {project: demo-project, trainer_service_accounts: {main: a@b.example}}}',
      '2:70',
      /`main`/,
    ],
  ])('refuses %j', (text, at, message) => {
    const parsed = parseServerConfig(text, 'f');
    const places = (parsed.ok ? [] : parsed.problems).map(
      (problem) => `${problem.line}:${problem.column} ${problem.message}`,
    );
    expect(places.filter((place) => place.startsWith(at)).join('\n')).toMatch(message);
  });
});
