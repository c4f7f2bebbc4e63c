/** The App itself: installations, tokens, and the deliveries of its webhook. */
import type { Installation, Permissions } from '../../state/model.ts';
import { instant } from '../../state/model.ts';
import { newToken } from '../../state/store.ts';
import { viewApp, viewInstallation, viewUser } from '../../views/account.ts';
import { viewRepository } from '../../views/repository.ts';
import type { Delivery } from '../../webhooks/delivery-log.ts';
import type { Call, Handler } from '../call.ts';
import { page, pageOf } from '../paging.ts';
import { ApiError, notFound, ok, type Reply } from '../reply.ts';

/** @see https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app */
const tokenLifetimeMs = 3_600_000;

function installation(call: Call): Installation {
  const id = call.integer('installation_id');
  const found = call.hub.store.state.installations.find((one) => one.id === id);
  if (found === undefined) throw notFound();
  return found;
}

function createToken(call: Call): Reply {
  const { store } = call.hub;
  const of = installation(call);
  const permissions = narrowed(of.permissions, call.object('permissions'));
  const repositoryIds = chosenRepositories(call, of);
  const expiresAt = instant(new Date(Date.now() + tokenLifetimeMs));
  const token = newToken('ghs');
  const { installationTokens } = store.state;
  // Nobody asks for the expired ones again.
  const alive = installationTokens.filter((one) => new Date(one.expiresAt).getTime() > Date.now());
  installationTokens.splice(0, installationTokens.length, ...alive, {
    token,
    installationId: of.id,
    permissions,
    expiresAt,
    ...(repositoryIds === undefined ? {} : { repositoryIds }),
  });
  return {
    status: 201,
    json: {
      token,
      expires_at: expiresAt,
      permissions,
      repository_selection: repositoryIds === undefined ? 'all' : 'selected',
      ...(repositoryIds === undefined
        ? {}
        : {
            repositories: repositoryIds.map((id) => viewRepository(call.hub, store.repository(id))),
          }),
    },
  };
}

function narrowed(
  granted: Permissions,
  wanted: Readonly<Record<string, unknown>> | undefined,
): Permissions {
  if (wanted === undefined) return granted;
  const all = new Map<string, string>(Object.entries(granted));
  for (const [name, level] of Object.entries(wanted)) {
    const have = all.get(name);
    if (have === undefined || (level === 'write' && have === 'read')) {
      throw new ApiError(422, 'The permissions requested are not granted to this installation.');
    }
  }
  // Metadata comes with every token.
  return { ...wanted, metadata: 'read' };
}

function chosenRepositories(call: Call, of: Installation): number[] | undefined {
  const ids = call.input['repository_ids'];
  const names = call.input['repositories'];
  if (!Array.isArray(ids) && !Array.isArray(names)) return undefined;
  const accessible = call.hub.store.state.repositories.filter(
    ({ ownerId }) => ownerId === of.accountId,
  );
  const wanted: unknown[] = [...((ids ?? []) as unknown[]), ...((names ?? []) as unknown[])];
  return wanted.map((one) => {
    const found = accessible.find(({ id, name }) => id === one || name === one);
    if (found === undefined) {
      throw new ApiError(
        422,
        'There is at least one repository that does not exist or is not accessible to the parent installation.',
      );
    }
    return found.id;
  });
}

function revokeToken(call: Call): Reply {
  const { caller } = call;
  if (caller.kind !== 'installation') throw notFound();
  const { installationTokens } = call.hub.store.state;
  const index = installationTokens.findIndex(({ token }) => token === caller.token);
  installationTokens.splice(index, 1);
  return { status: 204 };
}

function listRepositories(call: Call): Reply {
  const { caller, hub } = call;
  if (caller.kind !== 'installation') throw notFound();
  const all = hub.store.state.repositories.filter(
    ({ id, ownerId }) =>
      ownerId === caller.installation.accountId && (caller.repositoryIds?.includes(id) ?? true),
  );
  const { items, headers } = page(call, all);
  return ok(
    {
      total_count: all.length,
      repository_selection: caller.repositoryIds === undefined ? 'all' : 'selected',
      repositories: items.map((one) => viewRepository(hub, one)),
    },
    headers,
  );
}

/** The installation on an account. */
function installationOn(call: Call, accountId: number | undefined): Reply {
  const found = call.hub.store.state.installations.find((one) => one.accountId === accountId);
  if (found === undefined) throw notFound();
  return ok(viewInstallation(call.hub, found));
}

/** Deliveries are paged by cursor, newest first. */
function listDeliveries(call: Call): Reply {
  const { size } = pageOf(call);
  const cursor = call.optionalText('cursor');
  const start = /^v1_(\d+)$/.exec(cursor ?? '')?.[1];
  if (cursor !== undefined && start === undefined) throw new ApiError(422, 'Invalid cursor');
  const wanted = call.optionalText('status');
  const rest = call.hub.deliveries
    .list()
    .filter(({ status }) => wanted === undefined || (status === 'OK') === (wanted === 'success'))
    .filter(({ id }) => start === undefined || id < Number(start));
  const items = rest.slice(0, size);
  const last = items.at(-1);
  if (last === undefined || rest.length <= size) return ok(items.map(summary));
  const next = new URL(call.url);
  next.searchParams.set('cursor', `v1_${last.id}`);
  return ok(items.map(summary), { link: `<${next.href}>; rel="next"` });
}

function summary(delivery: Delivery) {
  const { request: _, response: __, url: ___, ...about } = delivery;
  return { ...about, throttled_at: null };
}

function delivery(call: Call): Delivery {
  const found = call.hub.deliveries.get(call.integer('delivery_id'));
  if (found === undefined) throw notFound();
  return found;
}

function getDelivery(call: Call): Reply {
  const found = delivery(call);
  return ok({
    ...summary(found),
    url: found.url,
    request: { headers: found.request.headers, payload: JSON.parse(found.request.body) as unknown },
    response: { headers: found.response.headers, payload: found.response.body },
  });
}

export const apps = {
  'apps/get-authenticated': (call) =>
    ok({ ...viewApp(call.hub), installations_count: call.hub.store.state.installations.length }),
  'apps/get-by-slug': (call) => {
    if (call.text('app_slug') !== call.hub.app.slug) throw notFound();
    return ok(viewApp(call.hub));
  },
  'apps/list-installations': (call) => {
    const { items, headers } = page(call, call.hub.store.state.installations);
    return ok(
      items.map((one) => viewInstallation(call.hub, one)),
      headers,
    );
  },
  'apps/get-installation': (call) => ok(viewInstallation(call.hub, installation(call))),
  'apps/create-installation-access-token': createToken,
  'apps/revoke-installation-access-token': revokeToken,
  'apps/list-repos-accessible-to-installation': listRepositories,
  'apps/get-repo-installation': (call) => installationOn(call, call.repository.ownerId),
  'apps/get-user-installation': (call) =>
    installationOn(call, call.hub.store.accountNamed(call.text('username'))?.id),
  'apps/list-webhook-deliveries': listDeliveries,
  'apps/get-webhook-delivery': getDelivery,
  'apps/redeliver-webhook-delivery': (call) => {
    call.hub.sender.redeliver(delivery(call));
    return { status: 202, json: {} };
  },
  'users/get-authenticated': (call) => ok(viewUser(call.hub, call.actor)),
  'users/get-by-username': (call) => {
    const account = call.hub.store.accountNamed(call.text('username'));
    if (account === undefined) throw notFound();
    return ok(viewUser(call.hub, account));
  },
} satisfies Record<string, Handler>;
