/** The job that a run is for: the job config and what may stand in it in, a checked spec or a Refusal out. */
import { quoteToken } from '../command/quote-token.ts';
import type { MachinesFromElsewhere } from '../config/check-spec.ts';
import type { CustomJobSpec } from '../config/job-spec.ts';
import { parseJobConfig } from '../config/parse-job-config.ts';
import { badConfig } from '../config/bad-config.ts';
import { reject, type Refusal } from '../policy/decision.ts';
import { shortSha } from '../units.ts';
import { withOverrides } from './job-overrides.ts';
import { forbiddenFields } from './open-fields.ts';
import type { PlanInput } from './plan-run.ts';
import { imagePlaceholder } from './plan.ts';

interface ReadSpec {
  readonly kind: 'read';
  readonly spec: CustomJobSpec;
}

/** A refusal that stands for several: the first few as one sentence, and each by itself. */
export interface RefusalOfMany extends Refusal {
  readonly each: readonly Refusal[];
}

export function readSpec(input: PlanInput): ReadSpec | Refusal | RefusalOfMany {
  const { jobConfig, command, repoConfig } = input;
  if (jobConfig === undefined) {
    const path = command.config ?? repoConfig.config;
    return reject(
      'no_config',
      `There is no job config ${quoteToken(path)} in this commit.`,
      'Add it, or name another one with `config=`.',
    );
  }
  const substitutions = {
    PROJECT_ID: input.settings.project,
    IMAGE: input.image ?? imagePlaceholder,
    SHORT_SHA: shortSha(input.subject.headSha),
  };
  const machines = machinesFromElsewhere(input);
  const parsed = parseJobConfig(jobConfig.text, jobConfig.path, substitutions, machines);
  if (!parsed.ok) {
    const { problems } = parsed;
    return { ...badConfig(problems), each: problems.map((problem) => badConfig([problem])) };
  }
  const forbidden =
    input.authority === 'workflow'
      ? []
      : forbiddenFields(parsed.value, input.settings.policy?.openFields);
  if (forbidden.length === 0) {
    const answer = withOverrides(parsed.value, input.overrides ?? {});
    return answer.kind === 'rejected' ? answer : { kind: 'read', spec: answer.spec };
  }
  return reject(
    'field_not_allowed',
    `${quoteToken(jobConfig.path)} sets ${forbidden.map((field) => `\`${field}\``).join(', ')}, which a pull request may not.`,
    'Remove it: identity, network and output come from the operator of Trainyard.',
  );
}

/** A pull request's file may leave its machines to the default; a workflow's only where an input names one. */
function machinesFromElsewhere({ authority, command }: PlanInput): MachinesFromElsewhere {
  if (authority === 'app') return 'every';
  const isAsked = command.machineType !== undefined || command.gpu?.kind === 'gpu';
  return isAsked ? 'first' : 'none';
}
