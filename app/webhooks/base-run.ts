/**
 * `push` to the default branch of a repository that has each of them trained (`train_on_push`): the event in,
 * `trainBase` called for a commit that is the branch's newest still; a newer push trains itself.
 */
import type { Probot } from 'probot';
import { z } from 'zod';
import { githubId } from '../../shared/config/policy-rules.ts';
import {
  parseRepoConfig,
  repoConfigPath,
  type RepoConfig,
} from '../../shared/config/repo-config.ts';
import { UserError } from '../../shared/errors.ts';
import type { Octokit, RepositoryName } from '../../shared/github/client.ts';
import { readTextFile } from '../../shared/github/contents.ts';
import { getBranchHead, getRepository } from '../../shared/github/repositories.ts';
import { trainBase } from '../commands/train-base.ts';
import { getDelivery } from '../store/deliveries.ts';
import type { WebhookContext } from './webhook-context.ts';

/** @see https://docs.github.com/en/webhooks/webhook-events-and-payloads#push */
const pushSchema = z.object({
  ref: z.string(),
  // Zeros when the branch was deleted.
  after: z.string().regex(/^(?!0{40})[0-9a-f]{40}$/),
  deleted: z.literal(false),
  head_commit: z.object({ message: z.string() }),
  sender: z.object({ id: githubId, login: z.string(), type: z.string() }),
  installation: z.object({ id: githubId }),
  repository: z.object({
    id: githubId,
    name: z.string(),
    owner: z.object({ login: z.string() }),
    default_branch: z.string(),
  }),
});

const skipsTraining = /\[skip train\]/i;

/** Registers the handler. What it throws reaches whoever called `probot.receive`. */
export function onBasePush(probot: Probot, context: WebhookContext): void {
  probot.on('push', async ({ id: deliveryId, payload }) => {
    const push = pushSchema.safeParse(payload).data;
    if (push === undefined) return;
    const { after: headSha, repository: given, sender, installation } = push;
    const branch = given.default_branch;
    if (push.ref !== `refs/heads/${branch}`) return;
    if (!context.config.repositories.has(given.id)) return;
    if (skipsTraining.test(push.head_commit.message)) return;
    const octokit = context.octokitFor(installation.id);
    const name = { owner: given.owner.login, repo: given.name };
    const repoConfig = await readConfig(octokit, name, headSha);
    if (repoConfig?.trainOnPush !== true) return;
    const state = await getRepository(octokit, name);
    // Its name went to another one, which is a stranger; or the branch is not the default one any more.
    if (state.id !== given.id || state.defaultBranch !== branch) return;
    if ((await getBranchHead(octokit, state.name, branch)) !== headSha) return;
    const { attempts } = await getDelivery(context.db, deliveryId);
    await trainBase(
      {
        branch,
        headSha,
        state,
        repoConfig,
        attempt: attempts,
        repository: { ...state.name, id: given.id },
        sender: { id: sender.id, login: sender.login, isBot: sender.type !== 'User' },
        installationId: installation.id,
      },
      { ...context, octokit },
    );
  });
}

/** A file that cannot be read asks for nothing. */
async function readConfig(
  octokit: Octokit,
  repository: RepositoryName,
  headSha: string,
): Promise<RepoConfig | undefined> {
  try {
    const text = await readTextFile(octokit, repository, repoConfigPath, headSha);
    const parsed = text === undefined ? undefined : parseRepoConfig(text, repoConfigPath);
    return parsed?.ok === true ? parsed.value : undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return undefined;
  }
}
