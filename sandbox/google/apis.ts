/** Which services and methods the sandbox serves, each described by its own client package's protos. */
import { artifactHandlers, artifactLocations } from './artifacts/artifacts-api.ts';
import type { ArtifactPorts } from './artifacts/repositories.ts';
import { buildHandlers, type BuildsApiPorts } from './builds/builds-api.ts';
import { connectionHandlers } from './builds/connections.ts';
import { triggerHandlers, type TriggersApiPorts } from './builds/triggers-api.ts';
import { jobHandlers, type JobsApiPorts } from './jobs/jobs-api.ts';
import { missingJobFields } from './jobs/validate-job.ts';
import { loggingHandlers, type LoggingPorts } from './logging/logging-api.ts';
import { badRequest, type ApiError } from './wire/api-error.ts';
import { loadDescriptors, type Descriptors, type Supplement } from './wire/descriptors.ts';
import { routesOf, type Route } from './wire/rpc-api.ts';

interface ApiPorts {
  readonly jobs: JobsApiPorts;
  readonly builds: BuildsApiPorts;
  readonly triggers: TriggersApiPorts;
  readonly artifacts: ArtifactPorts;
  readonly logging: LoggingPorts;
}

/** Fields that Cloud Build's REST API has and its npm package's protos do not.
 * @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#buildoptions (pubsubTopic)
 * @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.locations.triggers
 */
const cloudBuildSupplement: Supplement = {
  'google.devtools.cloudbuild.v1.BuildOptions': { fields: { pubsubTopic: 'string' } },
  'google.devtools.cloudbuild.v1.BuildTrigger': {
    fields: {
      approvalConfig: 'ApprovalConfig',
      eventType: 'EventType',
      includeBuildLogs: 'IncludeBuildLogs',
    },
    enums: {
      EventType: ['EVENT_TYPE_UNSPECIFIED', 'REPO', 'WEBHOOK', 'PUBSUB', 'MANUAL'],
      IncludeBuildLogs: ['INCLUDE_BUILD_LOGS_UNSPECIFIED', 'INCLUDE_BUILD_LOGS_WITH_STATUS'],
    },
  },
};

/** Parsing the protos takes a moment (Vertex AI's are 4 MB), so once per process. */
let loaded:
  Readonly<Record<'aiplatform' | 'build' | 'artifacts' | 'logging', Descriptors>> | undefined;

export function descriptors(): NonNullable<typeof loaded> {
  loaded ??= {
    aiplatform: loadDescriptors('@google-cloud/aiplatform'),
    build: loadDescriptors('@google-cloud/cloudbuild', cloudBuildSupplement),
    artifacts: loadDescriptors('@google-cloud/artifact-registry'),
    logging: loadDescriptors('@google-cloud/logging-api'),
  };
  return loaded;
}

export function apiRoutes(ports: ApiPorts): Route[] {
  const { aiplatform, build, artifacts, logging } = descriptors();
  const routes = [
    // `gcloud beta ai custom-jobs` speaks v1beta1: the same jobs.
    ...['v1', 'v1beta1'].flatMap((version) =>
      routesOf({
        descriptors: aiplatform,
        service: `google.cloud.aiplatform.${version}.JobService`,
        handlers: jobHandlers(ports.jobs),
        missing: missingJobFields,
      }),
    ),
    ...routesOf({
      descriptors: build,
      service: 'google.devtools.cloudbuild.v1.CloudBuild',
      handlers: { ...buildHandlers(ports.builds), ...triggerHandlers(ports.triggers) },
      missing: missingOfBuild,
    }),
    ...routesOf({
      descriptors: build,
      service: 'google.devtools.cloudbuild.v2.RepositoryManager',
      handlers: connectionHandlers(ports.triggers.connections),
      missing,
    }),
    ...routesOf({
      descriptors: artifacts,
      service: 'google.devtools.artifactregistry.v1.ArtifactRegistry',
      handlers: artifactHandlers(ports.artifacts),
      missing,
    }),
    ...artifactLocations(ports.artifacts),
    ...routesOf({
      descriptors: logging,
      service: 'google.logging.v2.LoggingServiceV2',
      handlers: loggingHandlers(ports.logging),
      missing,
    }),
  ];
  return routes;
}

function missing(paths: readonly string[]): ApiError {
  return badRequest(
    paths.map((field) => ({ field, description: `The field '${field}' is required.` })),
  );
}

/** A trigger is run without a repository's name: it has its own. @see https://cloud.google.com/build/docs/automating-builds/create-manual-triggers */
function missingOfBuild(paths: readonly string[]): ApiError | undefined {
  const others = paths.filter((path) => path !== 'source.repo_name');
  return others.length === 0 ? undefined : missing(others);
}
