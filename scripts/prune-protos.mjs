/**
 * Cuts a client package's protos.json down to what the methods that we call can reach. The whole of
 * Vertex AI's is 4 MB, which every start of the client would parse; what is left is some 30 KB.
 *
 * In: the descriptor as protobufjs writes it, and the methods. Out: the same structure with fewer types.
 * A method that is not listed fails when it is called; a test compares the list with the sources.
 */

/**
 * The methods called by shared/google, and what the clients themselves look up when they are made: the
 * services that gax mixes in and the answers of the long-running methods that we never call.
 * @type {Readonly<Record<string, {service: string, methods: readonly string[], also: readonly string[]}>>}
 */
export const calledMethods = {
  '@google-cloud/aiplatform': {
    service: 'google.cloud.aiplatform.v1.JobService',
    methods: ['CreateCustomJob', 'GetCustomJob', 'ListCustomJobs', 'CancelCustomJob'],
    also: [
      'google.cloud.aiplatform.v1.DeleteOperationMetadata',
      'google.cloud.aiplatform.v1.UpdateModelDeploymentMonitoringJobOperationMetadata',
    ],
  },
  '@google-cloud/artifact-registry': {
    service: 'google.devtools.artifactregistry.v1.ArtifactRegistry',
    methods: ['GetDockerImage', 'GetTag'],
    also: [
      'google.devtools.artifactregistry.v1.ImportAptArtifactsResponse',
      'google.devtools.artifactregistry.v1.ImportAptArtifactsMetadata',
      'google.devtools.artifactregistry.v1.ImportYumArtifactsResponse',
      'google.devtools.artifactregistry.v1.ImportYumArtifactsMetadata',
      'google.devtools.artifactregistry.v1.Repository',
      'google.devtools.artifactregistry.v1.OperationMetadata',
      'google.devtools.artifactregistry.v1.BatchDeleteVersionsMetadata',
      'google.devtools.artifactregistry.v1.Attachment',
      'google.devtools.artifactregistry.v1.ExportArtifactResponse',
      'google.devtools.artifactregistry.v1.ExportArtifactMetadata',
    ],
  },
  '@google-cloud/cloudbuild': {
    service: 'google.devtools.cloudbuild.v1.CloudBuild',
    methods: ['CreateBuild', 'GetBuild', 'ListBuilds', 'CancelBuild'],
    also: [
      'google.devtools.cloudbuild.v1.BuildOperationMetadata',
      'google.devtools.cloudbuild.v1.CreateWorkerPoolOperationMetadata',
      'google.devtools.cloudbuild.v1.DeleteWorkerPoolOperationMetadata',
      'google.devtools.cloudbuild.v1.UpdateWorkerPoolOperationMetadata',
    ],
  },
  '@google-cloud/logging-api': {
    service: 'google.logging.v2.LoggingServiceV2',
    methods: ['ListLogEntries'],
    also: [],
  },
};

/** Looked up or decoded by gax itself, whatever the service. */
const always = [
  'google.longrunning.Operations',
  'google.protobuf.Any',
  'google.protobuf.Empty',
  'google.rpc.Status',
];

/**
 * Types that clients look up by name but of which they need no field, because their method is never called:
 * emptied, so that they do not pull in half of the API.
 */
const emptied = new Set([
  'google.cloud.aiplatform.v1.ModelDeploymentMonitoringJob',
  'google.devtools.cloudbuild.v1.WorkerPool',
  'google.devtools.artifactregistry.v1.Repository',
  'google.devtools.artifactregistry.v1.Attachment',
]);

export function pruneProtos(all, { service, methods, also }) {
  const keep = new Map();
  const queue = [...always, ...also];
  const serviceNode = find(all, service);
  const kept = Object.fromEntries(
    methods.map((name) => [name, required(serviceNode.methods?.[name], `${service}.${name}`)]),
  );
  const scope = service.split('.').slice(0, -1);
  keep.set(service, { ...serviceNode, methods: kept });
  for (const method of Object.values(kept)) {
    for (const type of [method.requestType, method.responseType])
      queue.push(resolve(all, type, scope));
  }
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (keep.has(name)) continue;
    const node = findOptional(all, name);
    if (node === undefined) continue;
    keep.set(name, withoutNested(node));
    for (const type of typesOf(node)) {
      const found = resolve(all, type, name.split('.'));
      if (found !== undefined) queue.push(found);
    }
  }
  for (const name of emptied) {
    if (findOptional(all, name) !== undefined && !keep.has(name)) keep.set(name, { fields: {} });
  }
  return rebuild(all, keep);
}

/** The names that fields and methods of a node use, as written there. */
function typesOf(node) {
  const fields = Object.values(node.fields ?? {}).map(({ type }) => type);
  const methods = Object.values(node.methods ?? {}).flatMap(({ requestType, responseType }) => [
    requestType,
    responseType,
  ]);
  return [...fields, ...methods];
}

/** protobuf's scoping: the innermost enclosing package or message that knows the name. */
function resolve(all, type, scope) {
  if (type.startsWith('.')) return type.slice(1);
  for (let depth = scope.length; depth >= 0; depth--) {
    const name = [...scope.slice(0, depth), type].join('.');
    const node = findOptional(all, name);
    if (node !== undefined && (node.fields ?? node.values)) return name;
  }
  return undefined;
}

function findOptional(all, name) {
  return name.split('.').reduce((node, part) => node?.nested?.[part], all);
}

function find(all, name) {
  return required(findOptional(all, name), name);
}

function required(value, name) {
  if (value === undefined) throw new Error(`the client package's protos have no ${name}`);
  return value;
}

function withoutNested({ nested: _nested, ...node }) {
  return node;
}

/** The original's order and nesting, with the kept nodes only. */
function rebuild(node, keep, path = []) {
  const nested = {};
  for (const [name, child] of Object.entries(node.nested ?? {})) {
    const rebuilt = rebuild(child, keep, [...path, name]);
    if (rebuilt !== undefined) nested[name] = rebuilt;
  }
  const own = path.length === 0 ? withoutNested(node) : keep.get(path.join('.'));
  const hasNested = Object.keys(nested).length > 0;
  if (own === undefined && !hasNested) return undefined;
  const shell = own ?? namespaceOf(node);
  return hasNested ? { ...shell, nested } : shell;
}

/** A package keeps its options; a message that is only a scope for a kept one keeps no field. */
function namespaceOf(node) {
  if (node.fields !== undefined) return { fields: {} };
  return node.options === undefined ? {} : { options: node.options };
}
