/** What administrators do: archive and rename a repository, say who may do what; and who locks a conversation. */
import { isPlainName } from '../../git/names.ts';
import type { Account } from '../../state/model.ts';
import { pullEvent, repositoryEvent } from '../../webhooks/events.ts';
import { archived } from '../authorize.ts';
import type { Call, Handler } from '../call.ts';
import type { Role } from '../operations.ts';
import { ApiError, notFound, ok, unprocessable, type Reply } from '../reply.ts';
import { pullOf } from './pulls.ts';
import { viewFull } from './repositories.ts';

/** Of all that can be changed about a repository, what the sandbox has. */
const known = ['owner', 'repo', 'name', 'archived'];

function update(call: Call): Reply {
  const { repository, input, url } = call;
  const other = Object.keys(input).find((key) => !known.includes(key));
  if (other !== undefined) {
    throw new ApiError(
      422,
      `The sandbox cannot change ${other} of a repository (${url.pathname}).`,
    );
  }
  const archive = input['archived'];
  if (repository.archived === true && archive !== false) throw archived();
  const name = call.optionalText('name');
  if (name !== undefined && name !== repository.name) rename(call, name);
  if (typeof archive === 'boolean' && archive !== (repository.archived === true)) {
    repository.archived = archive;
    const action = archive ? 'archived' : 'unarchived';
    repositoryEvent(call.hub, { action }, repository, call.actor);
  }
  return ok(viewFull(call, repository));
}

function rename(call: Call, name: string): void {
  const { hub, repository } = call;
  const owner = hub.store.account(repository.ownerId).login;
  const taken = hub.store.repositoryNamed(owner, name);
  if (!isPlainName(name) || (taken !== undefined && taken !== repository)) {
    throw unprocessable({ resource: 'Repository', code: 'invalid', field: 'name' });
  }
  const from = repository.name;
  const former = new Set([...(repository.formerNames ?? []), from]);
  former.delete(name);
  repository.formerNames = [...former];
  repository.name = name;
  repository.updatedAt = hub.now();
  const changes = { repository: { name: { from } } };
  repositoryEvent(hub, { action: 'renamed', changes }, repository, call.actor);
}

/** Roles in the words of this operation. */
const roles: Readonly<Record<string, Role>> = {
  pull: 'read',
  triage: 'triage',
  push: 'write',
  maintain: 'maintain',
  admin: 'admin',
};

function personNamed(call: Call): Account {
  const account = call.hub.store.accountNamed(call.text('username'));
  if (account === undefined) throw notFound();
  return account;
}

/** Whoever is here belongs to the organization, and so is not invited first. */
function addCollaborator(call: Call): Reply {
  const { id } = personNamed(call);
  const role = roles[call.optionalText('permission') ?? 'push'];
  if (role === undefined) {
    throw unprocessable({ resource: 'Repository', code: 'invalid', field: 'permission' });
  }
  const { repository } = call;
  repository.roles = { ...repository.roles, [id]: role };
  return { status: 204 };
}

function removeCollaborator(call: Call): Reply {
  const { id } = personNamed(call);
  const { repository } = call;
  const others = Object.entries(repository.roles).filter(([key]) => key !== String(id));
  repository.roles = Object.fromEntries(others);
  return { status: 204 };
}

async function setLock(call: Call, isLocked: boolean): Promise<Reply> {
  const pull = pullOf(call, 'issue_number');
  if (isLocked === (pull.lock !== undefined)) return { status: 204 };
  if (isLocked) pull.lock = { reason: call.optionalText('lock_reason') ?? null };
  else delete pull.lock;
  await pullEvent(call.hub, { action: isLocked ? 'locked' : 'unlocked' }, pull, call.actor);
  return { status: 204 };
}

export const administration = {
  'repos/update': update,
  'repos/add-collaborator': addCollaborator,
  'repos/remove-collaborator': removeCollaborator,
  'issues/lock': (call) => setLock(call, true),
  'issues/unlock': (call) => setLock(call, false),
} satisfies Record<string, Handler>;
