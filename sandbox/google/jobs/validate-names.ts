/**
 * The names of other resources that a job gives: whether each has its form. That most of them exist is not asked,
 * since the sandbox does not have them.
 */
import { objectAt, textAt, textsAt, type JsonObject } from '../wire/json.ts';
import { foundErrors } from './found-errors.ts';

/** A form as Vertex AI describes it; `{…}` stands for one part. */
interface Named {
  readonly field: string;
  readonly wire: string;
  readonly form: string;
}

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/CustomJobSpec */
const ofSpec: readonly Named[] = [
  {
    field: 'network',
    wire: 'network',
    form: 'projects/{number}/global/networks/{network}',
  },
  {
    field: 'tensorboard',
    wire: 'tensorboard',
    form: 'projects/{project}/locations/{location}/tensorboards/{tensorboard}',
  },
  ...(['experiment', 'experimentRun'] as const).map((field) => ({
    field,
    wire: field === 'experiment' ? 'experiment' : 'experiment_run',
    form: 'projects/{project}/locations/{location}/metadataStores/{store}/contexts/{context}',
  })),
];
/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/EncryptionSpec */
const keyForm = 'projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key}';
const modelForm = 'projects/{project}/locations/{location}/models/{model}';

/** @throws ApiError 400 */
export function checkNames(job: JsonObject, region: string): void {
  const spec = objectAt(job, 'jobSpec');
  for (const { field, wire, form } of ofSpec) check(textAt(spec, field), `job_spec.${wire}`, form);
  for (const [i, model] of textsAt(spec, 'models').entries()) {
    check(model, `job_spec.models[${i}]`, modelForm);
  }
  const account = textAt(spec, 'serviceAccount');
  if (account !== '' && !/^[^@/\s]+@[^@/\s]+$/.test(account)) {
    throw foundErrors([['job_spec.service_account', `Invalid service account: ${account}`]]);
  }
  const key = textAt(objectAt(job, 'encryptionSpec'), 'kmsKeyName');
  check(key, 'encryption_spec.kms_key_name', keyForm);
  const keyRegion = key.split('/')[3] ?? region;
  if (keyRegion === region) return;
  throw foundErrors([
    [
      'encryption_spec.kms_key_name',
      `The key is in ${keyRegion}. It must be in the same region as the job, ${region}.`,
    ],
  ]);
}

function check(name: string, field: string, form: string): void {
  if (name === '' || patternOf(form).test(name)) return;
  throw foundErrors([[field, `Invalid resource name: ${name}. Expected format: ${form}`]]);
}

function patternOf(form: string): RegExp {
  const parts = form.replaceAll('{number}', '[0-9]+').replaceAll(/\{[a-z]+\}/g, '[^/\\s]+');
  return new RegExp(`^${parts}$`);
}
