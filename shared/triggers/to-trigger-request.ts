/**
 * A declared trigger in, the BuildTrigger out that gcloud would send for the same declaration (a table test
 * holds them equal). Marks of ours are added by `markAsOurs`.
 * @see https://cloud.google.com/sdk/gcloud/reference/builds/triggers/create/github
 */
import type { BuildConfig } from '../config/build-config.ts';
import type { BuildTrigger, EventFilter, TriggerRequest } from './build-trigger.ts';
import type { DeclaredTrigger, TriggerEvent, TriggerTemplate } from './declaration.ts';

/** What the declaration leaves to the operator and the repository. */
export interface TriggerPlace {
  readonly project: string;
  /** Where the trigger goes that names no region. */
  readonly region: string;
  readonly repository: { readonly owner: string; readonly repo: string };
  /** Who builds for a trigger that names nobody; undefined leaves it to Cloud Build. */
  readonly serviceAccount?: string;
  /** Where logs of builds that we compose go. */
  readonly logsBucket?: string;
  /** `projects/P/locations/R/connections/C/repositories/N`, by the connection's name. */
  readonly connected?: Readonly<Record<string, string>>;
}

export function toTriggerRequest(declared: DeclaredTrigger, place: TriggerPlace): TriggerRequest {
  const region = regionOf(declared, place);
  const account = declared.serviceAccount ?? place.serviceAccount;
  const { description, includedFiles, ignoredFiles, substitutions, approval } = declared;
  const trigger: BuildTrigger = {
    name: declared.name,
    ...(description === undefined ? {} : { description }),
    ...toSource(declared, place),
    ...toTemplate(declared, place, account),
    ...(Object.keys(substitutions).length === 0 ? {} : { substitutions }),
    ...(includedFiles.length === 0 ? {} : { includedFiles }),
    ...(ignoredFiles.length === 0 ? {} : { ignoredFiles }),
    ...(account === undefined
      ? {}
      : { serviceAccount: `projects/${place.project}/serviceAccounts/${account}` }),
    ...(approval === undefined ? {} : { approvalConfig: { approvalRequired: approval } }),
    ...(declared.includeLogs ? { includeBuildLogs: 'INCLUDE_BUILD_LOGS_WITH_STATUS' } : {}),
    ...(declared.disabled ? { disabled: true } : {}),
  };
  return { project: place.project, region, trigger };
}

/** A connection is regional, and its triggers are where it is. */
function regionOf(declared: DeclaredTrigger, place: TriggerPlace): string {
  return declared.region ?? place.region;
}

function toSource(declared: DeclaredTrigger, place: TriggerPlace): Partial<BuildTrigger> {
  const { event, connection } = declared;
  const repository = connection === undefined ? undefined : place.connected?.[connection];
  if (event.kind === 'manual') {
    const source =
      repository === undefined ? { uri: repositoryUrl(place), repoType: 'GITHUB' } : { repository };
    const { template } = declared;
    return {
      sourceToBuild: { ...source, ref: event.ref },
      ...(template.kind === 'config'
        ? { gitFileSource: { ...source, path: template.path, revision: event.ref } }
        : {}),
    };
  }
  const filter = toFilter(event);
  return repository === undefined
    ? { github: { owner: place.repository.owner, name: place.repository.repo, ...filter } }
    : { repositoryEventConfig: { repository, ...filter } };
}

export function repositoryUrl({ repository }: Pick<TriggerPlace, 'repository'>): string {
  return `https://github.com/${repository.owner}/${repository.repo}`;
}

function toFilter(event: Exclude<TriggerEvent, { kind: 'manual' }>): EventFilter {
  const invert = event.invert ? { invertRegex: true } : {};
  switch (event.kind) {
    case 'push':
      return { push: { branch: event.branch, ...invert } };
    case 'tag':
      return { push: { tag: event.tag, ...invert } };
    case 'pull_request': {
      const { branch, commentControl } = event;
      return { pullRequest: { branch, commentControl, ...invert } };
    }
  }
}

function toTemplate(
  declared: DeclaredTrigger,
  place: TriggerPlace,
  account: string | undefined,
): Partial<BuildTrigger> {
  const { template, event, name } = declared;
  if (template.kind === 'config') {
    return event.kind === 'manual' ? {} : { filename: template.path };
  }
  const { owner, repo } = place.repository;
  const path = event.kind === 'manual' ? `gcb-${name}` : `github.com/${owner}/${repo}`;
  const image = template.image ?? `gcr.io/${place.project}/${path}:$COMMIT_SHA`;
  return { build: dockerBuild(template, image, account === undefined ? undefined : place) };
}

/**
 * gcloud's build pushes nothing. One that pushes has to name the image, and with an account of its own Cloud
 * Build asks where the log goes.
 * @see https://cloud.google.com/build/docs/securing-builds/configure-user-specified-service-accounts
 */
function dockerBuild(
  template: Extract<TriggerTemplate, { kind: 'dockerfile' }>,
  image: string,
  place: TriggerPlace | undefined,
): BuildConfig {
  const args = ['build', '-t', image, '-f', template.dockerfile, '.'];
  const steps = [{ name: 'gcr.io/cloud-builders/docker', args, dir: template.directory }];
  if (!template.push) return { steps };
  const logsBucket = place?.logsBucket;
  return {
    steps,
    images: [image],
    ...(logsBucket === undefined
      ? {}
      : { logsBucket: `gs://${logsBucket}`, options: { logging: 'GCS_ONLY' } }),
  };
}

/** Words of tags by which triggers are recognised as ours, and as this repository's. */
export interface Owner {
  /** Which installation of Trainyard. */
  readonly owner: string;
  readonly repositoryId: number;
}

const ownerTag = 'trainyard-owner-';
const repositoryTag = 'trainyard-repository-';

function tagsOf({ owner, repositoryId }: Owner): readonly string[] {
  return [`${ownerTag}${owner}`, `${repositoryTag}${repositoryId}`];
}

/** Which installation of Trainyard, and for which repository, keeps the trigger; undefined for others. */
export function ownerOf({ tags = [] }: BuildTrigger): Partial<Owner> | undefined {
  const owner = tags.find((tag) => tag.startsWith(ownerTag))?.slice(ownerTag.length);
  const id = tags.find((tag) => tag.startsWith(repositoryTag))?.slice(repositoryTag.length);
  if (owner === undefined) return undefined;
  return { owner, ...(id === undefined ? {} : { repositoryId: Number(id) }) };
}

export function markAsOurs(
  trigger: BuildTrigger,
  owner: Owner,
  others: readonly string[] = [],
): BuildTrigger {
  return { ...trigger, tags: [...new Set([...others, ...tagsOf(owner)])] };
}
