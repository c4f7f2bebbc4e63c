/**
 * The messages and enums that a message reaches, out of the descriptors inside an official client: a JSON
 * text for shared/config. What the service alone fills in is left out.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';

interface Descriptor {
  readonly nested?: Readonly<Record<string, Descriptor>>;
  readonly fields?: Readonly<
    Record<
      string,
      { type: string; rule?: string; keyType?: string; options?: Readonly<Record<string, unknown>> }
    >
  >;
  readonly values?: Readonly<Record<string, number>>;
}

interface SchemaSource {
  /** Of npm, such as `@google-cloud/aiplatform`. */
  readonly client: string;
  /** Such as `google.cloud.aiplatform.v1`. */
  readonly package: string;
  readonly root: string;
  /** Fields of the root that files may not set. */
  readonly without?: readonly string[];
}

export function generateSchema(source: SchemaSource): string {
  const protos = createRequire(import.meta.url)(
    `${source.client}/build/protos/protos.json`,
  ) as Descriptor;
  const scope = source.package
    .split('.')
    .reduce<Descriptor | undefined>((node, name) => node?.nested?.[name], protos);
  const messages: Record<string, unknown> = {};
  const enums: Record<string, unknown> = {};
  /** protobuf's scoping: the innermost enclosing message that knows the name, then the package. */
  const fullNameOf = (type: string, user: string): string => {
    const outer = user.split('.');
    for (let depth = outer.length; depth > 0; depth--) {
      const name = [...outer.slice(0, depth), type].join('.');
      if (find(name) !== undefined) return name;
    }
    return type;
  };
  const find = (name: string): Descriptor | undefined =>
    name.split('.').reduce<Descriptor | undefined>((node, part) => node?.nested?.[part], scope);
  const visit = (name: string): void => {
    if (name in messages || name in enums) return;
    const type = find(name);
    if (type?.values !== undefined) enums[name] = type.values;
    if (type?.fields === undefined) return;
    const fields: Record<string, unknown> = {};
    messages[name] = fields;
    for (const [field, { type: fieldType, rule, keyType, options }] of Object.entries(
      type.fields,
    )) {
      const behavior = options?.['(google.api.field_behavior)'];
      const isLeftOut = name === source.root && source.without?.includes(field) === true;
      if (behavior === 'OUTPUT_ONLY' || isLeftOut) continue;
      const fullName = fullNameOf(fieldType, name);
      fields[field] = {
        type: fullName,
        ...(rule === 'repeated' ? { repeated: true } : {}),
        ...(keyType === undefined ? {} : { map: true }),
        ...(behavior === 'REQUIRED' ? { required: true } : {}),
      };
      visit(fullName);
    }
  };
  visit(source.root);
  return `${JSON.stringify({ messages, enums }, null, 1)}\n`;
}

/** Writes the file, or with `--check` on the command line only compares it. */
export function writeOrCheck(target: string, text: string): void {
  const root = join(import.meta.dirname, '..');
  if (!process.argv.includes('--check')) writeFileSync(join(root, target), text);
  else if (readFileSync(join(root, target), 'utf8') !== text) {
    const script = relative(root, process.argv[1] ?? '');
    process.stderr.write(`${target} is stale: node ${script}\n`);
    process.exitCode = 1;
  }
}
