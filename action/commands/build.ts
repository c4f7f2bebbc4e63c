/** `command: build`: inputs in, the plan of a run that stops when its image is pushed out. */
import { planBuild as planImage } from '../../shared/plan/plan-build.ts';
import type { Plan } from '../../shared/plan/plan.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import type { ActionInputs } from '../inputs.ts';
import { forWorkflow, toPlanInput } from './train.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export async function planBuild(
  inputs: ActionInputs,
  env: Environment,
  workspace: string,
): Promise<{ readonly kind: 'planned'; readonly plan: Plan } | Refusal> {
  // A step that only builds has one timeout, by whichever name.
  const { timeoutSeconds } = inputs;
  const build = { ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }), ...inputs.build };
  // No job config is read, so that what is missing is never that one.
  const input = {
    ...(await toPlanInput({ ...inputs, build }, env, workspace)),
    jobConfig: noJobConfig,
  };
  const planned = planImage(input);
  if (planned.kind === 'rejected') return forWorkflow(planned, inputs, input);
  const { runId, owner, subject, tier } = input;
  return {
    kind: 'planned',
    plan: {
      ...{ runId, owner, subject, tier, project: inputs.projectId },
      build: planned.build,
      job: noJob(inputs.region),
      estimate: { usdPerHour: 0, ceilingUsd: 0, timeoutSeconds: 0, pricesAsOf: '' },
      notes: planned.notes,
    },
  };
}

const noJobConfig = { path: '', text: '' };

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
