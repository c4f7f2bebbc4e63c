/**
 * Google's error texts as its documents and users' reports have them, the reason of each and what to do.
 * @see https://cloud.google.com/vertex-ai/docs/training/monitor-debug-training-errors
 * @see https://cloud.google.com/storage/docs/troubleshooting
 * @see https://github.com/GoogleCloudPlatform/generative-ai/issues/1308 (service agents being provisioned)
 * @see https://github.com/GoogleCloudPlatform/vertex-ai-samples/issues/3710 (a service agent without a role)
 * @see https://github.com/google-github-actions/deploy-cloudrun/issues/370 (the form of a denied permission)
 * @see https://github.com/googleapis/python-aiplatform/issues/885 (a bucket in another region)
 * @see https://github.com/googleapis/python-aiplatform/issues/4287 (an organisation's policies)
 * @see https://github.com/google-github-actions/deploy-cloudrun/issues/480 (a build region, without the product's name)
 */
import { describe, expect, it } from '@jest/globals';
import { endReasons, type EndReason } from '../../../shared/errors.ts';
import { knownError } from '../../../shared/watch/known-errors.ts';
import { reasonWords } from '../../../shared/report/words.ts';

const cases: [reason: EndReason, text: string, fix: RegExp][] = [
  [
    'api_disabled',
    'Vertex AI API has not been used in project 123456789012 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/aiplatform.googleapis.com/overview?project=123456789012 then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.',
    /gcloud services enable aiplatform\.googleapis\.com --project=123456789012/,
  ],
  [
    'api_disabled',
    'Cloud Build API has not been used in project demo-project before or it is disabled.',
    /gcloud services enable cloudbuild\.googleapis\.com --project=demo-project/,
  ],
  [
    'api_disabled',
    'Artifact Registry API has not been used in project demo-project before or it is disabled.',
    /artifactregistry\.googleapis\.com/,
  ],
  [
    'billing_disabled',
    'This API method requires billing to be enabled. Please enable billing on project #123456789012 by visiting https://console.developers.google.com/billing/enable?project=123456789012 then retry.',
    /gcloud billing projects link 123456789012/,
  ],
  [
    'billing_disabled',
    'The billing account for the owning project is disabled in state absent',
    /Link an open billing account/,
  ],
  [
    'org_policy',
    "Request violates constraint 'constraints/gcp.resourceLocations' on the resource projects/demo-project.",
    /`constraints\/gcp\.resourceLocations`/,
  ],
  [
    'org_policy',
    'Constraint constraints/compute.vmExternalIpAccess violated for project 123456789012.',
    /`constraints\/compute\.vmExternalIpAccess`/,
  ],
  [
    'org_policy',
    'The request has violated one or more Org Policies: violations { description: "The project 123456789012 failed the org policy enforcement check for `constraints/gcp.resourceLocations`." }',
    /`constraints\/gcp\.resourceLocations`/,
  ],
  [
    'org_policy',
    'The request has violated one or more Org Policies. Please refer to the respective violations.',
    /administrator/,
  ],
  [
    'iam_propagating',
    'Service agents are being provisioned (https://cloud.google.com/vertex-ai/docs/general/access-control#service-agents). Service agents are needed to read the Cloud Storage file provided. So please try again in a few minutes.',
    /a few minutes/,
  ],
  [
    'iam_propagating',
    'Permission was granted recently and it may take several minutes to propagate.',
    /a few minutes/,
  ],
  [
    'service_agent_missing',
    'Service account service-123456789012@gcp-sa-aiplatform-cc.iam.gserviceaccount.com does not exist.',
    /services identity create --service=aiplatform\.googleapis\.com.*roles\/artifactregistry\.reader/,
  ],
  [
    'service_agent_missing',
    'Service account `[service-789051324393@gcp-sa-aiplatform.iam.gserviceaccount.com](mailto:service-789051324393@gcp-sa-aiplatform.iam.gserviceaccount.com)` does not have `[storage.objects.get]` IAM permission(s) to the directory "gs://mco-mm/churn".',
    /roles\/storage\.objectUser` on `gs:\/\/mco-mm`/,
  ],
  [
    'image_pull_denied',
    "service-123456789012@gcp-sa-aiplatform-cc.iam.gserviceaccount.com does not have permission: Permission 'artifactregistry.repositories.downloadArtifacts' denied on resource '//artifactregistry.googleapis.com/projects/other/locations/us-central1/repositories/trainyard'",
    /roles\/artifactregistry\.reader` on `projects\/other\/locations\/us-central1\/repositories\/trainyard` to `service-123456789012@gcp-sa-aiplatform-cc\.iam\.gserviceaccount\.com`/,
  ],
  [
    'image_not_found',
    'The replica workerpool0-0 failed to pull the image us-central1-docker.pkg.dev/demo-project/trainyard/digits@sha256:00: manifest unknown.',
    /correct its name/,
  ],
  [
    'image_not_found',
    'Image us-central1-docker.pkg.dev/demo-project/trainyard/digits:v1 not found.',
    /correct its name/,
  ],
  [
    'quota',
    'The following quota metrics exceed quota limits: aiplatform.googleapis.com/custom_model_training_nvidia_t4_gpus',
    /`custom_model_training_nvidia_t4_gpus`/,
  ],
  [
    'quota',
    'The following quota metrics exceed quota limits: aiplatform.googleapis.com/custom_model_training_nvidia_l4_gpus, aiplatform.googleapis.com/custom_model_training_cpus',
    /`custom_model_training_nvidia_l4_gpus`, `custom_model_training_cpus`/,
  ],
  [
    'quota',
    "Quota exceeded for quota metric 'aiplatform.googleapis.com/job_submission_requests' and limit 'per minute' of service 'aiplatform.googleapis.com'.",
    /`job_submission_requests`/,
  ],
  ['quota', "Quota 'GPUS_ALL_REGIONS' exceeded. Limit: 0.0 globally.", /`GPUS_ALL_REGIONS`/],
  [
    'stockout',
    'Resources are insufficient in region: us-central1. Please try a different region or use a different accelerator.',
    /`region=`/,
  ],
  [
    'stockout',
    'The zone does not have enough resources available to fulfill the request.',
    /region=/,
  ],
  ['preempted', 'The replica workerpool0-0 was preempted.', /without `spot`/],
  [
    'bucket_region',
    'Bucket demo-project-results is in location us. It must be in the same regional location as the service.',
    /the job's region/,
  ],
  [
    'bucket_region',
    'The Cloud Storage bucket of `gs://demo/x` is in location `us`. It must be in the same regional location as the service location `us-central1`.',
    /location is us-central1, not one of several regions/,
  ],
  [
    'build_region_restricted',
    'failed precondition: due to quota restrictions, cannot run builds in this region. Please contact support',
    /`build_region` to global/,
  ],
  [
    'build_region_restricted',
    'failed precondition: due to quota restrictions, Cloud Build cannot run builds in this region. Please contact support.',
    /`build_region` to global/,
  ],
  [
    'out_of_memory',
    'The replica workerpool0-0 ran out of memory and exited with a non-zero status of 9.',
    /n1-highmem-8/,
  ],
  [
    'out_of_memory',
    'The replica workerpool0-0 ran out-of-memory and exited with a non-zero status of 9(SIGKILL).',
    /n1-highmem-8/,
  ],
  [
    'out_of_memory',
    'The replica workerpool0-0 exited with a non-zero status of 137.',
    /n1-highmem-8/,
  ],
  [
    'user_code_exit',
    'The replica workerpool0-0 exited with a non-zero status of 1. Termination reason: Error. To find out more about why your job exited please check the logs',
    /last lines/,
  ],
  [
    'permission_denied',
    "Permission 'aiplatform.customJobs.create' denied on resource '//aiplatform.googleapis.com/projects/demo-project/locations/us-central1' (or it may not exist).",
    /`roles\/aiplatform\.user` to the account that asked/,
  ],
  [
    'permission_denied',
    'You do not have permission to act as service_account: trainer@demo-project.iam.gserviceaccount.com. (or it may not exist).',
    /`roles\/iam\.serviceAccountUser` on `trainer@demo-project\.iam\.gserviceaccount\.com`/,
  ],
  [
    'permission_denied',
    'caller does not have permission to act as service account projects/demo-project/serviceAccounts/builder@demo-project.iam.gserviceaccount.com',
    /`roles\/iam\.serviceAccountUser` on `builder@demo-project\.iam\.gserviceaccount\.com`/,
  ],
  [
    'permission_denied',
    "launcher@demo-project.iam.gserviceaccount.com does not have storage.objects.create access to the Google Cloud Storage object. Permission 'storage.objects.create' denied on resource (or it may not exist).",
    /`roles\/storage\.objectUser` to `launcher@demo-project\.iam\.gserviceaccount\.com`/,
  ],
  [
    'permission_denied',
    "Permission 'artifactregistry.repositories.uploadArtifacts' denied on resource 'projects/demo-project/locations/us-central1/repositories/trainyard'",
    /`roles\/artifactregistry\.writer` on `projects\/demo-project\/locations\/us-central1\/repositories\/trainyard`/,
  ],
  ['permission_denied', 'Permission denied on resource project My First Project.', /the role/],
];

describe('knownError', () => {
  it.each(cases)('%s: %s', (reason, text, fix) => {
    const known = knownError(text);
    expect(known).toMatchObject({ reason, fix: expect.stringMatching(fix) as unknown });
  });

  it.each([
    '',
    'Internal error occurred for the current attempt.',
    'Machine type n1-standard-1 is not supported.',
    'Invalid value at job.display_name: billing-model is too long',
  ])('knows nothing of %j', (text) => {
    expect(knownError(text)).toBeUndefined();
  });

  it.each([
    [
      'The billing account for the owning project is disabled in state absent',
      /link demo-project /,
    ],
    [
      'Service account service-1@gcp-sa-aiplatform-cc.iam.gserviceaccount.com does not exist.',
      /--project=demo-project`/,
    ],
    ['Cloud Build API is not enabled: SERVICE_DISABLED', /--project=demo-project`/],
    [
      'Cloud Build API has not been used in project other-project before or it is disabled.',
      /--project=other-project`/,
    ],
  ])('says for which project, as far as the text does not: %s', (text, fix) => {
    expect(knownError(text, 'demo-project')?.fix).toMatch(fix);
  });

  it('is as quick with long texts of anybody', () => {
    const hostile = [
      'permission '.repeat(50_000),
      `service agent ${'x'.repeat(500_000)}`,
      `image ${'a '.repeat(300_000)}`,
      'a@'.repeat(200_000),
      'act as service account: '.repeat(20_000),
    ];
    const before = process.cpuUsage();
    for (const text of hostile) knownError(text);
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(20_000);
  });
});

describe('the closed set', () => {
  it('has what steps may rely on, and a word for titles for each', () => {
    const promised = [
      ...['user_code_exit', 'out_of_memory', 'cuda_out_of_memory', 'image_pull_denied', 'quota'],
      ...['stockout', 'preempted', 'timeout', 'permission_denied', 'iam_propagating'],
      ...['service_agent_missing', 'api_disabled', 'billing_disabled', 'org_policy'],
      ...['bucket_region', 'build_region_restricted', 'image_not_found', 'start_timeout'],
      ...['bad_config', 'internal'],
    ];
    expect(endReasons).toEqual(expect.arrayContaining(promised));
    expect(Object.keys(reasonWords).sort()).toEqual([...endReasons].sort());
  });
});
