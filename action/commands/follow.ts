/** `command: follow`: the name of a build or job in, a run that goes on from where it is out. */
import { CloudError, UserError } from '../../shared/errors.ts';
import type { StepPorts } from '../../shared/google/step-ports.ts';
import { workflowOwner } from '../../shared/launch/requests.ts';
import type { Subject } from '../../shared/plan/plan.ts';
import { attachedBuild, attachedJob, type Attached } from '../attached.ts';
import type { ResourceName } from '../resource-input.ts';

/** @throws {UserError} when there is no such thing; {CloudError} when it may not be looked at */
export async function attach(
  target: ResourceName,
  follower: Subject,
  { builds, jobDescriptions }: Pick<StepPorts, 'builds' | 'jobDescriptions'>,
): Promise<Attached> {
  return orMissing(target, async () =>
    target.kind === 'job'
      ? attachedJob(await jobDescriptions.describe(target.name), target, follower, workflowOwner)
      : attachedBuild(await builds.get(target.name), target, follower, workflowOwner),
  );
}

/** A 404 as what it means to whoever typed the name. */
export async function orMissing<T>(
  { kind, name, region }: ResourceName,
  look: () => Promise<T>,
): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof CloudError) || error.status !== 404) throw error;
    throw new UserError(
      'bad_argument',
      `there is no ${kind} ${name}.`,
      `Check the input \`job\`: its project, and its region (${region}).`,
      { cause: error },
    );
  }
}
