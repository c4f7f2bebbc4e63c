/**
 * The approval that a trigger asks for: a build that waits and a decision in; the build on its way, or at
 * its end, out.
 * @see https://cloud.google.com/build/docs/securing-builds/gate-builds-on-approval
 */
import { ApiError, invalidArgument } from '../wire/api-error.ts';
import { objectAt, textAt, type JsonObject } from '../wire/json.ts';
import type { BuildRecord } from './build-record.ts';
import type { BuildsApiPorts } from './builds-api.ts';

/** @throws ApiError 400 */
export async function approveBuild(
  ports: BuildsApiPorts,
  record: BuildRecord,
  request: JsonObject,
): Promise<void> {
  const result = objectAt(request, 'approvalResult');
  const decision = textAt(result, 'decision');
  if (decision !== 'APPROVED' && decision !== 'REJECTED') {
    throw invalidArgument('approval_result.decision must be APPROVED or REJECTED');
  }
  if (record.status !== 'PENDING') {
    throw new ApiError(
      'FAILED_PRECONDITION',
      `Build ${record.id} in status ${record.status} does not wait for an approval.`,
    );
  }
  const approvalTime = ports.clock.now().toISOString();
  const approval = {
    ...record.approval,
    state: decision,
    result: { ...result, approvalTime } as NonNullable<BuildRecord['approval']>,
  };
  if (decision === 'REJECTED') {
    const end = { status: 'CANCELLED' as const, finishTime: approvalTime };
    await ports.builds.put(record.id, { ...record, approval, ...end });
    return;
  }
  const queued: BuildRecord = { ...record, approval, status: 'QUEUED' };
  await ports.builds.put(record.id, queued);
  ports.runner.start(queued);
}
