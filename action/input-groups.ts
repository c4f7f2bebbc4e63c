/** Inputs that belong together, read into what the plan takes of them. Problems are noted as by the reader. */
import type { BuildOptions } from '../shared/plan/build-options.ts';
import type { JobOverrides } from '../shared/plan/job-overrides.ts';
import type { JobSecrets } from '../shared/plan/job-secrets.ts';
import type { ListedRegion } from './input-lists.ts';
import type { InputReader } from './input-reader.ts';
import type { ActionInputs, FederatedIdentity, InputProblem, OwnBuildInputs } from './inputs.ts';
import { unknownPrice, type Prices } from './price-list.ts';

/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#machinetype */
export const buildMachines = [
  'E2_MEDIUM',
  'E2_STANDARD_2',
  'E2_HIGHCPU_8',
  'E2_HIGHCPU_32',
  'N1_HIGHCPU_8',
  'N1_HIGHCPU_32',
] as const;

const mostReplicas = 1_000;

export function readPlaces(reader: InputReader, projectId: string): ActionInputs['places'] {
  const listed = reader.regions('regions') ?? [];
  const first = reader.matching('region', 'region') ?? listed[0]?.region ?? 'us-central1';
  const isFirst = ({ region }: ListedRegion): boolean => region === first;
  const results =
    reader.bucket('results_bucket') ?? `${projectId.replace(/[:.]/g, '-')}-trainyard-results`;
  return [
    { region: first, bucket: listed.find(isFirst)?.bucket ?? results },
    ...listed
      .filter((place) => !isFirst(place))
      .map(({ region, bucket }) => ({ region, bucket: bucket ?? `${results}-${region}` })),
  ];
}

export function readIdentity(
  reader: InputReader,
  problems: InputProblem[],
): FederatedIdentity | undefined {
  const provider = reader.matching('workload_identity_provider', 'provider');
  const serviceAccount = reader.matching('launcher_service_account', 'email');
  if (provider !== undefined) return { provider, ...given('serviceAccount', serviceAccount) };
  if (serviceAccount !== undefined && reader.text('workload_identity_provider') === undefined) {
    const message =
      '`launcher_service_account` needs `workload_identity_provider`; after google-github-actions/auth the step acts as the account of that step.';
    problems.push({ input: 'launcher_service_account', message });
  }
  return undefined;
}

const builders = ['cloud-build', 'docker'] as const;

/** What only Cloud Build knows. */
const onlyOfCloudBuild = ['build_config', 'build_machine', 'build_service_account'] as const;

function readBuilder(reader: InputReader, problems: InputProblem[]): Pick<BuildOptions, 'by'> {
  const builder = reader.word('builder', builders);
  for (const input of builder === 'docker' ? onlyOfCloudBuild : []) {
    if (reader.text(input) === undefined) continue;
    problems.push({ input, message: `\`${input}\` has no effect with \`builder: docker\`.` });
  }
  return builder === 'docker' ? { by: builder } : {};
}

export function readBuild(reader: InputReader, problems: InputProblem[]): BuildOptions {
  return {
    ...readBuilder(reader, problems),
    ...given('buildArgs', reader.pairs('build_args', 'buildArgs')),
    ...given('target', reader.matching('target', 'target')),
    ...given('platform', reader.matching('platform', 'platform')),
    ...given('workerMachineType', reader.wordIfGiven('build_machine', buildMachines)),
    ...given('timeoutSeconds', reader.duration('build_timeout')),
    layerCache: reader.boolean('layer_cache'),
  };
}

/** What only one of the two ways to build knows. */
const onlyOfDockerfiles = ['build_args', 'target', 'platform', 'build_machine'] as const;
const onlyOfBuildConfigs = ['substitutions', 'image_name'] as const;

export function readOwnBuild(
  reader: InputReader,
  problems: InputProblem[],
): OwnBuildInputs | undefined {
  const hasConfig = reader.text('build_config') !== undefined;
  for (const input of hasConfig ? onlyOfDockerfiles : onlyOfBuildConfigs) {
    if (reader.text(input) === undefined) continue;
    const why = hasConfig
      ? 'has no effect with `build_config`: say it there'
      : 'needs `build_config`';
    problems.push({ input, message: `\`${input}\` ${why}.` });
  }
  if (!hasConfig) return undefined;
  return {
    config: reader.path('build_config'),
    ...given('substitutions', reader.pairs('substitutions', 'substitutions')),
    ...given('imageName', reader.line('image_name', 500)),
  };
}

export function readJob(reader: InputReader): JobOverrides {
  return {
    ...given('displayName', reader.line('display_name', 128)),
    ...given('labels', reader.pairs('labels', 'labels')),
    ...given('replicaCount', reader.count('replica_count', mostReplicas)),
    ...given('command', reader.words('command_override')),
    ...given('env', reader.pairs('env', 'env')),
    ...given('spot', reader.booleanIfGiven('spot')),
    ...given('baseOutputDirectory', reader.matching('base_output_directory', 'directory')),
    ...given('serviceAccount', reader.matching('service_account', 'email')),
    ...given('startTimeoutSeconds', reader.duration('start_timeout')),
  };
}

const goals = ['maximize', 'minimize'] as const;

export function readComparison(
  reader: InputReader,
  problems: InputProblem[],
): Pick<ActionInputs, 'compareAs' | 'metric' | 'goal'> {
  const metric = reader.line('metric', 100);
  const goal = reader.wordIfGiven('goal', goals);
  if (goal !== undefined && metric === undefined) {
    problems.push({ input: 'goal', message: '`goal` needs `metric`: the one that it is about.' });
  }
  return {
    ...given('compareAs', reader.line('compare_as', 100)),
    ...given('metric', metric),
    ...given('goal', goal),
  };
}

export function readSecrets(reader: InputReader): JobSecrets | undefined {
  const versions = reader.pairs('secrets_env', 'secrets');
  const allowPlain = reader.boolean('allow_plain_secrets');
  return versions === undefined ? undefined : { versions, allowPlain };
}

export function readPrices(reader: InputReader, problems: InputProblem[]): Prices | undefined {
  const prices = reader.prices('prices');
  const allowsUnknown = reader.text('allow_unknown_machines')?.toLowerCase() === 'true';
  const message = prices === undefined || allowsUnknown ? undefined : unknownPrice(prices);
  if (message !== undefined) problems.push({ input: 'prices', message });
  return prices;
}

export function given<K extends string, V>(
  key: K,
  value: V | undefined,
): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}
