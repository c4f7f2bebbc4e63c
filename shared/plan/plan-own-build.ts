/**
 * Plans a build by the repository's own build config (`cloudbuild.yaml`): the file, what was asked for and
 * who may what in, an OwnBuild or a Refusal out. Pure.
 */
import { quoteToken } from '../command/quote-token.ts';
import type { BuildConfig } from '../config/build-config.ts';
import { parseBuildConfig } from '../config/parse-build-config.ts';
import { badConfig } from '../config/bad-config.ts';
import {
  literalValue,
  usedSubstitutions,
  userSubstitution,
  type SubstitutionValues,
} from '../config/substitutions.ts';
import { reject, type Refusal, type TrustTier } from '../policy/decision.ts';
import { shortSha } from '../units.ts';
import { forbiddenBuildFields } from './own-build-fields.ts';
import { chooseOwnImage } from './own-image.ts';
import type { BuildPlace, OwnBuild, Subject } from './plan.ts';

/** What a person asks for. */
export interface OwnBuildRequest {
  readonly path: string;
  /** Undefined when the commit has no such file. */
  readonly text: string | undefined;
  /** `_NAME` → value, as gcloud's `--substitutions`; they win over the file's own and are meant literally. */
  readonly substitutions?: SubstitutionValues;
  /** Which of the file's images the job runs, when it makes several. */
  readonly imageName?: string;
  readonly ref?: GitRef;
}

export interface GitRef {
  readonly kind: 'branch' | 'tag';
  readonly name: string;
}

export interface OwnBuildContext {
  readonly tier: TrustTier;
  readonly authority: 'app' | 'workflow';
  readonly subject: Subject;
  readonly project: string;
  /** Counts where the file says nothing. */
  readonly place: BuildPlace;
}

export function planOwnBuild(
  request: OwnBuildRequest,
  context: OwnBuildContext,
):
  | { readonly kind: 'planned'; readonly build: OwnBuild; readonly notes: readonly string[] }
  | Refusal {
  const { path, text, substitutions = {} } = request;
  const { tier, place } = context;
  const file = quoteToken(path);
  if (tier === 'fork') {
    const fix = 'Take the setting away; the Dockerfile is built then.';
    return reject('field_not_allowed', `A fork's commit is not built by its own ${file}.`, fix);
  }
  if (text === undefined)
    return reject('no_config', `There is no build config ${file} in this commit.`, 'Add it.');
  const unfit = checkSubstitutions(substitutions);
  if (unfit !== undefined) return unfit;
  const parsed = parseBuildConfig(text, path, { given: substitutions });
  if (!parsed.ok) return badConfig(parsed.problems);
  const isTrusted = tier === 'base' && context.authority === 'workflow';
  const forbidden = isTrusted ? [] : forbiddenBuildFields(parsed.value).slice(0, 10);
  if (forbidden.length > 0) {
    return reject(
      'field_not_allowed',
      `${file} sets ${forbidden.map((field) => `\`${field}\``).join(', ')}, which a pull request may not.`,
      'Remove it: identity, secrets, logs and machines come from whoever set Trainyard up.',
    );
  }
  const config = withBuiltIns(parsed.value, builtIns(context.subject, request.ref));
  const region = poolRegion(config) ?? place.region;
  const known = { ...config.substitutions, PROJECT_ID: context.project, LOCATION: region };
  const choice = chooseOwnImage(config, known, request.imageName);
  if (choice.kind === 'unclear')
    return reject('bad_config', `${file} leaves open what to run: ${choice.message}`, choice.fix);
  const build: OwnBuild = {
    ...place,
    region,
    kind: 'cloudbuild',
    file: path,
    config,
    image: choice.image,
  };
  return { kind: 'planned', build, notes: notesOn(config, file) };
}

/** @see https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values (its limits) */
const [maxSubstitutions, maxNameLength, maxValueLength] = [200, 100, 4_000];

function checkSubstitutions(given: SubstitutionValues): Refusal | undefined {
  const fix = 'Write `_NAME=value`: capitals, digits and `_`, with a `_` at the beginning.';
  const entries = Object.entries(given);
  if (entries.length > maxSubstitutions) {
    const message = `There are more than ${maxSubstitutions} substitutions.`;
    return reject('bad_argument', message, 'Leave some out.');
  }
  for (const [name, value] of entries) {
    if (!userSubstitution.test(name) || name.length > maxNameLength)
      return reject('bad_argument', `${quoteToken(name)} is no name of a substitution.`, fix);
    if (value.length > maxValueLength) {
      const message = `The value of ${quoteToken(name)} is longer than ${maxValueLength} characters.`;
      return reject('bad_argument', message, 'Make it shorter.');
    }
  }
  return undefined;
}

/** What a trigger would fill in, as far as it is known. */
function builtIns({ headSha, repository }: Subject, ref: GitRef | undefined): SubstitutionValues {
  const { fullName } = repository;
  return {
    COMMIT_SHA: headSha,
    REVISION_ID: headSha,
    SHORT_SHA: shortSha(headSha),
    REPO_NAME: fullName.slice(fullName.lastIndexOf('/') + 1),
    REPO_FULL_NAME: fullName,
    ...(ref === undefined ? {} : { REF_NAME: ref.name }),
    ...(ref?.kind === 'branch' ? { BRANCH_NAME: ref.name } : {}),
    ...(ref?.kind === 'tag' ? { TAG_NAME: ref.name } : {}),
  };
}

/**
 * Cloud Build fills these in for its own triggers only, and refuses those that the build does not use. So
 * what an image becomes depends on the commit only if its file says so, and is not built twice otherwise.
 * @see https://github.com/GoogleCloudPlatform/cpp-samples/issues/134 (a SHORT_SHA that is not used)
 */
function withBuiltIns(config: BuildConfig, values: SubstitutionValues): BuildConfig {
  const used = usedSubstitutions(config);
  const filled = Object.entries(values)
    .filter(([name]) => used.has(name))
    .map(([name, value]) => [name, literalValue(value, config)] as const);
  if (filled.length === 0) return config;
  return { ...config, substitutions: { ...config.substitutions, ...Object.fromEntries(filled) } };
}

/** A private pool works in its own region only, and gcloud sends the build there too. */
function poolRegion({ options }: BuildConfig): string | undefined {
  const pool = (options?.['pool'] as { readonly name?: string } | undefined)?.name;
  const name = pool ?? options?.['workerPool'];
  if (typeof name !== 'string') return undefined;
  return /^projects\/[^/]+\/locations\/([a-z]+-[a-z]+\d+)\/workerPools\/[^/]+$/.exec(name)?.[1];
}

function notesOn({ options }: BuildConfig, file: string): readonly string[] {
  if (options?.logging !== 'NONE') return [];
  return [`${file} says \`logging: NONE\`: the build keeps no log, so none is shown here.`];
}
