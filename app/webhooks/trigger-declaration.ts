/**
 * A pull request that changes what is declared of triggers gets a check that says what merging it would do. It
 * reads and changes nothing; of a fork's pull request only the declaration itself is looked at, so that nobody
 * from outside has shown to them what Cloud Build has.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Probot } from 'probot';
import { parseRepoConfig, repoConfigPath } from '../../shared/config/repo-config.ts';
import type { Octokit, RepositoryName } from '../../shared/github/client.ts';
import { readTextFile } from '../../shared/github/contents.ts';
import { getRepository } from '../../shared/github/repositories.ts';
import type { TriggersContext } from '../triggers/context.ts';
import { asRefusal, planTriggers, readDeclarations } from '../triggers/plan-triggers.ts';
import {
  checkOfPlan,
  checkOfRefusal,
  showCheck,
  validDeclaration,
  type TriggersCheck,
} from '../triggers/triggers-check.ts';

/** Registers the handler. */
export function onTriggerDeclaration(probot: Probot, context: TriggersContext): void {
  const events = ['pull_request.opened', 'pull_request.reopened', 'pull_request.synchronize'];
  probot.on(events as ['pull_request.opened'], async ({ payload }) => {
    const { pull_request: pull, repository: given, installation } = payload;
    if (installation === undefined || !context.config.repositories.has(given.id)) return;
    // Typed as always there; a head repository can be deleted.
    const head = pull.head.repo as { readonly id: number } | null;
    const repository = { id: given.id, owner: given.owner.login, repo: given.name };
    await checkDeclaration(
      {
        repository,
        octokit: context.octokitFor(installation.id),
        headSha: pull.head.sha,
        baseRef: pull.base.ref,
        isFork: head?.id !== given.id,
      },
      context,
    );
  });
}

interface Subject {
  readonly repository: RepositoryName & { readonly id: number };
  readonly octokit: Octokit;
  readonly headSha: string;
  readonly baseRef: string;
  readonly isFork: boolean;
}

/** @throws {CloudError} when GitHub or Google Cloud does not answer */
async function checkDeclaration(subject: Subject, context: TriggersContext): Promise<void> {
  const { repository, octokit, headSha } = subject;
  const now = await getRepository(octokit, repository);
  // Only the default branch's declaration is ever applied.
  if (now.id !== repository.id || subject.baseRef !== now.defaultBranch) return;
  const [ours, theirs] = await Promise.all([read(subject, undefined), read(subject, headSha)]);
  if (ours === theirs || isDeepStrictEqual(triggersIn(ours), triggersIn(theirs))) return;
  const check = await checkOf(subject, theirs, context);
  if (check !== undefined) await showCheck({}, check, subject, context);
}

/** Undefined also for a file that is too large to be one: the check of the whole file says so. */
async function read(
  { octokit, repository }: Subject,
  ref: string | undefined,
): Promise<string | undefined> {
  try {
    return await readTextFile(octokit, repository, repoConfigPath, ref);
  } catch (error) {
    asRefusal(error);
    return undefined;
  }
}

async function checkOf(
  subject: Subject,
  text: string | undefined,
  context: TriggersContext,
): Promise<TriggersCheck | undefined> {
  if (isWrongElsewhere(text)) return undefined;
  if (subject.isFork) {
    const { octokit, repository } = subject;
    const declared = readDeclarations(text, await getRepository(octokit, repository), context);
    return declared.kind === 'rejected' ? checkOfRefusal(declared) : validDeclaration;
  }
  const planned = await planTriggers(subject, text, context).catch(asRefusal);
  switch (planned.kind) {
    case 'rejected':
      return checkOfRefusal(planned);
    case 'planned':
      return checkOfPlan(planned.steps, planned.notes);
    case 'undeclared':
      return undefined;
  }
}

/** The check of the whole file says what is wrong with the rest of it. */
function isWrongElsewhere(text: string | undefined): boolean {
  const parsed = text === undefined ? undefined : parseRepoConfig(text, repoConfigPath);
  if (parsed?.ok !== false) return false;
  return !parsed.problems.some(({ path }) => path.startsWith('triggers'));
}

/** What a file says of triggers, or the text of one that cannot be read. */
function triggersIn(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  const parsed = parseRepoConfig(text, repoConfigPath);
  return parsed.ok ? parsed.value.triggers : text;
}
