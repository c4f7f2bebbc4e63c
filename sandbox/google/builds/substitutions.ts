/**
 * Cloud Build's substitutions: `$NAME` and `${NAME}` in a build's texts replaced, `$$` made `$`. In: the
 * build and its values. Out: the build with plain texts, or an ApiError in the service's words.
 * @see https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values
 */
import { invalidArgument } from '../wire/api-error.ts';
import { isJsonObject, objectAt, objectsAt, type Json, type JsonObject } from '../wire/json.ts';

interface BuiltIns {
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
/** @see https://cloud.google.com/build/docs/build-config-file-schema#substitutions (limits) */
const limits = { parameters: 200, keyBytes: 100, valueBytes: 4_000 };
/** Of what all variables of a build are replaced by, which its author can make grow without end. */
const maxReplacedCharacters = 10 * 1024 * 1024;
const variable = /\$\$|\$([A-Z_][A-Z0-9_]*)|\$\{([A-Z_][A-Z0-9_]*)\}/g;

/** @throws ApiError 400 */
export function applySubstitutions(
  build: JsonObject,
  given: Readonly<Record<string, string>>,
  builtIns: BuiltIns,
): JsonObject {
  checkGiven(given);
  const options = isJsonObject(build['options']) ? build['options'] : {};
  const loose = options['substitutionOption'] === 'ALLOW_LOOSE';
  const dynamic = options['dynamicSubstitutions'] === true;
  const used = new Set<string>();
  // Values that refer to values are worked out once each: they can be a tree of any size.
  const values = new Map<string, string | undefined>();
  let replaced = 0;
  const valueOf = (name: string): string => {
    let value = dynamic ? values.get(name) : (given[name] ?? '');
    if (value === undefined) {
      if (values.has(name)) throw bad(`the value of ${JSON.stringify(name)} refers to itself`);
      values.set(name, undefined);
      value = replace(given[name] ?? '');
      checkValue(name, value);
      values.set(name, value);
    }
    replaced += value.length;
    if (replaced > maxReplacedCharacters) throw bad('the build becomes too large by them');
    return value;
  };
  const replace = (text: string): string =>
    text.replace(variable, (_whole, bare: string | undefined, braced: string | undefined) => {
      const name = bare ?? braced;
      if (name === undefined) return '$';
      used.add(name);
      if (Object.hasOwn(given, name)) return valueOf(name);
      if (Object.hasOwn(builtIns, name)) return builtIns[name as keyof BuiltIns];
      const isUsers = name.startsWith('_');
      if (triggerNames.has(name) || (loose && isUsers)) return '';
      // However loose the build is. @see https://github.com/google/trillian-examples/pull/629 (of a trigger)
      throw isUsers
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

/** @throws ApiError 400 */
function checkGiven(given: Readonly<Record<string, string>>): void {
  const entries = Object.entries(given);
  if (entries.length > limits.parameters) {
    throw bad(`${entries.length} parameters; at most ${limits.parameters} are allowed`);
  }
  for (const [key, value] of entries) {
    if (!/^_[A-Z0-9_]+$/.test(key) && !triggerNames.has(key)) {
      throw bad(`key in the substitution data ${JSON.stringify(key)} must match "^_[A-Z0-9_]+$"`);
    }
    if (key.length > limits.keyBytes) {
      throw bad(`key ${JSON.stringify(key)} is longer than ${limits.keyBytes} bytes`);
    }
    checkValue(key, value);
  }
}

function checkValue(key: string, value: string): void {
  if (Buffer.byteLength(value) <= limits.valueBytes) return;
  throw bad(`the value of ${JSON.stringify(key)} is longer than ${limits.valueBytes} bytes`);
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
