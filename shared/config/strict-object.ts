/** Holds a parsed YAML file against a zod schema and names each problem with its place and the nearest key. */
import type { z } from 'zod';
import type { Result } from '../errors.ts';
import { nearest } from '../units.ts';
import type { ConfigProblem } from './problem.ts';
import type { Path, YamlFile } from './yaml-file.ts';

/** @param keys all valid keys, for "did you mean" */
export function holdAgainst<T>(
  schema: z.ZodType<T>,
  file: YamlFile,
  keys: readonly string[],
): Result<T, ConfigProblem> {
  const parsed = schema.safeParse(file.value ?? {});
  if (parsed.success) return { ok: true, value: parsed.data };
  const problems = parsed.error.issues.slice(0, 10).flatMap((issue): ConfigProblem[] => {
    const path = issue.path.filter((part) => typeof part !== 'symbol') as Path;
    if (issue.code !== 'unrecognized_keys') return [file.problemAt(path, `${issue.message}.`)];
    return issue.keys.map((key) => {
      const near = nearest(key, keys);
      const hint =
        near === undefined ? `The keys are ${keys.join(', ')}.` : `Did you mean \`${near}\`?`;
      return file.problemAt([...path, key], `unknown key \`${key.slice(0, 60)}\`. ${hint}`, true);
    });
  });
  return { ok: false, problems };
}
