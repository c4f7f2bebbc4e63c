/**
 * What Cloud Build asks of a build beyond the types of its fields, and can be seen in the file: a well-typed
 * build in, the problems with their places out.
 * @see https://cloud.google.com/build/docs/build-config-file-schema
 */
import { quoteToken } from '../command/quote-token.ts';
import { nearest } from '../units.ts';
import type { BuildConfig, BuildStep } from './build-config.ts';
import type { ConfigProblem } from './problem.ts';
import {
  builtInSubstitutions,
  mapsIntoScripts,
  usedSubstitutions,
  userSubstitution,
  type SubstitutionValues,
} from './substitutions.ts';
import type { Path, YamlFile } from './yaml-file.ts';

/** @see https://cloud.google.com/build/docs/build-config-file-schema#timeout_2 (24 hours) */
const maxTimeoutSeconds = 86_400;
/** @see https://cloud.google.com/build/docs/view-build-results (tags); `$NAME` may stand in one. */
const tagPattern = /^[\w.${}-]{1,128}$/;
const maxProblems = 10;

/** Where the build comes from. */
export interface BuildOrigin {
  /** Substitutions from outside, which win over the file's. */
  readonly given?: SubstitutionValues;
  /** Builds of triggers are loose with substitutions, whatever the file says. */
  readonly isTriggered?: boolean;
}

export function checkBuild(
  config: Partial<BuildConfig>,
  file: YamlFile,
  { given = {}, isTriggered = false }: BuildOrigin,
): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const add = (path: Path, message: string, atKey = false): void => {
    if (problems.length < maxProblems) problems.push(file.problemAt(path, message, atKey));
  };
  const { steps = [], ...rest } = config;
  if (steps.length === 0) add([], '`steps` is missing: a build has at least one step.');
  checkSteps(steps, add);
  if (Number.parseFloat(rest.timeout ?? '0') > maxTimeoutSeconds)
    add(['timeout'], '`timeout` must be at most 86400s, a day.');
  for (const [index, tag] of (rest.tags ?? []).entries()) {
    const message = `${quoteToken(tag)} is no tag: letters, digits, \`_\`, \`.\` and \`-\` only.`;
    if (!tagPattern.test(tag)) add(['tags', index], message);
  }
  for (const name of Object.keys(rest.substitutions ?? {})) {
    const message = `${quoteToken(name)} is no name of a substitution: it begins with \`_\`, and has capitals, digits and \`_\` only.`;
    if (!userSubstitution.test(name)) add(['substitutions', name], message, true);
  }
  const build = { ...rest, steps };
  const isLoose = isTriggered || rest.options?.substitutionOption === 'ALLOW_LOOSE';
  checkUses(build, given, isLoose, add);
  if (!isLoose && !mapsIntoScripts(build)) checkUnused(build, given, add);
  return problems;
}

type Add = (path: Path, message: string, atKey?: boolean) => void;

function checkSteps(steps: readonly BuildStep[], add: Add): void {
  const ids = new Set<string>();
  for (const [index, step] of steps.entries()) {
    const path: Path = ['steps', index];
    // The message's type says that there is a name; the file may not.
    const { name, id, script } = step as Partial<BuildStep>;
    if ((name ?? '') === '')
      add(path, '`name` is missing: the image that the step runs in, such as `ubuntu`.');
    if (script !== undefined && (step.args !== undefined || step.entrypoint !== undefined))
      add([...path, 'script'], '`script` cannot stand beside `args` or `entrypoint`.');
    for (const [at, wanted] of (step.waitFor ?? []).entries()) {
      if (wanted === '-' || ids.has(wanted)) continue;
      const near = nearest(wanted, ids);
      const hint = near === undefined ? '' : ` Did you mean \`${near}\`?`;
      const message = `no step above this one has the id ${quoteToken(wanted)}.${hint}`;
      add([...path, 'waitFor', at], message);
    }
    if (id === undefined) continue;
    if (ids.has(id)) add([...path, 'id'], `the id ${quoteToken(id)} is an earlier step's.`);
    ids.add(id);
  }
}

/**
 * The service refuses a variable that nobody gives a value, unless the build is loose; one that is neither its own nor
 * could be anybody's it refuses anyway.
 * @see https://github.com/GoogleCloudPlatform/cloud-build-local/blob/ee604808232a647bd2738e7558a98e13d5e76040/validate/validate.go (CheckSubstitutionTemplate)
 */
function checkUses(
  config: BuildConfig,
  given: SubstitutionValues,
  isLoose: boolean,
  add: Add,
): void {
  const known = new Set([...Object.keys(config.substitutions ?? {}), ...Object.keys(given)]);
  for (const [name, path] of usedSubstitutions(config)) {
    if (known.has(name) || builtInSubstitutions.has(name)) continue;
    if (!userSubstitution.test(name)) {
      // A script that gets the substitutions has its shell's own variables beside them.
      if (path.at(-1) === 'script') continue;
      const builtIn = nearest(name, builtInSubstitutions);
      const hint = builtIn === undefined ? '' : ` Did you mean \`$${builtIn}\`?`;
      const message = `\`$${name}\` is none of Cloud Build's variables; a shell's own is written \`$$${name}\`.${hint}`;
      add(path, message);
      continue;
    }
    if (isLoose) continue;
    const near = nearest(name, known);
    const hint =
      near === undefined ? 'Give it one below `substitutions:`.' : `Did you mean \`$${near}\`?`;
    add(path, `\`$${name}\` has no value. ${hint}`);
  }
}

/**
 * A value that nothing uses is refused, too.
 * @see https://github.com/GoogleCloudPlatform/cloud-build-local/issues/102
 */
function checkUnused(config: BuildConfig, given: SubstitutionValues, add: Add): void {
  const used = usedSubstitutions(config);
  const own = Object.keys(config.substitutions ?? {});
  for (const name of new Set([...own, ...Object.keys(given)])) {
    if (used.has(name) || !userSubstitution.test(name)) continue;
    const near = nearest(name, used.keys());
    const hint =
      near === undefined
        ? 'Remove it, or write `substitutionOption: ALLOW_LOOSE` below `options:`.'
        : `Did you mean \`${near}\`?`;
    const message = `${quoteToken(name)} has a value that nothing in the build uses, which Cloud Build refuses. ${hint}`;
    if (own.includes(name)) add(['substitutions', name], message, true);
    else add([], message);
  }
}
