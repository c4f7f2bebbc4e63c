/**
 * What Cloud Build refuses in a trigger beyond the shape of the request: a well-formed trigger in, an
 * ApiError thrown; in the service's own words where they are known.
 */
import { PatternError } from '../../executor/glob.ts';
import { ApiError, invalidArgument } from '../wire/api-error.ts';
import { objectAt, textAt, textMapAt, textsAt, type JsonObject } from '../wire/json.ts';
import { isConnectedByApp, linkedRepository, type ConnectionPorts } from './connections.ts';
import { compilePathPattern } from './path-pattern.ts';
import { compileRe2 } from './re2.ts';
import { Re2Error } from './re2-syntax.ts';
import { parseRemoteUri } from './source-host.ts';
import { checkBuild } from './validate-build.ts';

const templates = ['autodetect', 'build', 'filename', 'gitFileSource'] as const;
const events = ['github', 'repositoryEventConfig'] as const;
const foreignEvents = ['triggerTemplate', 'pubsubConfig', 'webhookConfig'] as const;

/** @param location where the trigger is; @throws ApiError 400 or 404 */
export function checkTrigger(
  connections: ConnectionPorts,
  trigger: JsonObject,
  location: string,
): void {
  checkName(textAt(trigger, 'name'));
  checkTemplate(trigger);
  checkEvent(connections, trigger, location);
  checkFiles(trigger);
  checkSubstitutions(trigger);
  const account = textAt(trigger, 'serviceAccount');
  if (account !== '' && !/^projects\/[^/]+\/serviceAccounts\/[^/]+$/.test(account)) {
    throw bad(
      'service_account',
      `${JSON.stringify(account)} is not projects/PROJECT/serviceAccounts/EMAIL`,
    );
  }
  for (const tag of textsAt(trigger, 'tags')) {
    if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(tag)) continue;
    throw bad('tags', `invalid tag ${JSON.stringify(tag)}`);
  }
  if (textAt(trigger, 'filter') !== '') {
    throw invalidArgument('The sandbox does not evaluate the filter of a trigger.');
  }
}

/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.triggers#buildtrigger (name) */
function checkName(name: string): void {
  if (/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?$/.test(name)) return;
  throw bad(
    'name',
    `${JSON.stringify(name)} must be of 1 to 64 letters, digits and dashes, and begin and end with a letter or digit`,
  );
}

function checkTemplate(trigger: JsonObject): void {
  // That there is at most one of them is the request's shape.
  const given = templates.find((name) => trigger[name] !== undefined);
  if (given === undefined || trigger['autodetect'] === false || trigger['filename'] === '') {
    throw bad('build_template', `one of ${templates.join(', ')} must be set`);
  }
  if (given === 'build') {
    const account = textAt(trigger, 'serviceAccount');
    checkBuild({
      ...objectAt(trigger, 'build'),
      ...(account === '' ? {} : { serviceAccount: account }),
    });
  }
  if (given === 'filename') checkPath('filename', textAt(trigger, 'filename'));
  if (given === 'gitFileSource') {
    const path = textAt(objectAt(trigger, 'gitFileSource'), 'path');
    if (path === '') throw bad('git_file_source.path', 'it must be set');
    checkPath('git_file_source.path', path);
  }
}

function checkPath(field: string, path: string): void {
  if (!/^\/|(?:^|\/)\.\.?(?:\/|$)|\/\/|\/$|\0/.test(path)) return;
  throw bad(field, `${JSON.stringify(path)} is not a path from the root of the repository`);
}

function checkEvent(connections: ConnectionPorts, trigger: JsonObject, location: string): void {
  const foreign = foreignEvents.find((name) => trigger[name] !== undefined);
  if (foreign !== undefined) {
    throw invalidArgument(
      `The sandbox has triggers of GitHub repositories and manual ones: no ${foreign}.`,
    );
  }
  const given = events.filter((name) => trigger[name] !== undefined);
  if (given.length > 1) throw bad('event', `only one of ${given.join(', ')} can be set`);
  const eventType = textAt(trigger, 'eventType');
  const isManual = given.length === 0;
  if (eventType !== '' && eventType !== (isManual ? 'MANUAL' : 'REPO')) {
    throw bad('event_type', `${eventType} does not fit the rest of the trigger`);
  }
  if (isManual) return checkManual(connections, trigger, location);
  if (trigger['sourceToBuild'] !== undefined) {
    throw bad('source_to_build', 'triggers of repository events build what the event is about');
  }
  if (trigger['github'] !== undefined) {
    const github = objectAt(trigger, 'github');
    checkGitHub(connections, github, location);
    checkFilter('github', github);
  } else {
    const config = objectAt(trigger, 'repositoryEventConfig');
    checkRepository(connections, 'repository_event_config', textAt(config, 'repository'), location);
    checkFilter('repository_event_config', config);
  }
}

function checkGitHub(connections: ConnectionPorts, github: JsonObject, location: string): void {
  const owner = textAt(github, 'owner');
  const name = textAt(github, 'name');
  if (owner === '' || name === '') throw bad('github', 'owner and name must be set');
  if (!isConnectedByApp(connections, { owner, name }, location)) {
    throw unmapped(connections, location);
  }
}

/** @see https://github.com/GoogleCloudPlatform/emblem/issues/815 (the words; the code is FAILED_PRECONDITION) */
function unmapped({ project }: ConnectionPorts, location: string): ApiError {
  return new ApiError(
    'FAILED_PRECONDITION',
    `Repository mapping does not exist. Please visit https://console.cloud.google.com/cloud-build/triggers;region=${location}/connect?project=${project.number} to connect a repository to your project`,
  );
}

/** 2nd generation. @see https://cloud.google.com/build/docs/automating-builds/github/connect-repo-github?generation=2nd-gen (regional) */
function checkRepository(
  connections: ConnectionPorts,
  field: string,
  resourceName: string,
  location: string,
): void {
  if (
    !/^projects\/[^/]+\/locations\/[^/]+\/connections\/[^/]+\/repositories\/[^/]+$/.test(
      resourceName,
    )
  ) {
    throw bad(
      `${field}.repository`,
      `${JSON.stringify(resourceName)} is not projects/P/locations/L/connections/C/repositories/R`,
    );
  }
  const found = linkedRepository(connections, resourceName);
  if (found === undefined) {
    throw new ApiError('NOT_FOUND', `Resource '${resourceName}' was not found`);
  }
  if (found.location !== location) {
    throw bad(
      `${field}.repository`,
      `a trigger in ${location} cannot use a repository in ${found.location}`,
    );
  }
}

function checkFilter(field: string, config: JsonObject): void {
  const isPush = config['push'] !== undefined;
  if (!isPush && config['pullRequest'] === undefined) {
    throw bad(field, 'one of push, pull_request must be set');
  }
  const filter = objectAt(config, isPush ? 'push' : 'pullRequest');
  const kind = isPush && filter['tag'] !== undefined ? 'tag' : 'branch';
  const pattern = textAt(filter, kind);
  const path = `${field}.${isPush ? 'push' : 'pull_request'}.${kind}`;
  if (pattern === '') throw bad(path, 'a pattern must be set');
  try {
    compileRe2(pattern);
  } catch (error) {
    if (error instanceof Re2Error) throw bad(path, error.message);
    throw error;
  }
}

/** @see https://cloud.google.com/build/docs/triggers#manual_triggers */
function checkManual(connections: ConnectionPorts, trigger: JsonObject, location: string): void {
  if (textAt(trigger, 'includeBuildLogs') !== '') {
    throw bad('include_build_logs', 'it is for triggers of GitHub events');
  }
  for (const field of [
    'autodetect',
    'filename',
    'includedFiles',
    'ignoredFiles',
    'approvalConfig',
  ] as const) {
    if (field !== 'approvalConfig' && trigger[field] !== undefined) {
      throw bad(field, 'it is for triggers of repository events; use git_file_source');
    }
  }
  const source = trigger['sourceToBuild'];
  const file = trigger['gitFileSource'];
  if (source !== undefined) {
    checkGitSource(connections, 'source_to_build', objectAt(trigger, 'sourceToBuild'), location);
    const ref = textAt(objectAt(trigger, 'sourceToBuild'), 'ref');
    if (!ref.startsWith('refs/')) throw bad('source_to_build.ref', 'it must start with "refs/"');
  }
  if (file === undefined) return;
  const fileSource = objectAt(trigger, 'gitFileSource');
  const isElsewhere = textAt(fileSource, 'uri') !== '' || textAt(fileSource, 'repository') !== '';
  if (isElsewhere) checkGitSource(connections, 'git_file_source', fileSource, location);
  else if (source === undefined) throw bad('git_file_source', 'uri or repository must be set');
}

function checkGitSource(
  connections: ConnectionPorts,
  field: string,
  source: JsonObject,
  location: string,
): void {
  const uri = textAt(source, 'uri');
  const repository = textAt(source, 'repository');
  if ((uri === '') === (repository === '')) throw bad(field, 'one of uri, repository must be set');
  if (repository !== '') return checkRepository(connections, field, repository, location);
  const repoType = textAt(source, 'repoType');
  if (repoType !== 'GITHUB') throw bad(`${field}.repo_type`, 'the sandbox has GITHUB only');
  const found = parseRemoteUri(uri);
  if (found === undefined)
    throw bad(`${field}.uri`, `${JSON.stringify(uri)} is not https://github.com/OWNER/NAME`);
  if (!isConnectedByApp(connections, found, location)) throw unmapped(connections, location);
}

function checkFiles(trigger: JsonObject): void {
  for (const [field, proto] of [
    ['includedFiles', 'included_files'],
    ['ignoredFiles', 'ignored_files'],
  ] as const) {
    for (const pattern of textsAt(trigger, field)) {
      try {
        compilePathPattern(pattern);
      } catch (error) {
        if (error instanceof PatternError) throw bad(proto, error.message);
        throw error;
      }
    }
  }
}

function checkSubstitutions(trigger: JsonObject): void {
  for (const key of Object.keys(textMapAt(trigger, 'substitutions'))) {
    if (/^_[A-Z0-9_]+$/.test(key)) continue;
    throw bad(
      'substitutions',
      `key in the substitution data ${JSON.stringify(key)} must match "^_[A-Z0-9_]+$"`,
    );
  }
}

function bad(field: string, reason: string): ApiError {
  return invalidArgument(
    `generic::invalid_argument: invalid value for 'trigger.${field}': ${reason}`,
  );
}
