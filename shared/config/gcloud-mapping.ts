/** A file that gcloud takes as well: its text in, its one mapping out, read as gcloud reads YAML. */
import type { Result } from '../errors.ts';
import type { ConfigProblem } from './problem.ts';
import { isMapping } from './spec-reader.ts';
import { readYaml, type YamlFile } from './yaml-file.ts';

interface GcloudMapping extends YamlFile {
  readonly value: Readonly<Record<string, unknown>>;
}

/** @param what how people call the file, and the key that such a file cannot do without */
export function readGcloudMapping(
  text: string,
  file: string,
  what: { readonly name: string; readonly firstKey: string },
): Result<GcloudMapping, ConfigProblem> {
  const yaml = readYaml(text, file, '1.1');
  if (!yaml.ok) return yaml;
  const { value } = yaml.value;
  if (isMapping(value)) return { ok: true, value: { ...yaml.value, value } };
  const message =
    value === null
      ? `the file is empty; a ${what.name} begins with \`${what.firstKey}:\`.`
      : `the file must be a mapping with \`${what.firstKey}\`.`;
  return { ok: false, problems: [yaml.value.problemAt([], message)] };
}
