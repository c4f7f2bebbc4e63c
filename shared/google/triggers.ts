/**
 * The `Triggers` and `Connections` ports over Cloud Build's REST API, as gcloud uses it: BuildTriggers in and
 * out, as plain JSON.
 * @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.locations.triggers
 */
import { z } from 'zod';
import { CloudError } from '../errors.ts';
import type { Connections, Triggers } from '../ports.ts';
import type { BuildTrigger } from '../triggers/build-trigger.ts';
import { itemsOf } from './pages.ts';
import type { Sender } from './requests.ts';
import * as names from './resource-names.ts';
import { parseRead, parseWritten, type SendJson } from './rest.ts';

/** Whatever else a trigger has is carried along. */
const triggerSchema = z.looseObject({ id: z.string().optional(), name: z.string().optional() });
const listSchema = z.object({
  triggers: z.array(triggerSchema).default([]),
  nextPageToken: z.string().optional(),
});
const operationSchema = z.object({
  metadata: z.object({ build: z.object({ id: z.string() }) }).optional(),
});

/** A hundred triggers a page; a project has at most 300 or so. @see https://cloud.google.com/build/quotas */
const maxPages = 20;

export function createTriggers(send: SendJson, sender: Sender): Triggers {
  return {
    list: async (where) => {
      const path = `/v1/${names.locationName(where)}/triggers`;
      const found = itemsOf(maxPages, async (pageToken) => {
        const query = pageToken === '' ? {} : { pageToken };
        const answer = await sender.read('triggers.list', () => send({ path, query }));
        const { triggers, nextPageToken } = parseRead('triggers.list', listSchema, answer);
        return { items: triggers, nextPageToken };
      });
      return Array.fromAsync(found, asTrigger);
    },
    get: async (where) => {
      const triggerId = names.resourceId(where.id);
      const path = `/v1/${names.locationName(where)}/triggers/${triggerId}`;
      const answer = await sender.read('triggers.get', () => send({ path, query: { triggerId } }));
      return asTrigger(parseRead('triggers.get', triggerSchema, answer));
    },
    create: async ({ trigger, ...where }) => {
      const path = `/v1/${names.locationName(where)}/triggers`;
      const answer = await sender.write('triggers.create', () =>
        send({ method: 'POST', path, body: trigger }),
      );
      return asTrigger(parseWritten('triggers.create', triggerSchema, answer));
    },
    update: async ({ trigger, id, updateMask, ...where }) => {
      const triggerId = names.resourceId(id);
      const path = `/v1/${names.locationName(where)}/triggers/${triggerId}`;
      const query = { triggerId, updateMask: updateMask.map(toSnakeCase).join(',') };
      const answer = await sender.write('triggers.patch', () =>
        send({ method: 'PATCH', path, query, body: trigger }),
      );
      return asTrigger(parseWritten('triggers.patch', triggerSchema, answer));
    },
    remove: async (where) => {
      const triggerId = names.resourceId(where.id);
      const path = `/v1/${names.locationName(where)}/triggers/${triggerId}`;
      try {
        await sender.write('triggers.delete', () =>
          send({ method: 'DELETE', path, query: { triggerId } }),
        );
      } catch (error) {
        // Gone already: that is what the caller wanted.
        if (!(error instanceof CloudError) || error.status !== 404) throw error;
      }
    },
    run: async ({ id, source, ...where }) => {
      const triggerId = names.resourceId(id);
      const path = `/v1/${names.locationName(where)}/triggers/${triggerId}:run`;
      const answer = await sender.write('triggers.run', () =>
        send({ method: 'POST', path, body: { triggerId, source } }),
      );
      const { metadata } = parseWritten('triggers.run', operationSchema, answer);
      return { buildId: metadata?.build.id };
    },
  };
}

const repositoriesSchema = z.object({
  repositories: z
    .array(z.object({ name: z.string(), remoteUri: z.string().default('') }))
    .default([]),
  nextPageToken: z.string().optional(),
});
/** @see https://cloud.google.com/build/docs/api/reference/rest/v2/projects.locations.connections */
const connectionPattern = /^[a-z][a-z0-9-]{0,62}$/;

export function createConnections(send: SendJson, sender: Sender): Connections {
  return {
    findRepository: async ({ connection, remoteUri, ...where }) => {
      if (!connectionPattern.test(connection)) return undefined;
      const path = `/v2/${names.locationName(where)}/connections/${connection}/repositories`;
      const repositories = itemsOf(maxPages, async (pageToken) => {
        const query = pageToken === '' ? {} : { pageToken };
        const answer = await sender
          .read('repositories.list', () => send({ path, query }))
          .catch((error: unknown) => {
            // There is no such connection.
            if (error instanceof CloudError && error.status === 404) return {};
            throw error;
          });
        const read = parseRead('repositories.list', repositoriesSchema, answer);
        return { items: read.repositories, nextPageToken: read.nextPageToken };
      });
      for await (const one of repositories) {
        if (sameRepository(one.remoteUri, remoteUri)) return one.name;
      }
      return undefined;
    },
  };
}

function sameRepository(one: string, other: string): boolean {
  const plain = (uri: string): string => uri.replace(/(?:\.git)?\/?$/, '').toLowerCase();
  return plain(one) === plain(other);
}

/** The service spells a mask's fields as its protos do. */
function toSnakeCase(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Fields that we read are checked where they are read; the rest is only compared and shown. */
function asTrigger(answer: z.infer<typeof triggerSchema>): BuildTrigger {
  return answer as BuildTrigger;
}
