/**
 * `command: validate`: the inputs and the workspace in, what `train` would do and everything that it would
 * refuse out. Nothing is asked of any service, so it runs where there are no credentials.
 */
import { resolve } from 'node:path';
import type { Plan } from '../../shared/plan/plan.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import type { Environment } from '../input-reader.ts';
import {
  readInputs,
  successors,
  type ActionInputs,
  type InputName,
  type InputProblem,
} from '../inputs.ts';
import { refuseUntrustedHead } from '../untrusted-head.ts';
import { asRefusal, checkTrain } from './train.ts';

export interface Validation {
  /** Undefined when something would be refused. */
  readonly plan: Plan | undefined;
  readonly problems: readonly InputProblem[];
  readonly refusals: readonly Refusal[];
  /** The files that were read, as the refusals name them. */
  readonly files: readonly string[];
}

export function filesOf({ config, ownBuild }: ActionInputs): readonly string[] {
  return [config, ...(ownBuild === undefined ? [] : [ownBuild.config])];
}

/** Where that and the build's context are. */
export function placesOf(
  inputs: ActionInputs,
  workspace: string,
): { readonly context: string; readonly files: readonly string[] } {
  return {
    context: resolve(workspace, inputs.context),
    files: filesOf(inputs).map((file) => resolve(workspace, file)),
  };
}

/** A project that nobody has: the place of one that is missing, so that the rest can be judged. */
const someProject = 'your-project';

/** Asked before the inputs are read: here their problems are the answer. */
export function isValidation(env: Environment): boolean {
  return env['INPUT_COMMAND']?.trim() === 'validate';
}

export async function validate(env: Environment, workspace: string): Promise<Validation> {
  const read = readInputs(env);
  const problems = read.ok ? [] : read.problems;
  const inputs = read.ok ? read.value : withoutBadInputs(env, problems);
  if (inputs === undefined) return { plan: undefined, problems, refusals: [], files: [] };
  const untrusted = refuseUntrustedHead(
    env,
    placesOf(inputs, workspace),
    inputs.allowUntrustedHead,
  );
  const { plan, refusals } = await checkTrain(inputs, env, workspace).catch((error: unknown) => ({
    plan: undefined,
    refusals: [asRefusal(error)],
  }));
  return {
    plan: problems.length === 0 && untrusted === undefined ? plan : undefined,
    problems,
    refusals: [...(untrusted === undefined ? [] : [untrusted]), ...refusals],
    files: filesOf(inputs),
  };
}

/** Inputs that say where files are: their defaults would have things missed that nobody named. */
const paths: readonly InputName[] = ['config', 'dockerfile', 'context', 'build_config'];

/** The other inputs, to judge the rest by; undefined when too little is left. */
function withoutBadInputs(
  env: Environment,
  problems: readonly InputProblem[],
): ActionInputs | undefined {
  const bad = new Set(problems.map(({ input }) => input));
  if (paths.some((path) => bad.has(path))) return undefined;
  const names = new Set(
    [...bad, ...Object.keys(successors)].map((name) => `INPUT_${name.toUpperCase()}`),
  );
  const rest = Object.fromEntries(Object.entries(env).filter(([name]) => !names.has(name)));
  const read = readInputs(
    bad.has('project_id') ? { ...rest, INPUT_PROJECT_ID: someProject } : rest,
  );
  return read.ok ? read.value : undefined;
}
