/** The `JobDescriptions` port: a job that anybody may have started, as far as its spec matters to a follower. */
import type { JobServiceClient } from '@google-cloud/aiplatform/build/src/v1/job_service_client.js';
import type { CustomJobSpec, MachineSpec, WorkerPoolSpec } from '../config/job-spec.ts';
import type { JobDescription, JobDescriptions } from '../ports.ts';
import { fromJob } from './from-wire.ts';
import { callOptions, type Sender } from './requests.ts';
import * as names from './resource-names.ts';

/** The body of a create has the type that a get returns. */
type Create = Exclude<Parameters<JobServiceClient['createCustomJob']>[0], undefined>;
type WireJob = NonNullable<Create['customJob']>;
type WireSpec = NonNullable<WireJob['jobSpec']>;
type WirePool = NonNullable<WireSpec['workerPoolSpecs']>[number];

export function createJobDescriptions(
  client: (region: string) => Promise<JobServiceClient>,
  sender: Sender,
): JobDescriptions {
  return {
    describe: async (name) => {
      const jobs = await client(names.parseResourceName(name, 'customJobs').region);
      const [job] = await sender.read('customJobs.get', () =>
        jobs.getCustomJob({ name }, callOptions),
      );
      return toDescription(job);
    },
  };
}

export function toDescription(job: WireJob): JobDescription {
  return {
    snapshot: fromJob(job),
    displayName: job.displayName ?? '',
    spec: toSpec(job.jobSpec ?? {}),
  };
}

/** Hardware, image, words, timeout and directory; what else a spec holds (env above all) is nobody's business here. */
function toSpec(spec: WireSpec): CustomJobSpec {
  const seconds = Number(spec.scheduling?.timeout?.seconds ?? 0);
  const outputUriPrefix = spec.baseOutputDirectory?.outputUriPrefix ?? '';
  const persistent = spec.persistentResourceId ?? '';
  return {
    workerPoolSpecs: (spec.workerPoolSpecs ?? []).map(toPool),
    ...(seconds > 0 ? { scheduling: { timeout: `${seconds}s` } } : {}),
    ...(outputUriPrefix === '' ? {} : { baseOutputDirectory: { outputUriPrefix } }),
    ...(persistent === '' ? {} : { persistentResourceId: persistent }),
  };
}

/** An empty pool is one that the job skips. */
function toPool(pool: WirePool): WorkerPoolSpec {
  const { containerSpec: container, diskSpec: disk } = pool;
  if (!pool.machineSpec?.machineType) return {};
  return {
    machineSpec: toMachine(pool.machineSpec),
    replicaCount: String(pool.replicaCount ?? 1),
    ...(container
      ? {
          containerSpec: {
            imageUri: container.imageUri ?? '',
            // On the wire none at all is an empty list.
            ...(container.command?.length ? { command: container.command } : {}),
            ...(container.args?.length ? { args: container.args } : {}),
          },
        }
      : {}),
    ...(disk?.bootDiskType
      ? {
          diskSpec: { bootDiskType: disk.bootDiskType, bootDiskSizeGb: disk.bootDiskSizeGb ?? 100 },
        }
      : {}),
  };
}

function toMachine(machine: NonNullable<WirePool['machineSpec']>): MachineSpec {
  const { machineType, acceleratorType, acceleratorCount } = machine;
  const has =
    typeof acceleratorType === 'string' && /^(?!ACCELERATOR_TYPE_UN)/.test(acceleratorType);
  return {
    machineType: machineType ?? '',
    ...(has ? { acceleratorType, acceleratorCount: acceleratorCount || 1 } : {}),
  };
}
