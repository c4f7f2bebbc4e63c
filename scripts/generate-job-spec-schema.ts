/**
 * Writes shared/config/job-spec.schema.json: the messages and enums that a CustomJobSpec reaches, taken
 * from the descriptors inside the official client. `--check` compares instead of writing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

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

const root = join(import.meta.dirname, '..');
const target = join(root, 'shared/config/job-spec.schema.json');
const protos = createRequire(import.meta.url)(
  '@google-cloud/aiplatform/build/protos/protos.json',
) as Descriptor;
const v1 = ['google', 'cloud', 'aiplatform', 'v1'].reduce<Descriptor | undefined>(
  (node, name) => node?.nested?.[name],
  protos,
);

export function generate(): string {
  const messages: Record<string, unknown> = {};
  const enums: Record<string, unknown> = {};
  /** `outer` is where a type's own nested types are. */
  const visit = (name: string, outer: Descriptor | undefined, fullName: string): void => {
    if (fullName in messages || fullName in enums) return;
    const type = outer?.nested?.[name] ?? v1?.nested?.[name];
    if (type?.values !== undefined) {
      enums[fullName] = type.values;
      return;
    }
    if (type?.fields === undefined) return;
    const fields: Record<string, unknown> = {};
    messages[fullName] = fields;
    for (const [field, { type: fieldType, rule, keyType, options }] of Object.entries(
      type.fields,
    )) {
      const behavior = options?.['(google.api.field_behavior)'];
      if (behavior === 'OUTPUT_ONLY') continue;
      const nested =
        type.nested?.[fieldType] === undefined ? fieldType : `${fullName}.${fieldType}`;
      fields[field] = {
        type: nested,
        ...(rule === 'repeated' ? { repeated: true } : {}),
        ...(keyType === undefined ? {} : { map: true }),
        ...(behavior === 'REQUIRED' ? { required: true } : {}),
      };
      visit(fieldType, type, nested);
    }
  };
  visit('CustomJobSpec', v1, 'CustomJobSpec');
  return `${JSON.stringify({ messages, enums }, null, 1)}\n`;
}

if (process.argv[1] === import.meta.filename) {
  const text = generate();
  if (!process.argv.includes('--check')) writeFileSync(target, text);
  else if (readFileSync(target, 'utf8') !== text) {
    process.stderr.write(
      'shared/config/job-spec.schema.json is stale: node scripts/generate-job-spec-schema.ts\n',
    );
    process.exitCode = 1;
  }
}
