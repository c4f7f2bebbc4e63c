/**
 * Requests that the real Google refuses and the sandbox has no reason to: which request, and the answer as
 * the service gives it, details included. Only the project's names are ours.
 * @see https://cloud.google.com/apis/design/errors
 */
import type { Intercept, Refusal } from './intercepting-proxy.ts';

type Request = (method: string, path: string) => boolean;

export const createJob: Request = (method, path) => method === 'POST' && /\/customJobs$/.test(path);
export const listJobs: Request = (method, path) => method === 'GET' && /\/customJobs$/.test(path);
export const readBaseResults: Request = (method, path) =>
  method === 'GET' && /^\/storage\/v1\/b\/[^/]+-results\/o\/\d+%2Fbase%2F/.test(path);
export const createBuild: Request = (method, path) => method === 'POST' && /\/builds$/.test(path);
export const upload: Request = (method, path) => method === 'POST' && /^\/upload\//.test(path);

export function refuse(request: Request, refusal: Refusal): Intercept {
  return (method, path) => (request(method, path) ? refusal : undefined);
}

const httpStatuses = { PERMISSION_DENIED: 403, FAILED_PRECONDITION: 400, RESOURCE_EXHAUSTED: 429 };

/** As the gRPC services answer over HTTP. */
function rpcError(
  status: keyof typeof httpStatuses,
  message: string,
  details: readonly object[] = [],
): Refusal {
  const code = httpStatuses[status];
  const error = { code, message, status, ...(details.length === 0 ? {} : { details }) };
  return { status: code, json: { error } };
}

/** As Cloud Storage's JSON API answers. @see https://cloud.google.com/storage/docs/json_api/v1/status-codes */
function storageError(reason: string, message: string): Refusal {
  const error = { code: 403, message, errors: [{ message, domain: 'global', reason }] };
  return { status: 403, json: { error } };
}

/** @see https://cloud.google.com/apis/design/errors#error_info */
function errorInfo(reason: string, domain: string, metadata: object): object {
  return { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain, metadata };
}

function notEnabled(title: string, service: string): Refusal {
  const url = `https://console.developers.google.com/apis/api/${service}/overview?project=123456789012`;
  const message = `${title} has not been used in project 123456789012 before or it is disabled. Enable it by visiting ${url} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.`;
  return rpcError('PERMISSION_DENIED', message, [
    errorInfo('SERVICE_DISABLED', 'googleapis.com', {
      ...{ service, serviceTitle: title, activationUrl: url },
      ...{ consumer: 'projects/123456789012', containerInfo: '123456789012' },
    }),
    {
      '@type': 'type.googleapis.com/google.rpc.LocalizedMessage',
      ...{ locale: 'en-US', message },
    },
    {
      '@type': 'type.googleapis.com/google.rpc.Help',
      links: [{ description: 'Google developers console API activation', url }],
    },
  ]);
}

/** @see https://cloud.google.com/service-usage/docs/troubleshoot (SERVICE_DISABLED) */
export const vertexNotEnabled = notEnabled('Vertex AI API', 'aiplatform.googleapis.com');
/** @see https://cloud.google.com/service-usage/docs/troubleshoot (SERVICE_DISABLED) */
export const buildNotEnabled = notEnabled('Cloud Build API', 'cloudbuild.googleapis.com');

/** @see https://github.com/GoogleCloudPlatform/vertex-ai-samples/issues/3479 (the sentence) */
export const quota = rpcError(
  'RESOURCE_EXHAUSTED',
  'The following quota metrics exceed quota limits: aiplatform.googleapis.com/custom_model_training_nvidia_t4_gpus',
);

/** @see https://cloud.google.com/apis/design/errors#error_details (RetryInfo) */
function tooMany(requests: string, service: string, metric: string): Refusal {
  return rpcError(
    'RESOURCE_EXHAUSTED',
    `Quota exceeded for quota metric '${requests}' and limit '${requests} per minute' of service '${service}' for consumer 'project_number:123456789012'.`,
    [
      errorInfo('RATE_LIMIT_EXCEEDED', 'googleapis.com', {
        ...{ service, quota_metric: `${service}/${metric}`, quota_limit_value: '60' },
        consumer: 'projects/123456789012',
      }),
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '2s' },
    ],
  );
}

/** @see https://github.com/GoogleCloudPlatform/python-docs-samples/issues/10242 (the sentence, of another service) */
export const tooManyJobs = tooMany(
  'Job submission requests',
  'aiplatform.googleapis.com',
  'job_submission_requests',
);
export const tooManyBuilds = tooMany(
  'Build creation requests',
  'cloudbuild.googleapis.com',
  'build_requests',
);

/** @see https://cloud.google.com/iam/docs/permission-error-messages */
export const mayNotCreateJobs = mayNot('aiplatform.customJobs.create');
export const mayNotListJobs = mayNot('aiplatform.customJobs.list');

function mayNot(permission: string): Refusal {
  const resource = 'projects/demo-project/locations/us-central1';
  return rpcError(
    'PERMISSION_DENIED',
    `Permission '${permission}' denied on resource '//aiplatform.googleapis.com/${resource}' (or it may not exist).`,
    [errorInfo('IAM_PERMISSION_DENIED', 'aiplatform.googleapis.com', { permission, resource })],
  );
}

/** @see https://cloud.google.com/iam/docs/service-account-permissions#user-role (`actAs`) */
export const mayNotActAs = rpcError(
  'PERMISSION_DENIED',
  'You do not have permission to act as service_account: trainer@demo-project.iam.gserviceaccount.com. (or it may not exist).',
);

/** @see https://cloud.google.com/storage/docs/troubleshooting#access-permission */
export const mayNotUpload = storageError(
  'forbidden',
  "launcher@demo-project.iam.gserviceaccount.com does not have storage.objects.create access to the Google Cloud Storage object. Permission 'storage.objects.create' denied on resource (or it may not exist).",
);

/** @see https://cloud.google.com/storage/docs/troubleshooting#access-permission */
export const mayNotReadResults = storageError(
  'forbidden',
  "launcher@demo-project.iam.gserviceaccount.com does not have storage.objects.get access to the Google Cloud Storage object. Permission 'storage.objects.get' denied on resource (or it may not exist).",
);

/** @see https://cloud.google.com/storage/docs/json_api/v1/status-codes#403-forbidden (accountDisabled) */
export const noBilling = storageError(
  'accountDisabled',
  'The billing account for the owning project is disabled in state absent',
);

/** @see https://github.com/GoogleCloudPlatform/generative-ai/issues/1308 */
export const agentsBeingProvisioned = rpcError(
  'FAILED_PRECONDITION',
  'Service agents are being provisioned (https://cloud.google.com/vertex-ai/docs/general/access-control#service-agents). Service agents are needed to read the Cloud Storage file provided. So please try again in a few minutes.',
);

const agent = 'service-123456789012@gcp-sa-aiplatform-cc.iam.gserviceaccount.com';

/** The agent exists only after Vertex AI's first use. @see https://cloud.google.com/vertex-ai/docs/general/access-control */
export const noAgent = rpcError('FAILED_PRECONDITION', `Service account ${agent} does not exist.`);

/** A denied pull is refused at once. @see https://github.com/googleapis/python-run/issues/54 (the permission's form) */
export const mayNotPull = rpcError(
  'FAILED_PRECONDITION',
  `${agent} does not have permission: Permission 'artifactregistry.repositories.downloadArtifacts' denied on resource '//artifactregistry.googleapis.com/projects/other/locations/us-central1/repositories/trainyard'`,
);

/** @see https://github.com/googleapis/python-aiplatform/issues/4287 */
export const forbiddenByPolicy = rpcError(
  'FAILED_PRECONDITION',
  'The request has violated one or more Org Policies: violations { description: "The project 123456789012 failed the org policy enforcement check for `constraints/gcp.resourceLocations`. Please refer to the organization\'s policies to review the project resource location restriction." }',
);

/** @see https://github.com/GoogleCloudPlatform/vertex-ai-samples/pull/19 */
export const bucketElsewhere = rpcError(
  'FAILED_PRECONDITION',
  'The Cloud Storage bucket of `gs://eu-results/digits` is in location `europe-west4`. It must be in the same regional location as the service location `us-central1`.',
);
