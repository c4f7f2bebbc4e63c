/**
 * What to grant to whom: a service's refusal in, the sentence that mends it out. Pure.
 * @see https://cloud.google.com/iam/docs/roles-permissions
 */

/** By the permission's beginning, the narrowest role that has it and that docs/action.md names. */
const roleOfPermission: readonly (readonly [prefix: string, role: string])[] = [
  ['iam.serviceAccounts.actAs', 'roles/iam.serviceAccountUser'],
  ['iam.serviceAccounts.getAccessToken', 'roles/iam.serviceAccountTokenCreator'],
  ['artifactregistry.repositories.downloadArtifacts', 'roles/artifactregistry.reader'],
  ['artifactregistry.repositories.get', 'roles/artifactregistry.reader'],
  ['artifactregistry.dockerimages.', 'roles/artifactregistry.reader'],
  ['artifactregistry.', 'roles/artifactregistry.writer'],
  ['aiplatform.', 'roles/aiplatform.user'],
  ['cloudbuild.', 'roles/cloudbuild.builds.editor'],
  ['storage.buckets.', 'roles/storage.admin'],
  ['storage.', 'roles/storage.objectUser'],
  ['logging.logEntries.create', 'roles/logging.logWriter'],
  ['logging.', 'roles/logging.viewer'],
  ['secretmanager.', 'roles/secretmanager.secretAccessor'],
  ['serviceusage.', 'roles/serviceusage.serviceUsageConsumer'],
];

const account = String.raw`[a-z0-9-]{1,63}@[a-z0-9.-]{1,200}\.gserviceaccount\.com`;

/** How services say whom they refused. @see https://cloud.google.com/storage/docs/troubleshooting#access-permission */
const refusedAccount = new RegExp(
  `\\b(${account})[\`'"\\]]* (?:does not have|doesn't have|is missing|lacks|needs)`,
  'i',
);
const actAs =
  /(?:permission to act as|act as) (?:the )?service[_ ]?account[: ]*[`'"]?(?:projects\/[^/\s]+\/serviceAccounts\/)?([^\s`'"]{1,300})/i;
const serviceAgent = /service-\d{1,20}@gcp-sa-[a-z-]{1,40}\.iam\.gserviceaccount\.com/;
/** Not the host of an account or of a service, which look like one. */
const permission = new RegExp(
  String.raw`(?<![\w@./-])(?:${roleOfPermission.map(([prefix]) => prefix.split('.')[0]).join('|')})\.(?!googleapis\b)[A-Za-z]{1,60}\.[A-Za-z]{1,60}`,
);

interface MissingRole {
  readonly role: string;
  /** E-mail of the account that lacks it; undefined is the one that the step or the App runs as. */
  readonly member: string | undefined;
  /** Where to grant it, when that is narrower than the project. */
  readonly on: string | undefined;
}

/** Undefined when the text names no permission that we know. */
export function missingRoleIn(text: string): MissingRole | undefined {
  const member = refusedAccount.exec(text)?.[1] ?? serviceAgent.exec(text)?.[0];
  const acted = actAs.exec(text)?.[1]?.replace(/[.,]+$/, '');
  const named = permission.exec(text)?.[0];
  const role =
    acted === undefined
      ? roleOfPermission.find(([prefix]) => named?.startsWith(prefix))?.[1]
      : 'roles/iam.serviceAccountUser';
  if (role === undefined) return undefined;
  return { role, member, on: acted ?? repositoryIn(text) ?? bucketIn(text) };
}

/** One sentence. */
export function grantSentence({ role, member, on }: MissingRole): string {
  const whom = member === undefined ? 'the account that asked' : `\`${member}\``;
  const where = on === undefined ? '' : ` on \`${on}\``;
  return `Grant \`${role}\`${where} to ${whom}; it takes a few minutes to work.`;
}

function repositoryIn(text: string): string | undefined {
  return /projects\/[a-z0-9:.-]{1,100}\/locations\/[a-z0-9-]{1,40}\/repositories\/[a-z0-9-]{1,63}/.exec(
    text,
  )?.[0];
}

function bucketIn(text: string): string | undefined {
  const bucket = /(?:projects\/_\/buckets\/|gs:\/\/)([a-z0-9][a-z0-9._-]{1,220})/.exec(text)?.[1];
  return bucket === undefined ? undefined : `gs://${bucket}`;
}
