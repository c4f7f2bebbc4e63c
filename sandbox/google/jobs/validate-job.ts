/**
 * What Vertex AI refuses beyond the shape of a request: a well-formed CustomJob in, an ApiError with the
 * service's own words thrown.
 */
import { machineTypes } from '../../../shared/catalogue/machines.ts';
import { regionsOf } from '../../../shared/catalogue/regions-of.ts';
import { parseImageReference } from '../../registry/image-reference.ts';
import { ApiError, invalidArgument } from '../wire/api-error.ts';
import { numberAt, objectAt, objectsAt, textAt, textMapAt, type JsonObject } from '../wire/json.ts';
import { foundErrors } from './found-errors.ts';
import { checkNames } from './validate-names.ts';

/** @throws ApiError 400, 429 */
export function validateJob(job: JsonObject, region: string): void {
  checkDisplayName(textAt(job, 'displayName'));
  checkLabels(textMapAt(job, 'labels'));
  checkNames(job, region);
  const spec = objectAt(job, 'jobSpec');
  checkScheduling(objectAt(spec, 'scheduling'), objectsAt(spec, 'workerPoolSpecs'));
  checkOutput(objectAt(spec, 'baseOutputDirectory'));
  if (textAt(spec, 'tensorboard') !== '' && textAt(spec, 'serviceAccount') === '') {
    throw foundErrors([
      ['job_spec.service_account', 'Service account must be specified when tensorboard is set.'],
    ]);
  }
  const pools = objectsAt(spec, 'workerPoolSpecs');
  checkReplicas(pools);
  for (const [i, pool] of pools.entries()) {
    if (Object.keys(pool).length === 0) continue;
    checkPool(pool, `job_spec.worker_pool_specs[${i}]`, region);
  }
}

export function missingJobFields(paths: readonly string[]): ApiError {
  return foundErrors(
    paths.map((path) => [path.replace(/^custom_job\./, ''), 'Required field is not set.'] as const),
  );
}

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.customJobs#CustomJob */
function checkDisplayName(name: string): void {
  if (Array.from(name).length <= 128) return;
  throw foundErrors([
    ['display_name', 'The length of display_name must be no more than 128 characters.'],
  ]);
}

/** @see https://cloud.google.com/resource-manager/docs/labels-overview#requirements */
function checkLabels(labels: Readonly<Record<string, string>>): void {
  const entries = Object.entries(labels);
  if (entries.length > 64) {
    throw foundErrors([['labels', 'No more than 64 labels can be set.']]);
  }
  for (const [key, value] of entries) {
    if (
      /^\p{Ll}[\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(key) &&
      /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(value)
    ) {
      continue;
    }
    throw foundErrors([
      [
        'labels',
        `Label ${JSON.stringify(key)}: ${JSON.stringify(value)} is invalid. Keys and values can contain only lowercase letters, numeric characters, underscores and dashes, and can be no longer than 63 characters; keys start with a letter.`,
      ],
    ]);
  }
}

const weekSeconds = 7 * 24 * 3600;

/** @see https://cloud.google.com/vertex-ai/docs/training/schedule-jobs-dws#requirements */
const flexibleGpus: ReadonlySet<string> = new Set([
  ...['NVIDIA_L4', 'NVIDIA_TESLA_A100', 'NVIDIA_A100_80GB', 'NVIDIA_H100_80GB'],
  ...['NVIDIA_H100_MEGA_80GB', 'NVIDIA_H200_141GB', 'NVIDIA_B200'],
]);

function checkScheduling(scheduling: JsonObject, pools: readonly JsonObject[]): void {
  const timeout = parseFloat(textAt(scheduling, 'timeout') || '1');
  if (timeout <= 0)
    throw foundErrors([['job_spec.scheduling.timeout', 'Timeout must be positive.']]);
  if (scheduling['strategy'] !== 'FLEX_START') return;
  if (timeout > weekSeconds) {
    throw foundErrors([['job_spec.scheduling.timeout', 'Timeout must be at most 7 days.']]);
  }
  const machines = pools.filter((pool) => Object.keys(pool).length > 0);
  const gpus = machines.map((pool) => textAt(objectAt(pool, 'machineSpec'), 'acceleratorType'));
  if (gpus.every((gpu) => flexibleGpus.has(gpu))) return;
  throw foundErrors([
    [
      'job_spec.scheduling.strategy',
      'FLEX_START is supported for L4, A100, H100, H200 and B200 GPUs only.',
    ],
  ]);
}

function checkOutput(output: JsonObject): void {
  const uri = textAt(output, 'outputUriPrefix');
  if (uri === '' || /^gs:\/\/[a-z0-9][a-z0-9._-]+(?:\/|$)/.test(uri)) return;
  throw foundErrors([
    ['job_spec.base_output_directory.output_uri_prefix', `Invalid Cloud Storage URI: ${uri}`],
  ]);
}

/** More would only make a laptop stop; production has quotas. */
const maxReplicas = 16;

/**
 * The primary replica, workers, parameter servers and evaluators.
 * @see https://cloud.google.com/vertex-ai/docs/training/distributed-training#configure_a_distributed_training_job
 */
const maxPools = 4;

function checkReplicas(pools: readonly JsonObject[]): void {
  if (pools.length > maxPools) {
    throw foundErrors([
      ['job_spec.worker_pool_specs', `No more than ${maxPools} worker pools can be specified.`],
    ]);
  }
  const counts = pools.map((pool) =>
    Object.keys(pool).length === 0
      ? 0
      : 'replicaCount' in pool
        ? numberAt(pool, 'replicaCount')
        : 1,
  );
  if (counts[0] !== 1) {
    throw foundErrors([
      [
        'job_spec.worker_pool_specs[0].replica_count',
        'The replica count of the first worker pool must be 1.',
      ],
    ]);
  }
  const negative = counts.findIndex((count) => count < 0);
  if (negative >= 0) {
    throw foundErrors([
      [
        `job_spec.worker_pool_specs[${negative}].replica_count`,
        'Replica count must not be negative.',
      ],
    ]);
  }
  if (counts.reduce((sum, count) => sum + count, 0) > maxReplicas) {
    throw new ApiError(
      'RESOURCE_EXHAUSTED',
      'The following quota metrics exceed quota limits: aiplatform.googleapis.com/custom_model_training_cpus',
    );
  }
}

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/DiskSpec */
const diskTypes: ReadonlySet<string> = new Set(['pd-ssd', 'pd-standard', 'hyperdisk-balanced']);

function checkPool(pool: JsonObject, path: string, region: string): void {
  if (!('containerSpec' in pool) && !('pythonPackageSpec' in pool)) {
    throw foundErrors([[path, 'Either container_spec or python_package_spec must be set.']]);
  }
  checkVariables(objectsAt(objectAt(pool, 'containerSpec'), 'env'), `${path}.container_spec.env`);
  checkImage(textAt(objectAt(pool, 'containerSpec'), 'imageUri'));
  const disk = objectAt(pool, 'diskSpec');
  const diskType = textAt(disk, 'bootDiskType');
  if (diskType !== '' && !diskTypes.has(diskType)) {
    throw foundErrors([
      [`${path}.disk_spec.boot_disk_type`, `Unsupported boot disk type: ${diskType}.`],
    ]);
  }
  const gb = 'bootDiskSizeGb' in disk ? numberAt(disk, 'bootDiskSizeGb') : 100;
  if (gb < 100 || gb > 64_000) {
    throw foundErrors([
      [`${path}.disk_spec.boot_disk_size_gb`, 'Boot disk size must be between 100 and 64000.'],
    ]);
  }
  checkMachine(objectAt(pool, 'machineSpec'), `${path}.machine_spec`, region);
}

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/EnvVar (a valid C identifier) */
function checkVariables(variables: readonly JsonObject[], path: string): void {
  if (variables.length > 100) {
    throw foundErrors([[path, 'No more than 100 variables can be set.']]);
  }
  for (const [i, variable] of variables.entries()) {
    const name = textAt(variable, 'name');
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) continue;
    throw foundErrors([
      [`${path}[${i}].name`, `${JSON.stringify(name)} is not a valid C identifier.`],
    ]);
  }
}

/** TPUs and families that the catalogue leaves out; a machine of theirs is taken as it is. */
const beyondCatalogue = /^(?:cloud-tpu$|ct5lp-|ct6e-|tpu7x-|m1-|n4-|a4x-)/;

/** @see https://cloud.google.com/vertex-ai/docs/training/configure-compute */
function checkMachine(machine: JsonObject, path: string, region: string): void {
  const type = textAt(machine, 'machineType');
  const accelerator = textAt(machine, 'acceleratorType');
  const count = numberAt(machine, 'acceleratorCount');
  const hasType = accelerator !== '' && accelerator !== 'ACCELERATOR_TYPE_UNSPECIFIED';
  if (type === '') throw foundErrors([[`${path}.machine_type`, 'Required field is not set.']]);
  if (beyondCatalogue.test(type)) return;
  if (hasType !== count > 0) {
    throw foundErrors([
      [
        `${path}.accelerator_type`,
        'Both `accelerator_type` and `accelerator_count` should be specified or none.',
      ],
    ]);
  }
  const known = machineTypes.find(({ name }) => name === type);
  const there = regionsOf({
    machineType: type,
    ...(hasType ? { acceleratorType: accelerator } : {}),
  });
  // The same words for one that the region does not have.
  if (known === undefined || there?.includes(region) === false) {
    throw invalidArgument(`Machine type "${type}" is not supported.`);
  }
  if (!hasType) {
    if (!known.acceleratorRequired) return;
    throw invalidArgument(`Machine type "${type}" requires accelerators to be specified.`);
  }
  const counts = known.accelerators[accelerator];
  if (counts === undefined) {
    throw invalidArgument(
      `Accelerator "${accelerator}" is not supported for machine type "${type}".`,
    );
  }
  if (!counts.includes(count)) {
    throw invalidArgument(
      `Accelerator count ${count} of "${accelerator}" is not supported for machine type "${type}". Supported counts: ${counts.join(', ')}.`,
    );
  }
}

/** Only its form: whether the image is there shows when a replica pulls it. */
function checkImage(uri: string): void {
  if (uri !== '' && parseImageReference(uri) === undefined) {
    throw invalidArgument(`Invalid image URI: ${uri}`);
  }
}
