/**
 * Whether a run may still launch something: asked anew when it does so long after its command, since recovery
 * may be days late and an attempt may follow hours after the last. What changed out; undefined: nothing.
 *
 * All of it is asked for now and fails closed: what GitHub does not show is not allowed.
 */
import type { ProjectSettings } from '../shared/config/project-settings.ts';
import type { ServerConfig } from '../shared/config/server-config.ts';
import { CloudError } from '../shared/errors.ts';
import type { Octokit, RepositoryName } from '../shared/github/client.ts';
import { getPermission, getPull } from '../shared/github/pulls.ts';
import { getRepository, type RepositoryState } from '../shared/github/repositories.ts';
import { refuseActor } from '../shared/policy/decide.ts';
import { policyOf } from '../shared/policy/settings-of-tier.ts';
import type { Classification } from '../shared/watch/classify.ts';
import type { Run } from '../shared/watch/run.ts';
import { teamsOf } from './commands/gather-facts.ts';
import { repositoryOf } from './publish.ts';

interface AuthorityContext {
  readonly config: ServerConfig;
  /** Acts in the run's installation. */
  readonly octokit: Octokit;
}

/** @throws {CloudError} when GitHub cannot say now and may later */
export async function whyNotAllowed(
  run: Run,
  { config, octokit }: AuthorityContext,
): Promise<Classification | undefined> {
  const { subject, project } = run.plan;
  const settings = config.repositories.get(subject.repository.id);
  if (settings?.project !== project)
    return denied(`this repository may no longer use the project ${project}.`, askOperator);
  const repository = await repositoryNow(run, octokit);
  if ('reason' in repository) return repository;
  const { name } = repository;
  if (!(await mayStillStart(run, name, settings, octokit))) {
    const { login } = subject.requestedBy;
    return denied(
      `${login}, who asked for the run, may no longer start runs here.`,
      subject.pullNumber === undefined
        ? 'The next push by somebody who may will be trained.'
        : 'Somebody who may can comment the command.',
    );
  }
  if (subject.pullNumber === undefined) return undefined;
  const pull = await getPull(octokit, name, subject.pullNumber);
  return pull.state === 'open'
    ? undefined
    : denied('the pull request was closed meanwhile.', 'Reopen it and comment again.');
}

/** By the operator's rules, as they are now: permission, and teams or people where some are named. */
async function mayStillStart(
  { plan: { subject } }: Run,
  name: RepositoryName,
  settings: ProjectSettings,
  octokit: Octokit,
): Promise<boolean> {
  const policy = policyOf(settings);
  const { requestedBy } = subject;
  const actor = { ...requestedBy, isBot: policy.bots.includes(requestedBy.id) };
  const repository = { ...name, id: subject.repository.id };
  const [permission, teams] = await Promise.all([
    getPermission(octokit, name, requestedBy),
    teamsOf({ actor, repository }, { octokit }, policy),
  ]);
  return refuseActor({ actor: { ...actor, teams }, permission, policy }) === undefined;
}

/** Why nothing of the run's repository should go on, or the repository as it is now. */
async function repositoryNow(
  run: Run,
  octokit: Octokit,
): Promise<RepositoryState | Classification> {
  const { repository } = run.plan.subject;
  const gone = denied('GitHub no longer shows this repository to Trainyard.', askOperator);
  try {
    const now = await getRepository(octokit, repositoryOf(run));
    // Its name went to another one, which is a stranger.
    if (now.id !== repository.id) return gone;
    return now.isArchived
      ? denied('the repository was archived.', 'Unarchive it and comment again.')
      : now;
  } catch (error) {
    if (error instanceof CloudError && !error.retryable && goneStatuses.has(error.status))
      return gone;
    throw error;
  }
}

const askOperator = 'Ask the operator of Trainyard, if it should.';

/** Also what asking for an installation's token is answered with, once it is removed or suspended. */
const goneStatuses: ReadonlySet<number> = new Set([403, 404, 410, 451]);

function denied(message: string, fix: string): Classification {
  return { reason: 'no_longer_allowed', message, fix };
}
