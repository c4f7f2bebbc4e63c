/** Which services and methods the sandbox serves, each described by its own client package's protos. */
import { artifactHandlers, artifactLocations } from './artifacts/artifacts-api.ts';
import type { ArtifactPorts } from './artifacts/repositories.ts';
import { buildHandlers, type BuildsApiPorts } from './builds/builds-api.ts';
import { jobHandlers, type JobsApiPorts } from './jobs/jobs-api.ts';
import { missingJobFields } from './jobs/validate-job.ts';
import { loggingHandlers, type LoggingPorts } from './logging/logging-api.ts';
import { badRequest, type ApiError } from './wire/api-error.ts';
import { loadDescriptors, type Descriptors } from './wire/descriptors.ts';
import { routesOf, type Route } from './wire/rpc-api.ts';

export interface ApiPorts {
  readonly jobs: JobsApiPorts;
  readonly builds: BuildsApiPorts;
  readonly artifacts: ArtifactPorts;
  readonly logging: LoggingPorts;
}

/** Fields that Cloud Build's REST API has and its npm package's protos do not.
 * @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#buildoptions (pubsubTopic)
 */
const cloudBuildSupplement = {
  'google.devtools.cloudbuild.v1.BuildOptions': { pubsubTopic: 'string' },
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
      handlers: buildHandlers(ports.builds),
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
