/**
 * Cloud Build's substitutions, `$NAME` and `${NAME}`: which of them a build uses, and what a text becomes
 * with them. The service replaces them; we only have to know which ones it will ask for.
 * @see https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values
 */
import type { BuildConfig } from './build-config.ts';
import type { Path } from './yaml-file.ts';

export type SubstitutionValues = Readonly<Record<string, string>>;

/** The names that people may choose. */
export const userSubstitution = /^_[A-Z0-9_]+$/;

/** Cloud Build's own: of every build, and those that triggers and the Action fill in. */
export const builtInSubstitutions: ReadonlySet<string> = new Set([
  ...['PROJECT_ID', 'PROJECT_NUMBER', 'BUILD_ID', 'LOCATION', 'SERVICE_ACCOUNT', 'TRIGGER_NAME'],
  ...['SERVICE_ACCOUNT_EMAIL', 'COMMIT_SHA', 'REVISION_ID', 'SHORT_SHA', 'REPO_NAME', 'TAG_NAME'],
  ...['REPO_FULL_NAME', 'BRANCH_NAME', 'REF_NAME', 'TRIGGER_BUILD_CONFIG_PATH'],
]);

const variable = /\$\$|\$([A-Z_][A-Z0-9_]*)|\$\{([A-Z_][A-Z0-9_]*)\}/g;

/** Where the service reads `$NAME`; ids, timeouts and the like are taken as they are. */
const substitutedFields = [
  ...['steps', 'images', 'tags', 'artifacts', 'options', 'logsBucket', 'serviceAccount'],
  ...['availableSecrets', 'gitConfig', 'dependencies'],
];

function namesIn(text: string): readonly string[] {
  return [...text.matchAll(variable)].flatMap(([, bare, braced]) => bare ?? braced ?? []);
}

/** Replaces what is known, leaves the rest as it is, and makes `$$` a plain `$`. */
export function substitute(text: string, values: SubstitutionValues): string {
  return text.replace(variable, (whole, bare?: string, braced?: string) => {
    const name = bare ?? braced;
    if (name === undefined) return '$';
    return Object.hasOwn(values, name) ? (values[name] ?? whole) : whole;
  });
}

/** Every use of a substitution in a build, by name, with the path of the text where it is used first. */
export function usedSubstitutions(config: BuildConfig): ReadonlyMap<string, Path> {
  const used = new Map<string, Path>();
  const visit = (value: unknown, path: Path): void => {
    if (typeof value === 'string') {
      for (const name of namesIn(value)) if (!used.has(name)) used.set(name, path);
    } else if (Array.isArray(value)) {
      value.forEach((item, index) => visit(item, [...path, index]));
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        // A script is a shell's text: its dollars are its own unless substitutions are mapped into it.
        if (key !== 'script' || mapsIntoScript(config, value)) visit(item, [...path, key]);
      }
    }
  };
  for (const field of substitutedFields) visit(config[field], [field]);
  // Only then do values have variables of their own.
  if (config.options?.dynamicSubstitutions === true) visit(config.substitutions, ['substitutions']);
  return used;
}

/** Every substitution is used then, as a variable of a script's environment. */
export function mapsIntoScripts(config: BuildConfig): boolean {
  return config.steps.some((step) => mapsIntoScript(config, step));
}

function mapsIntoScript({ options }: BuildConfig, step: object): boolean {
  const own = 'automapSubstitutions' in step ? step.automapSubstitutions : undefined;
  return (own ?? options?.automapSubstitutions) === true;
}

/**
 * A value that is meant literally. Cloud Build looks for variables in values only when the build says so,
 * and then `$$` is a plain `$`.
 */
export function literalValue(value: string, config: BuildConfig): string {
  return config.options?.dynamicSubstitutions === true ? value.replaceAll('$', '$$$$') : value;
}
