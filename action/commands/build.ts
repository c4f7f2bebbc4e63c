/** `command: build`: inputs in, the plan of a run that stops when its image is pushed out. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Plan } from '../../shared/plan/plan.ts';
import { newRunId } from '../../shared/plan/run-id.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import { subjectOf, tierOf } from '../event.ts';
import type { ActionInputs } from '../inputs.ts';
import { buildTimeoutSeconds, isFile, noDockerfile, workflowOwner } from './train.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export async function planBuild(
  inputs: ActionInputs,
  env: Environment,
  workspace: string,
): Promise<{ readonly kind: 'planned'; readonly plan: Plan } | Refusal> {
  if (!(await isFile(join(workspace, inputs.context, inputs.dockerfile)))) {
    return noDockerfile(inputs);
  }
  const subject = subjectOf(env, workspace);
  return {
    kind: 'planned',
    plan: {
      runId: newRunId(randomBytes),
      owner: workflowOwner,
      subject,
      tier: tierOf(env),
      project: inputs.projectId,
      build: {
        kind: 'dockerfile',
        region: inputs.buildRegion,
        dockerfile: inputs.dockerfile,
        imageName: `${inputs.registry}/${imageNameOf(subject.repository.fullName)}`,
        sourceBucket: inputs.sourceBucket,
        logsBucket: inputs.sourceBucket,
        // A step that only builds has one timeout, by whichever name.
        timeoutSeconds: inputs.timeoutSeconds ?? buildTimeoutSeconds,
        ...inputs.build,
        ...(inputs.buildServiceAccount === undefined
          ? {}
          : { serviceAccount: inputs.buildServiceAccount }),
      },
      job: noJob(inputs.region),
      estimate: { usdPerHour: 0, ceilingUsd: 0, timeoutSeconds: 0, pricesAsOf: '' },
      notes: [],
    },
  };
}

/** Never launched: the run is over for us when it has its image. */
function noJob(region: string): Plan['job'] {
  return {
    region,
    displayName: '',
    spec: { workerPoolSpecs: [] },
    labels: {},
    machine: { machineType: '', replicas: 0 },
    timeoutSeconds: 0,
    startTimeoutSeconds: 0,
  };
}

/** The repository's own name, in the letters that an image's name may have. */
function imageNameOf(fullName: string): string {
  const name = fullName.slice(fullName.lastIndexOf('/') + 1).toLowerCase();
  return name.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '') || 'image';
}
