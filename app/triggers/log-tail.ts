/** The last lines of a build's log, where there is one that may be shown. */
import { CloudError, UserError } from '../../shared/errors.ts';
import type { TriggerPorts } from '../../shared/ports.ts';
import type { TriggeredBuild } from '../../shared/triggers/report-build.ts';
import type { Logger } from '../log.ts';

const maxLines = 40;
/** A log is read from its beginning; what comes after so many parts is not waited for. */
const maxParts = 16;

/** None where the log cannot be read: the check links to it. */
export async function readLogTail(
  build: TriggeredBuild,
  { buildLogs }: Pick<TriggerPorts, 'buildLogs'>,
  log: Logger,
): Promise<readonly string[]> {
  const { status, id, usesSecrets } = build;
  const place = placeOf(build);
  // Programs print what they are given, and a check may be public.
  if (place === undefined || status === 'success' || usesSecrets) return [];
  try {
    let tail: string[] = [];
    let partial = '';
    let offset = 0;
    for (let part = 0; part < maxParts; part++) {
      const read = await buildLogs.read({ ...place, buildId: id, offset });
      if (read.nextOffset === offset) break;
      const lines = (partial + read.text).split('\n');
      partial = lines.pop() ?? '';
      tail = [...tail, ...lines.slice(-maxLines)].slice(-maxLines);
      offset = read.nextOffset;
    }
    return (partial === '' ? tail : [...tail, partial]).slice(-maxLines);
  } catch (error) {
    if (!(error instanceof CloudError) && !(error instanceof UserError)) throw error;
    log.warn({ err: error, build: id }, "a triggered build's log could not be read");
    return [];
  }
}

type LogPlace = Pick<Parameters<TriggerPorts['buildLogs']['read']>[0], 'uri' | 'logged'>;

function placeOf(build: TriggeredBuild): LogPlace | undefined {
  const { logsTo, logsBucket, project, createTime } = build;
  if (logsTo === 'cloud_logging' && createTime !== undefined) {
    return { uri: '', logged: { project, since: createTime } };
  }
  return logsTo === undefined && logsBucket !== undefined ? { uri: logsBucket } : undefined;
}
