/**
 * Secrets of a run: which program may get them and how, a checked spec in, what will happen or a Refusal out.
 * Pure; nothing here has ever seen a value.
 */
import type { CustomJobSpec, WorkerPoolSpec } from '../config/job-spec.ts';
import { reject, type Refusal } from '../policy/decision.ts';
import { vertexImages } from './job-arguments.ts';
import { imagePlaceholder } from './plan.ts';

export interface JobSecrets {
  /** Environment variable → `projects/P/secrets/S/versions/V`. */
  readonly versions: Readonly<Record<string, string>>;
  /** A program in an image that is not ours may get the values as variables that the job shows. */
  readonly allowPlain: boolean;
}

export interface SecretsRequest extends JobSecrets {
  /** False for code that is not known to be the repository's own. */
  readonly isOwnCode: boolean;
}

/** On a job whose program has secrets: nobody shows the end of its log to others, whoever follows it. */
export const secretsLabel = 'trainyard-secrets';

/**
 * How a pool's program comes to its secrets. `entry`: a shim before the image's own program reads them as the
 * job's account. `plain`: they are written into the job. Undefined: it is not the program that trains.
 */
export function waysOfSecrets(spec: CustomJobSpec): readonly ('entry' | 'plain' | undefined)[] {
  return spec.workerPoolSpecs.map(wayOf);
}

function wayOf({
  containerSpec,
  pythonPackageSpec,
}: WorkerPoolSpec): 'entry' | 'plain' | undefined {
  if (pythonPackageSpec !== undefined) return 'plain';
  if (containerSpec === undefined || vertexImages.test(containerSpec.imageUri ?? ''))
    return undefined;
  return containerSpec.imageUri === imagePlaceholder ? 'entry' : 'plain';
}

export interface Checked {
  readonly kind: 'checked';
  readonly notes: readonly string[];
}

/** @param hasAccount the job runs as an account of its own */
export function checkSecrets(
  spec: CustomJobSpec,
  { isOwnCode, versions, allowPlain }: SecretsRequest,
  hasAccount: boolean,
): Checked | Refusal {
  const names = Object.keys(versions)
    .map((name) => `\`${name}\``)
    .join(', ');
  if (!isOwnCode) {
    const message = `The secrets ${names} are not given to code that may be a fork's.`;
    return reject('fork_not_approved', message, "Run this step on the repository's own commits.");
  }
  const ways = waysOfSecrets(spec);
  if (ways.includes('plain') && !allowPlain) {
    return reject(
      'field_not_allowed',
      `The secrets ${names} can be read by the job itself only in an image that this run builds, and the job config names another one.`,
      'Use `$IMAGE` as its `imageUri`; or set `allow_plain_secrets: true`, which writes their values into the job, where everybody who may see the job may read them.',
    );
  }
  // Without one it is Google's agent, whose tokens Secret Manager does not take.
  // @see https://cloud.google.com/vertex-ai/docs/general/custom-service-account
  if (ways.includes('entry') && !hasAccount) {
    return reject(
      'bad_argument',
      `The job must run as an account of its own to read the secrets ${names}.`,
      'Set `service_account`, and grant it `roles/secretmanager.secretAccessor` on each secret.',
    );
  }
  const notes = [
    ...(ways.includes('entry')
      ? [`The job reads the secrets ${names} itself when it starts.`]
      : []),
    ...(ways.includes('plain')
      ? [`The secrets ${names} are written into the job: whoever may see the job may read them.`]
      : []),
  ];
  return { kind: 'checked', notes };
}
