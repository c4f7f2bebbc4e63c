/**
 * Cloud Build's substitutions: `$NAME` and `${NAME}` in a build's texts replaced, `$$` made `$`. In: the
 * build and its values. Out: the build with plain texts, or an ApiError in the service's words.
 * @see https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values
 */
import { invalidArgument } from '../wire/api-error.ts';
import { isJsonObject, objectAt, objectsAt, type Json, type JsonObject } from '../wire/json.ts';

export interface BuiltIns {
  readonly PROJECT_ID: string;
  readonly PROJECT_NUMBER: string;
  readonly BUILD_ID: string;
  readonly LOCATION: string;
}

/** Known to every build; only triggers fill them, but whoever submits may give them. */
const triggerNames: ReadonlySet<string> = new Set([
  ...['TRIGGER_NAME', 'COMMIT_SHA', 'REVISION_ID', 'SHORT_SHA', 'REPO_NAME', 'REPO_FULL_NAME'],
  ...['BRANCH_NAME', 'TAG_NAME', 'REF_NAME', 'TRIGGER_BUILD_CONFIG_PATH'],
  ...['SERVICE_ACCOUNT', 'SERVICE_ACCOUNT_EMAIL'],
]);

/** Where `$NAME` is read; ids, timeouts and the like are taken as they are. */
const substitutedFields: ReadonlySet<string> = new Set([
  ...['steps', 'images', 'tags', 'artifacts', 'options', 'logsBucket', 'serviceAccount'],
  ...['availableSecrets', 'gitConfig', 'dependencies'],
]);
const variable = /\$\$|\$([A-Z_][A-Z0-9_]*)|\$\{([A-Z_][A-Z0-9_]*)\}/g;

/** @throws ApiError 400 */
export function applySubstitutions(
  build: JsonObject,
  given: Readonly<Record<string, string>>,
  builtIns: BuiltIns,
): JsonObject {
  for (const key of Object.keys(given)) {
    if (/^_[A-Z0-9_]+$/.test(key) || triggerNames.has(key)) continue;
    throw bad(`key in the substitution data ${JSON.stringify(key)} must match "^_[A-Z0-9_]+$"`);
  }
  const options = isJsonObject(build['options']) ? build['options'] : {};
  const loose = options['substitutionOption'] === 'ALLOW_LOOSE';
  const dynamic = options['dynamicSubstitutions'] === true;
  const used = new Set<string>();
  const valueOf = (name: string, within: readonly string[]): string => {
    const value = given[name] ?? '';
    if (!dynamic) return value;
    if (within.includes(name)) throw bad(`the value of ${JSON.stringify(name)} refers to itself`);
    return replace(value, [...within, name]);
  };
  const replace = (text: string, within: readonly string[] = []): string =>
    text.replace(variable, (_whole, bare: string | undefined, braced: string | undefined) => {
      const name = bare ?? braced;
      if (name === undefined) return '$';
      used.add(name);
      if (Object.hasOwn(given, name)) return valueOf(name, within);
      if (Object.hasOwn(builtIns, name)) return builtIns[name as keyof BuiltIns];
      if (triggerNames.has(name) || loose) return '';
      throw name.startsWith('_')
        ? bad(`key in the template ${JSON.stringify(name)} is not matched in the substitution data`)
        : bad(`key in the template ${JSON.stringify(name)} is not a valid built-in substitution`);
    });
  const result = Object.fromEntries(
    Object.entries(build).map(([name, value]) => [
      name,
      value !== undefined && substitutedFields.has(name)
        ? mapTexts(value, (text) => replace(text), name)
        : value,
    ]),
  );
  // @see https://github.com/GoogleCloudPlatform/cpp-samples/issues/134 (also one of a trigger's own)
  const unused = Object.keys(given).find((key) => !used.has(key));
  if (unused !== undefined && !loose && !mapsIntoScripts(build)) {
    throw bad(
      `key in the substitution data ${JSON.stringify(unused)} is not matched in the template`,
    );
  }
  return result;
}

/** Every substitution is used then, as a variable of the scripts' environment. */
function mapsIntoScripts(build: JsonObject): boolean {
  return [objectAt(build, 'options'), ...objectsAt(build, 'steps')].some(
    (part) => part['automapSubstitutions'] === true,
  );
}

function mapTexts(value: Json, replace: (text: string) => string, field: string): Json {
  // A script is a shell's text: its dollars are its own unless automapSubstitutions says otherwise.
  if (typeof value === 'string') return field === 'script' ? value : replace(value);
  if (Array.isArray(value)) {
    return (value as readonly Json[]).map((item) => mapTexts(item, replace, field));
  }
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      item === undefined ? undefined : mapTexts(item, replace, name),
    ]),
  );
}

function bad(reason: string): Error {
  return invalidArgument(
    `generic::invalid_argument: invalid value for 'build.substitutions': ${reason}`,
  );
}
