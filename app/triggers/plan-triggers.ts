/**
 * From a declaration to the steps that it takes: the file's text in, steps or a Refusal out. Reads and changes
 * nothing, so that a pull request's check, a dry run and the real thing share it.
 */
import { badConfig } from '../../shared/config/bad-config.ts';
import { parseRepoConfig, repoConfigPath } from '../../shared/config/repo-config.ts';
import type { ProjectSettings } from '../../shared/config/project-settings.ts';
import { CloudError, UserError } from '../../shared/errors.ts';
import { readTextFile } from '../../shared/github/contents.ts';
import { getRepository, type RepositoryState } from '../../shared/github/repositories.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import type { TriggerPorts } from '../../shared/ports.ts';
import { noteOnBuildConfig } from '../../shared/triggers/build-config-notes.ts';
import type { DeclaredTrigger, TriggerDeclarations } from '../../shared/triggers/declaration.ts';
import {
  diffTriggers,
  type ActualTrigger,
  type TriggerStep,
} from '../../shared/triggers/diff-triggers.ts';
import { refuseTriggers } from '../../shared/triggers/refuse-triggers.ts';
import {
  repositoryUrl,
  toTriggerRequest,
  type TriggerPlace,
} from '../../shared/triggers/to-trigger-request.ts';
import { toRefusal } from '../commands/gather-facts.ts';
import { writtenTriggers } from '../store/triggers.ts';
import {
  triggerAccounts,
  triggerRegions,
  type TriggersContext,
  type TriggersSubject,
} from './context.ts';

export interface TriggersPlan {
  readonly kind: 'planned';
  readonly declarations: TriggerDeclarations;
  readonly steps: readonly TriggerStep[];
  readonly actual: readonly ActualTrigger[];
  readonly project: string;
  /** What will go wrong with builds although the triggers are well declared. */
  readonly notes: readonly string[];
}

/** Nothing is said about triggers: none is looked at. */
export interface NoTriggers {
  readonly kind: 'undeclared';
}

/** What somebody can mend is a refusal. @throws what nobody but us can */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof UserError) return toRefusal(error);
  throw error;
}

type PlanContext = Pick<TriggersContext, 'db' | 'config' | 'launchers'>;

/** @throws {CloudError} when GitHub or Google Cloud does not answer */
export async function planTriggers(
  subject: TriggersSubject,
  text: string | undefined,
  context: PlanContext,
): Promise<TriggersPlan | NoTriggers | Refusal> {
  const { repository, octokit } = subject;
  const now = await getRepository(octokit, repository);
  const settings = context.config.repositories.get(repository.id);
  const ports = context.launchers.ofRepository(repository.id);
  if (settings === undefined || ports === undefined) return { kind: 'undeclared' };
  if (!isServed(now, repository.id, settings)) return { kind: 'undeclared' };
  const declared = readDeclarations(text, now, context);
  if (declared.kind !== 'declared') return declared;
  const { declarations } = declared;
  const regions = triggerRegions(settings);
  const place: TriggerPlace = {
    project: settings.project,
    region: regions[0] ?? 'global',
    repository,
    logsBucket: settings.logsBucket,
    ...serviceAccountOf(triggerAccounts(settings)),
  };
  const connected = await findConnected(declarations, place, regions, ports);
  if (connected.kind === 'rejected') return connected;
  const [actual, written] = await Promise.all([
    listActual(settings.project, regions, ports),
    writtenTriggers(context.db, repository.id),
  ]);
  const requests = declarations.triggers.map((trigger) => {
    // A connection's triggers are where it is.
    const region =
      trigger.region ?? (trigger.connection === undefined ? place.region : regional(regions));
    return toTriggerRequest({ ...trigger, region }, { ...place, connected: connected.names });
  });
  const steps = diffTriggers({
    owner: { owner: context.config.owner, repositoryId: repository.id },
    requests,
    deleted: declarations.deleted,
    actual,
    written,
    repository,
    connected: Object.values(connected.names),
  });
  const notes = await notesOn(declarations.triggers, subject, place.serviceAccount !== undefined);
  return { kind: 'planned', declarations, steps, actual, project: settings.project, notes };
}

/** Each file is read once. */
async function notesOn(
  triggers: readonly DeclaredTrigger[],
  { octokit, repository, headSha }: TriggersSubject,
  hasAccount: boolean,
): Promise<readonly string[]> {
  const files = new Map<string, Promise<string | undefined>>();
  const notes = triggers.map(async (trigger) => {
    if (trigger.template.kind !== 'config') return undefined;
    const { path } = trigger.template;
    const text = files.get(path) ?? readTextFile(octokit, repository, path, headSha);
    files.set(path, text);
    const file = { path, text: await text };
    return noteOnBuildConfig(trigger, file, hasAccount || trigger.serviceAccount !== undefined);
  });
  return (await Promise.all(notes)).filter((note) => note !== undefined);
}

/** Its name may have been given to another one, and it to another owner; what is archived stays as it is. */
function isServed(
  { id, ownerId, isArchived }: RepositoryState,
  expectedId: number,
  settings: ProjectSettings,
): boolean {
  const isOwned = settings.ownerId === undefined || settings.ownerId === ownerId;
  return id === expectedId && isOwned && !isArchived;
}

interface Connected {
  readonly kind: 'connected';
  /** Resource names, by their connections' names. */
  readonly names: Readonly<Record<string, string>>;
}

type Declared =
  { readonly kind: 'declared'; readonly declarations: TriggerDeclarations } | NoTriggers | Refusal;

/** What can be said of a declaration without asking Google Cloud. */
export function readDeclarations(
  text: string | undefined,
  { id, isPublic }: Pick<RepositoryState, 'id' | 'isPublic'>,
  { config }: Pick<TriggersContext, 'config'>,
): Declared {
  const settings = config.repositories.get(id);
  const parsed = parseTriggers(text);
  if (settings === undefined || parsed === undefined) return { kind: 'undeclared' };
  if ('kind' in parsed) return parsed;
  const problems = refuseTriggers(parsed, {
    serviceAccounts: triggerAccounts(settings),
    regions: triggerRegions(settings),
    isPublic,
  });
  if (problems.length === 0) return { kind: 'declared', declarations: parsed };
  const shown = problems.slice(0, 5).join(' ');
  const fix = `Change \`triggers:\` in \`${repoConfigPath}\`, or ask the operator.`;
  return { kind: 'rejected', reason: 'field_not_allowed', message: shown, fix };
}

/** Undefined where nothing is said of triggers; a file that is wrong elsewhere says nothing that we could keep. */
function parseTriggers(text: string | undefined): TriggerDeclarations | Refusal | undefined {
  if (text === undefined || !/triggers/.test(text)) return undefined;
  const parsed = parseRepoConfig(text, repoConfigPath);
  if (parsed.ok) return parsed.value.triggers;
  return { ...badConfig(parsed.problems), fix: `Correct \`${repoConfigPath}\` and push.` };
}

function serviceAccountOf([account]: readonly string[]): { readonly serviceAccount?: string } {
  return account === undefined ? {} : { serviceAccount: account };
}

function regional(regions: readonly string[]): string {
  return regions.find((region) => region !== 'global') ?? 'us-central1';
}

/** Connections hold many repositories: only this one's place in them is used, whatever the file says. */
async function findConnected(
  { triggers }: TriggerDeclarations,
  place: TriggerPlace,
  regions: readonly string[],
  { connections }: Pick<TriggerPorts, 'connections'>,
): Promise<Connected | Refusal> {
  const found: Record<string, string> = {};
  for (const { connection, region = regional(regions), name } of triggers) {
    if (connection === undefined || found[connection] !== undefined) continue;
    const repository = await connections.findRepository({
      project: place.project,
      region,
      connection,
      remoteUri: repositoryUrl(place),
    });
    if (repository === undefined) {
      return {
        kind: 'rejected',
        reason: 'bad_config',
        message: `Trigger \`${name}\`: the connection \`${connection}\` in ${region} does not have this repository.`,
        fix: `Connect it with \`gcloud builds repositories create\`, or leave \`connection\` out when it is connected as 1st generation.`,
      };
    }
    found[connection] = repository;
  }
  return { kind: 'connected', names: found };
}

/** A region that Cloud Build does not know has no triggers. */
async function listActual(
  project: string,
  regions: readonly string[],
  { triggers }: Pick<TriggerPorts, 'triggers'>,
): Promise<readonly ActualTrigger[]> {
  const found: ActualTrigger[] = [];
  for (const region of regions) {
    try {
      const there = await triggers.list({ project, region });
      found.push(...there.map((trigger) => ({ region, trigger })));
    } catch (error) {
      if (!(error instanceof CloudError) || error.status !== 404) throw error;
    }
  }
  return found;
}
