/**
 * Cloud Build's Pub/Sub notices, pushed to `/pubsub/cloud-builds`: that a build has changed. Only a hint to
 * look, since looking tells the truth, while a message may be old or somebody else's; without any of them
 * everything is looked at on the tick as well.
 * @see https://cloud.google.com/build/docs/subscribe-build-notifications
 * @see https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
 */
import type { IncomingMessage } from 'node:http';
import { OAuth2Client } from 'google-auth-library';
import { z } from 'zod';
import { parseResourceName } from '../../shared/google/resource-names.ts';
import { runTag } from '../../shared/launch/requests.ts';
import type { Logger } from '../log.ts';
import { BodyReader } from './read-body.ts';

interface BuildNotices {
  /** What the push subscription was told to name as audience. */
  readonly audience: string;
  /** E-mail of the account that the subscription signs its pushes as. */
  readonly account: string;
  readonly wakeRun: (runId: string) => Promise<void>;
  readonly lookAtBuilds: (project: string, region: string) => void;
  readonly log: Logger;
}

interface NoticeReply {
  readonly status: number;
  readonly text: string;
}

export type ReceiveBuildNotice = (request: IncomingMessage) => Promise<NoticeReply>;

const envelope = z.object({ message: z.object({ data: z.base64() }) });
const build = z.object({
  name: z.string(),
  buildTriggerId: z.string().optional(),
  tags: z.array(z.string()).default([]),
});

export function createNoticeReceiver(options: BuildNotices): ReceiveBuildNotice {
  const google = new OAuth2Client();
  const bodies = new BodyReader();
  return async (request) => {
    if (!(await isFromSubscription(request, google, options))) {
      return { status: 401, text: 'the token is not the subscription’s' };
    }
    const read = await bodies.read(request);
    if (read.kind !== 'read') return { status: 503, text: 'busy' };
    const notice = parseNotice(read.bytes);
    // Acknowledged all the same: sent again it would be no better.
    if (notice === undefined) options.log.warn('a build notice could not be read');
    else await follow(notice, options);
    return { status: 204, text: '' };
  };
}

/** Signature, issuer, time and audience are the library's to check; who it is, is ours. */
async function isFromSubscription(
  request: IncomingMessage,
  google: OAuth2Client,
  { audience, account, log }: BuildNotices,
): Promise<boolean> {
  const [, idToken] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (idToken === undefined) return false;
  try {
    const claims = (await google.verifyIdToken({ idToken, audience })).getPayload();
    return claims?.email === account && claims.email_verified === true;
  } catch (error) {
    log.warn({ err: error }, 'a build notice was refused');
    return false;
  }
}

interface Notice {
  readonly runId: string | undefined;
  /** Where a trigger started it; undefined for other builds. */
  readonly triggeredAt: { readonly project: string; readonly region: string } | undefined;
}

const prefix = runTag('');

function parseNotice(bytes: Buffer): Notice | undefined {
  try {
    const { message } = envelope.parse(JSON.parse(bytes.toString('utf8')));
    const text = Buffer.from(message.data, 'base64').toString('utf8');
    const { name, buildTriggerId, tags } = build.parse(JSON.parse(text));
    return {
      runId: tags.find((tag) => tag.startsWith(prefix))?.slice(prefix.length),
      triggeredAt: buildTriggerId === undefined ? undefined : parseResourceName(name, 'builds'),
    };
  } catch {
    return undefined;
  }
}

/** A run that we do not know is not found, and nothing happens. */
async function follow({ runId, triggeredAt }: Notice, options: BuildNotices): Promise<void> {
  if (runId !== undefined) await options.wakeRun(runId);
  if (triggeredAt !== undefined) options.lookAtBuilds(triggeredAt.project, triggeredAt.region);
}
