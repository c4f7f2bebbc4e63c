/**
 * The build that a trigger starts: the trigger and a revision in, the stored build out. Its template is
 * read from the revision itself, and its substitutions say what is built and why.
 * @see https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values
 */
import { ApiError, invalidArgument, notFound } from '../wire/api-error.ts';
import { objectAt, textAt, textMapAt, textsAt, type JsonObject } from '../wire/json.ts';
import type { BuildRecord } from './build-record.ts';
import type { BuildsApiPorts } from './builds-api.ts';
import { linkedRepository, type ConnectionPorts } from './connections.ts';
import { createBuild } from './create-build.ts';
import {
  parseRemoteUri,
  remoteUri,
  type SourceHost,
  type SourceRepository,
} from './source-host.ts';
import { nameOf, type TriggerRecord } from './trigger-record.ts';
import { readTemplate, type TemplatePorts } from './trigger-template.ts';

export interface TriggerBuildPorts extends TemplatePorts {
  readonly builds: BuildsApiPorts;
}

/** What is built. */
export interface Revision {
  readonly repository: SourceRepository;
  readonly sha: string;
  readonly branch?: string;
  readonly tag?: string;
  readonly pullRequest?: {
    readonly number: number;
    readonly headBranch: string;
    readonly baseBranch: string;
    readonly headRepositoryUrl: string;
  };
}

/** Where a trigger's source is: the repository, and how a build's `source` names it. */
export interface TriggerSource {
  readonly repository: SourceRepository;
  at(sha: string): JsonObject;
}

/** Undefined for a manual trigger that builds without source. @throws ApiError 400 when it is not there any more. */
export function sourceOf(
  ports: Pick<TriggerBuildPorts, 'sources' | 'connections'>,
  { trigger }: Pick<TriggerRecord, 'trigger'>,
): TriggerSource | undefined {
  const github = objectAt(trigger, 'github');
  if (trigger['github'] !== undefined) {
    return byName(ports.sources, { owner: textAt(github, 'owner'), name: textAt(github, 'name') });
  }
  const linked = textAt(objectAt(trigger, 'repositoryEventConfig'), 'repository');
  const toBuild = objectAt(trigger, 'sourceToBuild');
  const resourceName = linked === '' ? textAt(toBuild, 'repository') : linked;
  if (resourceName !== '') return byResource(ports, resourceName);
  if (trigger['sourceToBuild'] === undefined) return undefined;
  return byName(ports.sources, parseRemoteUri(textAt(toBuild, 'uri')));
}

function byName(
  sources: SourceHost,
  name: { readonly owner: string; readonly name: string } | undefined,
): TriggerSource {
  const repository = name === undefined ? undefined : sources.find(name.owner, name.name);
  if (repository === undefined) throw gone();
  const url = remoteUri(repository.owner, repository.name);
  return { repository, at: (sha) => ({ gitSource: { url, revision: sha } }) };
}

function byResource(
  ports: { readonly sources: SourceHost; readonly connections: ConnectionPorts },
  resourceName: string,
): TriggerSource {
  const name = linkedRepository(ports.connections, resourceName);
  const repository = name === undefined ? undefined : ports.sources.find(name.owner, name.name);
  if (repository === undefined) throw gone();
  return {
    repository,
    at: (sha) => ({ connectedRepository: { repository: resourceName, revision: sha } }),
  };
}

function gone(): ApiError {
  return new ApiError('FAILED_PRECONDITION', 'The repository of the trigger is not there.');
}

/** @throws ApiError 400 or 404 */
export async function runTrigger(
  ports: TriggerBuildPorts,
  record: TriggerRecord,
  /** google.devtools.cloudbuild.v1.RepoSource */
  asked: JsonObject,
): Promise<BuildRecord> {
  if (textAt(asked, 'dir') !== '') {
    throw invalidArgument(
      'The sandbox builds from the root of a repository: leave source.dir out.',
    );
  }
  const source = sourceOf(ports, record);
  const own = textMapAt(asked, 'substitutions');
  if (source === undefined) return startBuild(ports, record, undefined, own);
  const [kind, name] = revisionOf(record, asked);
  const ref = { branch: `refs/heads/${name}`, tag: `refs/tags/${name}`, other: name }[kind];
  const sha = await source.repository.resolve(ref);
  if (sha === undefined) throw notFound(`Couldn't read commit: ${name} is not in the repository.`);
  const revision = {
    repository: source.repository,
    sha,
    ...(kind === 'other' ? {} : { [kind]: name }),
  };
  return startBuild(ports, record, { source, revision }, own);
}

function revisionOf(
  { trigger }: TriggerRecord,
  asked: JsonObject,
): readonly ['branch' | 'tag' | 'other', string] {
  const branch = textAt(asked, 'branchName');
  const tag = textAt(asked, 'tagName');
  const sha = textAt(asked, 'commitSha');
  if (branch !== '') return ['branch', branch];
  if (tag !== '') return ['tag', tag];
  if (/^[0-9a-f]{7,40}$/.test(sha)) return ['other', sha];
  if (sha !== '') throw invalidArgument(`source.commit_sha ${JSON.stringify(sha)} is no commit's`);
  const ref = textAt(objectAt(trigger, 'sourceToBuild'), 'ref');
  // @see https://github.com/GoogleCloudPlatform/gcc-creative-studio/issues/181
  if (ref === '') throw invalidArgument('source.revision must be specified to run this trigger');
  const [, place, name] = /^refs\/(heads|tags)\/(.*)$/s.exec(ref) ?? [];
  if (name === undefined) return ['other', ref];
  return [place === 'heads' ? 'branch' : 'tag', name];
}

/** @throws ApiError when the template cannot be read, or the build is refused. */
export async function startBuild(
  ports: TriggerBuildPorts,
  record: TriggerRecord,
  from: { readonly source: TriggerSource; readonly revision: Revision } | undefined,
  own: Readonly<Record<string, string>> = {},
): Promise<BuildRecord> {
  const { trigger, id, location } = record;
  const { build: template, path } = await readTemplate(ports, trigger, from?.revision);
  const account = textAt(trigger, 'serviceAccount') || textAt(template, 'serviceAccount');
  const build = {
    ...template,
    ...described(record, from),
    options: {
      ...objectAt(template, 'options'),
      // @see https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values#using_user-defined_substitutions
      substitutionOption: 'ALLOW_LOOSE',
      dynamicSubstitutions: true,
    },
    substitutions: {
      ...textMapAt(template, 'substitutions'),
      ...textMapAt(trigger, 'substitutions'),
      ...builtIns(record, from?.revision, { path, account }),
      ...own,
    },
    tags: [...textsAt(template, 'tags'), `trigger-${id}`],
    ...(account === '' ? {} : { serviceAccount: account }),
  };
  const needsApproval = objectAt(trigger, 'approvalConfig')['approvalRequired'] === true;
  return createBuild(ports.builds, location, build, { id, needsApproval });
}

/** What a build of that trigger has even when its template cannot be read. */
export function described(
  { id }: TriggerRecord,
  from: { readonly source: TriggerSource; readonly revision: Revision } | undefined,
): JsonObject {
  return {
    ...(from === undefined ? {} : { source: from.source.at(from.revision.sha) }),
    tags: [`trigger-${id}`],
  };
}

/** @see https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values#using_default_substitutions */
export function builtIns(
  record: TriggerRecord,
  revision: Revision | undefined,
  from: { readonly path: string | undefined; readonly account: string },
): Record<string, string> {
  const { path, account } = from;
  const common = {
    TRIGGER_NAME: nameOf(record),
    ...(path === undefined ? {} : { TRIGGER_BUILD_CONFIG_PATH: path }),
    ...(account === ''
      ? {}
      : {
          SERVICE_ACCOUNT: account,
          SERVICE_ACCOUNT_EMAIL: account.slice(account.lastIndexOf('/') + 1),
        }),
  };
  if (revision === undefined) return common;
  const { repository, sha, branch, tag, pullRequest } = revision;
  const ref = branch ?? tag;
  return {
    ...common,
    COMMIT_SHA: sha,
    REVISION_ID: sha,
    SHORT_SHA: sha.slice(0, 7),
    REPO_NAME: repository.name,
    REPO_FULL_NAME: `${repository.owner}/${repository.name}`,
    ...(branch === undefined ? {} : { BRANCH_NAME: branch }),
    ...(tag === undefined ? {} : { TAG_NAME: tag }),
    ...(ref === undefined ? {} : { REF_NAME: ref }),
    ...(pullRequest === undefined
      ? {}
      : {
          _HEAD_BRANCH: pullRequest.headBranch,
          _BASE_BRANCH: pullRequest.baseBranch,
          _HEAD_REPO_URL: pullRequest.headRepositoryUrl,
          _PR_NUMBER: String(pullRequest.number),
        }),
  };
}
