/** `command: build`: inputs in, the plan of a run that stops when its image is pushed out. */
import { planImage } from '../../shared/plan/plan-image.ts';
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
  return planned.kind === 'rejected' ? forWorkflow(planned, inputs, input) : planned;
}

const noJobConfig = { path: '', text: '' };
