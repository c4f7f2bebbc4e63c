/**
 * Reads a repository's own build config: the YAML or JSON that `gcloud builds submit --config` takes. What
 * is valid becomes the Build that gcloud would send; anything else is refused with its place in the file.
 */
import type { Result } from '../errors.ts';
import { quoteToken } from '../command/quote-token.ts';
import type { BuildConfig } from './build-config.ts';
import { buildSchema } from './build-schema.ts';
import { checkBuild, type BuildOrigin } from './check-build.ts';
import type { ConfigProblem } from './problem.ts';
import { SpecReader, type FileKind } from './spec-reader.ts';
import { literalValue } from './substitutions.ts';
import { explainUnknownKey } from './unknown-key.ts';
import { readGcloudMapping } from './gcloud-mapping.ts';

const buildConfig: FileKind = {
  schema: buildSchema,
  nameOf: toCamelCase,
  explainUnknownKey: (key, message, fields) =>
    message === 'Build' && toCamelCase(key) === 'source'
      ? {
          message: `${quoteToken(key)} cannot stand in the file: what is built is the commit itself.`,
        }
      : explainUnknownKey(key, fields, buildSchema),
};

/**
 * @param origin substitutions from outside the file win over its own and are meant literally
 * @returns the Build without its source, or at most ten problems
 * @see https://cloud.google.com/sdk/gcloud/reference/builds/submit
 */
export function parseBuildConfig(
  text: string,
  file: string,
  origin: BuildOrigin = {},
): Result<BuildConfig, ConfigProblem> {
  const yaml = readGcloudMapping(text, file, { name: 'build config', firstKey: 'steps' });
  if (!yaml.ok) return yaml;
  const { value } = yaml.value;
  const reader = new SpecReader(yaml.value, buildConfig);
  // The checks tell where it is not yet one.
  const read = reader.message('Build', value, []) as unknown as BuildConfig;
  const { problems } = reader;
  if (problems.length > 0) return { ok: false, problems };
  const unmet = checkBuild(read, yaml.value, origin);
  if (unmet.length > 0) return { ok: false, problems: unmet };
  const literal = Object.entries(origin.given ?? {}).map(([name, text]) => [
    name,
    literalValue(text, read),
  ]);
  const substitutions = { ...read.substitutions, ...Object.fromEntries(literal) } as Record<
    string,
    string
  >;
  const config = Object.keys(substitutions).length === 0 ? read : { ...read, substitutions };
  return { ok: true, value: config };
}

/** As gcloud does it: `disk_size_gb`, but `machineType` as it is, and `_` at the beginning kept. */
function toCamelCase(key: string): string {
  const [, blanks = '', first = '', rest = ''] = /^(_*)([^_]*)(.*)$/s.exec(key) ?? [];
  const words = rest
    .split('_')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase());
  return blanks + first + words.join('');
}
