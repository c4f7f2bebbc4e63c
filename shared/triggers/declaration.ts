/**
 * `triggers:` in `.github/trainyard.yml`: the schema of one entry, and the DeclaredTrigger that it becomes.
 *
 * What can be seen in the file is checked here; what depends on the operator or on the repository is checked by
 * `refuseTriggers`.
 */
import { z } from 'zod';
import { repositoryPath } from '../command/train-keys.ts';
import { userSubstitution } from '../config/substitutions.ts';
import { problemOfPattern } from './ref-pattern.ts';

const commentControls = [
  'COMMENTS_DISABLED',
  'COMMENTS_ENABLED',
  'COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY',
] as const;
type CommentControl = (typeof commentControls)[number];

export interface DeclaredTrigger {
  readonly name: string;
  readonly event: TriggerEvent;
  readonly template: TriggerTemplate;
  readonly description?: string;
  readonly disabled: boolean;
  readonly includedFiles: readonly string[];
  readonly ignoredFiles: readonly string[];
  readonly substitutions: Readonly<Record<string, string>>;
  /** An e-mail address; undefined takes what the operator has for triggers. */
  readonly serviceAccount?: string;
  /** Undefined takes the operator's region for builds. */
  readonly region?: string;
  /** The connection of a repository that is connected as 2nd generation; undefined for the 1st. */
  readonly connection?: string;
  /** Undefined says nothing about it. */
  readonly approval?: boolean;
  readonly includeLogs: boolean;
  /** Who asks with `/trigger run` gets it; undefined: nobody does. */
  readonly run?: RunPermission;
}

export type TriggerEvent =
  | { readonly kind: 'push'; readonly branch: string; readonly invert: boolean }
  | { readonly kind: 'tag'; readonly tag: string; readonly invert: boolean }
  | {
      readonly kind: 'pull_request';
      readonly branch: string;
      readonly invert: boolean;
      readonly commentControl: CommentControl;
    }
  /** Only people start it; the branch or tag is a name, not a pattern. */
  | { readonly kind: 'manual'; readonly ref: string };

export type TriggerTemplate =
  | { readonly kind: 'config'; readonly path: string }
  | {
      readonly kind: 'dockerfile';
      readonly dockerfile: string;
      readonly directory: string;
      /** Undefined takes the name that Cloud Build's other clients give it. */
      readonly image?: string;
      /** The image is pushed, so that the build reports its digest. */
      readonly push: boolean;
    };

interface RunPermission {
  /** Whether a pull request's commit may be run too, and not the default branch alone. */
  readonly head: boolean;
  /** Names of the substitutions that whoever asks may set. */
  readonly substitutions: readonly string[];
}

/** A trigger that is to go, by its name. */
export interface DeletedTrigger {
  readonly name: string;
  readonly region?: string;
}

export interface TriggerDeclarations {
  readonly triggers: readonly DeclaredTrigger[];
  readonly deleted: readonly DeletedTrigger[];
}

/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.triggers (name) */
const name = z
  .string()
  .regex(
    /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,62}[a-zA-Z0-9])?$/,
    'must be 1 to 64 letters, digits and dashes',
  );
const region = z
  .string()
  .regex(/^(?:global|[a-z]+-[a-z]+\d{1,2})$/, 'must be global or a region such as us-central1');
const path = z
  .string()
  .refine((text) => repositoryPath(text) !== undefined, 'must be a path inside the repository');
const directory = z
  .string()
  .refine(
    (text) => text === '/' || repositoryPath(text.replace(/^\//, '')) !== undefined,
    'must be a directory of the repository',
  );
const glob = z.string().regex(/^[^\p{Cc}]{1,256}$/u, 'must be a pattern of paths such as src/**');
const substitutionName = z
  .string()
  .regex(userSubstitution, 'must begin with _, and have capitals, digits and _ only');
/** Text only: as a number, `3.10` would arrive as `3.1`. */
const substitutionValue = z.string().max(4_000, 'must have at most 4000 characters');

const runSchema = z.strictObject({
  allowed: z.boolean(),
  head: z.boolean().optional(),
  substitutions: z.array(substitutionName).max(50).default([]),
});

const entrySchema = z.strictObject({
  name,
  on: z.enum(['push', 'tag', 'pull_request', 'manual']).optional(),
  branch: z.string().optional(),
  tag: z.string().optional(),
  match: z.enum(['whole', 'anywhere']).default('whole'),
  invert: z.boolean().default(false),
  comment_control: z.enum(commentControls).optional(),
  config: path.optional(),
  dockerfile: path.optional(),
  directory: directory.optional(),
  image: z
    .string()
    .regex(/^[a-z0-9][\w.:/${}-]{0,300}$/, 'must be the name of an image, with its tag')
    .optional(),
  push: z.boolean().optional(),
  included_files: z.array(glob).max(100).default([]),
  ignored_files: z.array(glob).max(100).default([]),
  substitutions: z.record(substitutionName, substitutionValue).default({}),
  service_account: z
    .string()
    .regex(
      /^[a-z0-9-]{1,63}@[a-z0-9.-]{1,200}\.gserviceaccount\.com$/,
      'must be the e-mail address of a service account',
    )
    .optional(),
  region: region.optional(),
  connection: z
    .string()
    .regex(/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'must be the name of a connection')
    .optional(),
  approval: z.boolean().optional(),
  include_logs: z.boolean().default(false),
  disabled: z.boolean().default(false),
  description: z.string().max(100, 'must have at most 100 characters').optional(),
  run: runSchema.optional(),
  delete: z.literal(true, 'must be true, or not there at all').optional(),
});

type Entry = z.infer<typeof entrySchema>;
type Report = (key: keyof Entry, message: string) => void;

/** The schema of the whole section. */
export const triggersSchema = z
  .array(
    entrySchema.superRefine((entry, context) => {
      checkEntry(entry, (key, message) =>
        context.addIssue({ code: 'custom', path: [key], message }),
      );
    }),
  )
  .max(100)
  .superRefine((entries, context) => {
    const seen = new Set<string>();
    for (const [index, entry] of entries.entries()) {
      const key = `${entry.region ?? ''}/${entry.name}`;
      const message = 'must be another one: there is a trigger of that name above';
      if (seen.has(key)) context.addIssue({ code: 'custom', path: [index, 'name'], message });
      seen.add(key);
    }
  });

/** The keys of the mapping at a path below `triggers`, for "did you mean". */
export function triggerKeysAt(below: readonly (string | number)[]): readonly string[] {
  return Object.keys(below.at(-1) === 'run' ? runSchema.shape : entrySchema.shape);
}

function checkEntry(entry: Entry, report: Report): void {
  if (entry.delete === true) {
    const given = Object.entries(entry).filter(
      ([key, value]) => !['name', 'region', 'delete'].includes(key) && !isDefault(key, value),
    );
    if (given.length > 0) {
      report('delete', 'must stand alone beside the name and the region of what is to go');
    }
    return;
  }
  checkEvent(entry, report);
  checkTemplate(entry, report);
  if (entry.connection !== undefined && entry.region === 'global') {
    // @see https://cloud.google.com/build/docs/repositories (2nd generation repositories are regional)
    report(
      'region',
      'must be the region of the connection: a 2nd generation trigger is never global',
    );
  }
}

/** What the schema itself fills in. */
function isDefault(key: string, value: unknown): boolean {
  const defaults: Readonly<Record<string, unknown>> = {
    match: 'whole',
    invert: false,
    include_logs: false,
    disabled: false,
  };
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  return value === undefined || isEmpty || defaults[key] === value;
}

function checkEvent(entry: Entry, report: Report): void {
  const { on, branch, tag } = entry;
  if (on === undefined) return report('on', 'must be push, tag, pull_request or manual');
  if (entry.comment_control !== undefined && on !== 'pull_request') {
    report('comment_control', 'must stand with on: pull_request only');
  }
  if (on === 'manual') {
    if ((branch === undefined) === (tag === undefined)) {
      report('branch', 'must be given for on: manual, or tag, and not both');
    }
    const name = branch ?? tag ?? 'x';
    const isName = /^[\w][\w./+@#-]{0,249}$/.test(name) && !/\.\.|\/\/|@\{|[./]$/.test(name);
    if (!isName) report(branch === undefined ? 'tag' : 'branch', 'must be a name, not a pattern');
    if (entry.included_files.length + entry.ignored_files.length > 0) {
      report(
        'on',
        'must be push, tag or pull_request where files are named: nothing else has changes',
      );
    }
    return;
  }
  const [wanted, other] =
    on === 'tag' ? (['tag', 'branch'] as const) : (['branch', 'tag'] as const);
  const pattern = entry[wanted];
  if (entry[other] !== undefined) report(other, `must not stand with on: ${on}`);
  if (pattern === undefined) return report(wanted, `must be given for on: ${on}, such as ^main$`);
  const problem = problemOfPattern(pattern, { anchored: entry.match === 'whole' });
  if (problem !== undefined) report(wanted, problem);
}

function checkTemplate(entry: Entry, report: Report): void {
  const { config, dockerfile, directory, image, push, substitutions } = entry;
  if ((config === undefined) === (dockerfile === undefined)) {
    report('config', 'must be given, such as cloudbuild.yaml, or dockerfile, and not both');
  }
  if (dockerfile === undefined) {
    if (directory !== undefined) report('directory', 'must stand with dockerfile only');
    if (image !== undefined) report('image', 'must stand with dockerfile only');
    if (push !== undefined) report('push', 'must stand with dockerfile only');
    return;
  }
  if (push === true && image === undefined) report('push', 'must have an image to push');
  if (Object.keys(substitutions).length > 0) {
    report('substitutions', 'must stand with config: a Dockerfile takes none');
  }
}

/** @param entries what the schema has let through */
export function toDeclarations(entries: readonly Entry[]): TriggerDeclarations {
  return {
    triggers: entries.filter((entry) => entry.delete !== true).map(toDeclared),
    deleted: entries
      .filter((entry) => entry.delete === true)
      .map(({ name, region }) => ({ name, ...(region === undefined ? {} : { region }) })),
  };
}

function toDeclared(entry: Entry): DeclaredTrigger {
  const { description, service_account: serviceAccount, region, connection, approval } = entry;
  const run = toRun(entry);
  return {
    name: entry.name,
    event: toEvent(entry),
    template: toTemplate(entry),
    disabled: entry.disabled,
    includedFiles: entry.included_files,
    ignoredFiles: entry.ignored_files,
    substitutions: entry.substitutions,
    includeLogs: entry.include_logs,
    ...(description === undefined ? {} : { description }),
    ...(serviceAccount === undefined ? {} : { serviceAccount }),
    ...(region === undefined ? {} : { region }),
    ...(connection === undefined ? {} : { connection }),
    ...(approval === undefined ? {} : { approval }),
    ...(run === undefined ? {} : { run }),
  };
}

function toEvent({ on, branch = '', tag, invert, comment_control }: Entry): TriggerEvent {
  switch (on) {
    case 'tag':
      return { kind: 'tag', tag: tag ?? '', invert };
    case 'pull_request': {
      const commentControl = comment_control ?? 'COMMENTS_ENABLED';
      return { kind: 'pull_request', branch, invert, commentControl };
    }
    case 'manual': {
      const ref = tag === undefined ? `refs/heads/${branch}` : `refs/tags/${tag}`;
      return { kind: 'manual', ref };
    }
    case 'push':
    case undefined:
      return { kind: 'push', branch, invert };
  }
}

function toTemplate({ config, dockerfile, directory, image, push }: Entry): TriggerTemplate {
  if (dockerfile === undefined) return { kind: 'config', path: config ?? '' };
  return {
    kind: 'dockerfile',
    dockerfile,
    directory: directory ?? '/',
    push: push === true,
    ...(image === undefined ? {} : { image }),
  };
}

/** A pull request's own trigger is about its commit; any other would give it rights that it is not meant to have. */
function toRun({ on, run }: Entry): RunPermission | undefined {
  if (run?.allowed !== true) return undefined;
  return { head: run.head ?? on === 'pull_request', substitutions: run.substitutions };
}
