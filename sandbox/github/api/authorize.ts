/** Whether a caller may do something: operation, caller and repository in; nothing or GitHub's refusal out. */
import type { Account, Repository } from '../state/model.ts';
import type { Caller } from './authenticate.ts';
import type { Match } from './openapi.ts';
import { operations, type Access, type OperationId, type Role } from './operations.ts';
import { ApiError, notAccessible, notFound } from './reply.ts';

const roles: readonly Role[] = ['read', 'triage', 'write', 'maintain', 'admin'];

/** Undefined for those to whom a private repository does not exist. */
export function roleOf(repository: Repository, account: Account): Role | undefined {
  if (account.id === repository.ownerId) return 'admin';
  const given = repository.roles[String(account.id)];
  return given ?? (repository.private === true ? undefined : 'read');
}

export function hasRole(repository: Repository, account: Account, role: Role): boolean {
  const has = roleOf(repository, account);
  return has !== undefined && roles.indexOf(has) >= roles.indexOf(role);
}

/** Whether the caller may know that the repository exists, and so may fetch from it. */
export function canSee(caller: Caller, repository: Repository): boolean {
  if (repository.private !== true) return true;
  if (caller.kind === 'person') return hasRole(repository, caller.account, 'read');
  return caller.kind === 'installation' && canReach(caller, repository);
}

/**
 * @param repository the one that the path names; undefined when the path names none
 * @throws {ApiError} 401, 403 or 404, whichever GitHub would give
 */
export function authorize(
  id: OperationId,
  caller: Caller,
  repository: Repository | undefined,
): void {
  const access: Access = operations[id];
  const isHidden = repository !== undefined && !canSee(caller, repository);
  if (isHidden && access.by !== 'app') throw notFound();
  switch (access.by) {
    case 'anyone':
      return;
    case 'app':
      if (caller.kind !== 'app') throw new ApiError(401, 'A JSON web token could not be decoded');
      return;
    case 'installation':
      if (caller.kind === 'anonymous') throw new ApiError(401, 'Requires authentication');
      if (caller.kind !== 'installation') {
        throw new ApiError(403, 'You must authenticate with an installation access token.');
      }
      return;
    case 'user':
      if (caller.kind === 'anonymous') throw new ApiError(401, 'Requires authentication');
      if (caller.kind !== 'person') throw notAccessible();
      return;
    case 'role':
      if (repository === undefined) throw notFound();
      authorizeRole(access, caller, repository);
  }
}

function authorizeRole(
  access: Extract<Access, { by: 'role' }>,
  caller: Caller,
  repository: Repository,
): void {
  switch (caller.kind) {
    case 'anonymous':
      if (access.level === 'write') throw new ApiError(401, 'Requires authentication');
      return;
    case 'app':
      // GitHub wants an installation's token here.
      throw new ApiError(401, 'Bad credentials');
    case 'installation':
      if (!canReach(caller, repository)) {
        if (access.level === 'read') return;
        throw notAccessible();
      }
      if (!access.permissions.some((one) => isGranted(caller, one, access.level))) {
        throw notAccessible();
      }
      return;
    case 'person':
      if (access.appsOnly === true) {
        throw new ApiError(403, 'You must authenticate via a GitHub App.');
      }
      if (!hasRole(repository, caller.account, access.role)) {
        throw new ApiError(403, 'Resource not accessible by personal access token');
      }
  }
}

/**
 * @throws {ApiError} 403 when it writes to an archived repository; only unarchiving it is left
 * @see https://docs.github.com/en/repositories/archiving-a-github-repository/archiving-repositories
 */
export function refuseArchived({ id, method }: Match, repository: Repository | undefined): void {
  const isWrite = method !== 'GET' && operations[id].by === 'role' && id !== 'repos/update';
  if (isWrite && repository?.archived === true) throw archived();
}

export function archived(): ApiError {
  return new ApiError(403, 'Repository was archived so is read-only.');
}

/** An installation's repositories; others are public and can be read as anybody could. */
function canReach(
  caller: Extract<Caller, { kind: 'installation' }>,
  repository: Repository,
): boolean {
  return (
    repository.ownerId === caller.installation.accountId &&
    (caller.repositoryIds === undefined || caller.repositoryIds.includes(repository.id))
  );
}

function isGranted(
  caller: Extract<Caller, { kind: 'installation' }>,
  permission: keyof typeof caller.permissions,
  level: 'read' | 'write',
): boolean {
  const granted = caller.permissions[permission];
  return granted === 'write' || (granted === 'read' && level === 'read');
}

/** Whether the caller may push to the repository. */
export function canPush(caller: Caller, repository: Repository): boolean {
  if (caller.kind === 'person') return hasRole(repository, caller.account, 'write');
  return (
    caller.kind === 'installation' &&
    canReach(caller, repository) &&
    isGranted(caller, 'contents', 'write')
  );
}
