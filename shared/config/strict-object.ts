/** Holds a parsed YAML file against a zod schema and names each problem with its place and the nearest key. */
import type { z } from 'zod';
import type { Result } from '../errors.ts';
import { quoteToken } from '../command/quote-token.ts';
import { nearest } from '../units.ts';
import type { ConfigProblem } from './problem.ts';
import type { Path, YamlFile } from './yaml-file.ts';

/** @param keysAt the valid keys of the mapping at a path, for "did you mean" */
export function holdAgainst<T>(
  schema: z.ZodType<T>,
  file: YamlFile,
  keysAt: (path: Path) => readonly string[],
): Result<T, ConfigProblem> {
  const parsed = schema.safeParse(file.value ?? {});
  if (parsed.success) return { ok: true, value: parsed.data };
  const problems = parsed.error.issues.slice(0, 10).flatMap((issue): ConfigProblem[] => {
    const path = issue.path.filter((part) => typeof part !== 'symbol') as Path;
    if (issue.code !== 'unrecognized_keys') {
      const key = path.findLast((part) => typeof part === 'string');
      const subject = key === undefined ? 'the file' : quoteToken(key);
      const message = `${subject} ${inOurWords(issue)}.`;
      return [file.problemAt(path, message, issue.code === 'invalid_key')];
    }
    const keys = keysAt(path);
    return issue.keys.slice(0, 10).map((key) => {
      const near = nearest(key, keys);
      const hint =
        near === undefined ? `The keys are ${keys.join(', ')}.` : `Did you mean \`${near}\`?`;
      return file.problemAt([...path, key], `unknown key ${quoteToken(key)}. ${hint}`, true);
    });
  });
  // As one reads the file, and not as the schema lists its keys.
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return { ok: false, problems: problems.slice(0, 10) };
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
};

/** The schemas' own messages begin with "must"; zod's do not. */
function inOurWords(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith('must')) return issue.message;
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined && issue.message.includes('received undefined'))
      return 'is missing';
    return `must be ${typeNames[issue.expected] ?? 'something else'}`;
  }
  if (issue.code === 'invalid_value')
    return `must be one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? 'is no valid key';
  if (issue.code === 'too_small') return 'must not be empty';
  if (issue.code === 'too_big') return 'is too long';
  return 'is not valid';
}
