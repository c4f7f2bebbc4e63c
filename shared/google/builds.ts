/** The `Builds` port over Cloud Build's v1 API: BuildRequests in, BuildSnapshots out. */
import type { CloudBuildClient } from '@google-cloud/cloudbuild/build/src/v1/cloud_build_client.js';
import type { BuildConfig } from '../config/build-config.ts';
import { CloudError } from '../errors.ts';
import type { BuildRequest, Builds, OpenResources } from '../ports.ts';
import { isBuildOver, type BuildSnapshot } from '../watch/run.ts';
import { fromBuild, type WireBuild } from './from-wire.ts';
import { itemsOf } from './pages.ts';
import { callOptions, pageOptions, type Sender } from './requests.ts';
import * as names from './resource-names.ts';
import { toWireDuration } from './wire-duration.ts';

type CreateBuild = Exclude<Parameters<CloudBuildClient['createBuild']>[0], undefined>;
type WireBuildRequest = NonNullable<CreateBuild['build']>;

/** More builds than one run can ever have; a tag that matches more is not one of ours. */
const maxFound = 100;

export function createBuilds(client: () => Promise<CloudBuildClient>, sender: Sender): Builds {
  const get = async (name: string): Promise<BuildSnapshot> => {
    names.parseResourceName(name, 'builds');
    const builds = await client();
    const [build] = await sender.read('builds.get', () => builds.getBuild({ name }, callOptions));
    return fromBuild(build, name);
  };
  return {
    get,
    create: async (request) => {
      const body = toCreateBuild(request);
      const builds = await client();
      const [operation] = await sender.write('builds.create', () =>
        builds.createBuild(body, callOptions),
      );
      return fromOperation(operation.metadata, `${names.locationName(request)}/builds/`);
    },
    findByTag: async (where) => {
      const parent = names.locationName(where);
      const filter = `tags="${names.tag(where.tag)}"`;
      const builds = await client();
      const found = await sender.read('builds.list', async () => {
        const page: BuildSnapshot[] = [];
        for await (const build of builds.listBuildsAsync({ parent, filter }, pageOptions)) {
          page.push(fromBuild(build, `${parent}/builds/${build.id ?? ''}`));
          if (page.length >= maxFound) break;
        }
        return page;
      });
      return found
        .filter(({ tags }) => tags.includes(where.tag))
        .sort((a, b) => ((a.createTime ?? '') > (b.createTime ?? '') ? -1 : 1));
    },
    cancel: async (name) => {
      names.parseResourceName(name, 'builds');
      const builds = await client();
      try {
        await sender.write('builds.cancel', () => builds.cancelBuild({ name }, callOptions));
      } catch (error) {
        // Refused because there is nothing left to cancel: that is what the caller wanted.
        if (!isRefusal(error) || !isBuildOver((await get(name)).status)) throw error;
      }
    },
  };
}

/** @see https://cloud.google.com/build/docs/view-build-results#filtering_build_results_using_queries */
const openStatuses = ['PENDING', 'QUEUED', 'WORKING'] as const;
const openPageSize = 100;
/** 20,000 at once; more than that is no answer to believe. */
const maxOpenPages = 200;

/** The tag is the launcher's; see `ownerTag` in launch/requests.ts. */
export function createOpenBuilds(
  client: () => Promise<CloudBuildClient>,
  sender: Sender,
): OpenResources<BuildSnapshot> {
  return {
    list: async ({ owner, ...where }) => {
      const parent = names.locationName(where);
      const tag = names.tag(`trainyard-owner-${owner}`);
      const statuses = openStatuses.map((status) => `status="${status}"`).join(' OR ');
      const request = {
        parent,
        filter: `tags="${tag}" AND (${statuses})`,
        pageSize: openPageSize,
      };
      const builds = await client();
      const found = itemsOf(maxOpenPages, async (pageToken) => {
        const [items, , { nextPageToken }] = await sender.read('builds.list', () =>
          builds.listBuilds({ ...request, pageToken }, pageOptions),
        );
        return { items, nextPageToken };
      });
      const snapshots = await Array.fromAsync(found, (build) =>
        fromBuild(build, `${parent}/builds/${build.id ?? ''}`),
      );
      return snapshots.filter(({ tags }) => tags.includes(tag));
    },
  };
}

/** True when the service said no, rather than nothing. */
export function isRefusal(error: unknown): error is CloudError {
  return error instanceof CloudError && error.status >= 400 && error.status < 500;
}

/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds */
function toCreateBuild({ project, region, source, build }: BuildRequest): CreateBuild {
  const storageSource = {
    bucket: names.bucket(source.bucket),
    object: names.objectName(source.object),
    generation: source.generation,
  };
  return {
    parent: names.locationName({ project, region }),
    build: { ...toWireBuild(build), source: { storageSource } },
  };
}

/** The fields of Build, and of each of its steps, that are durations. @internal */
export const durationFields: ReadonlySet<string> = new Set(['timeout', 'queueTtl']);

/**
 * REST's JSON and the client library's objects differ in one thing that a Build can hold: durations (`600s`
 * against `{seconds}`). Enum names, int64 texts and base64 are the same in both; a test walks the proto to
 * prove that there is nothing else.
 */
function toWireBuild(build: BuildConfig): WireBuildRequest {
  const wire: unknown = {
    ...withWireDurations(build),
    steps: build.steps.map(withWireDurations),
  };
  // Fields that we do not name are carried through; the config's schema has checked them.
  return wire as WireBuildRequest;
}

function withWireDurations(message: object): object {
  const entries = Object.entries(message) as [string, unknown][];
  return Object.fromEntries(
    entries.map(([key, value]) => [key, durationFields.has(key) ? toWireDuration(value) : value]),
  );
}

/** The create's answer is an operation; the build that it started stands in its metadata. */
function fromOperation(metadata: unknown, parent: string): BuildSnapshot {
  const build = (metadata as { readonly build?: WireBuild | null } | null)?.build;
  if (!build?.id) {
    throw new CloudError('builds.create', 'the answer does not say which build was started', {
      status: 200,
      retryable: false,
      ambiguous: true,
    });
  }
  return fromBuild(build, parent + build.id);
}
