/**
 * A build's log: lines in, the object `log-<id>.txt` out, which grows while the build works, and log
 * entries where the build's options want them.
 */
import type { LogWriter } from '../logging/log-writer.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { BuildRecord } from './build-record.ts';

export interface BuildLog {
  line(text: string): void;
  /** Until everything is in the bucket. */
  finish(): Promise<void>;
}

/** How often the object is written while lines come. */
const writeEveryMs = 200;
/** More than this is a build that only prints; the rest is dropped and the log says so. */
const maxBytes = 16 * 1024 * 1024;

export function createBuildLog(
  record: BuildRecord,
  ports: {
    readonly objects: Pick<ObjectStore, 'putBytes'>;
    readonly log: LogWriter;
    readonly projectId: string;
    /** LEGACY and CLOUD_LOGGING_ONLY send lines to Cloud Logging. */
    readonly toLogging: boolean;
  },
): BuildLog {
  const chunks: string[] = [];
  let size = 0;
  let writing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const write = (): void => {
    timer = undefined;
    const { logs } = record;
    if (logs === undefined) return;
    const bytes = Buffer.from(chunks.join(''));
    const name = `${logs.prefix}log-${record.id}.txt`;
    writing = writing
      .then(() => ports.objects.putBytes(logs.bucket, name, bytes, 'text/plain; charset=utf-8'))
      // A bucket that somebody deletes meanwhile does not end the build.
      .catch(() => undefined);
  };
  return {
    line: (text) => {
      if (ports.toLogging) ports.log.write(sourceOf(record, ports.projectId), text, 'stdout');
      if (size > maxBytes) return;
      const chunk = size + text.length > maxBytes ? 'The sandbox keeps no more of this log.' : text;
      size += chunk.length + 1;
      chunks.push(`${chunk}\n`);
      timer ??= setTimeout(write, writeEveryMs);
    },
    finish: async () => {
      clearTimeout(timer);
      write();
      await writing;
    },
  };
}

function sourceOf(record: BuildRecord, projectId: string): Parameters<LogWriter['write']>[0] {
  return {
    logName: `projects/${projectId}/logs/cloudbuild`,
    resource: {
      type: 'build',
      labels: {
        build_id: record.id,
        build_trigger_id: record.trigger?.id ?? '',
        project_id: projectId,
      },
    },
  };
}
