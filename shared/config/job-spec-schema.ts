/** The messages and enums that a CustomJobSpec is made of, as the official descriptors have them. */
import schemaJson from './job-spec.schema.json' with { type: 'json' };

export interface Field {
  /** A scalar (`string`, `bool`, `int32` …), a message's name or an enum's. */
  readonly type: string;
  readonly repeated?: boolean;
  readonly map?: boolean;
  readonly required?: boolean;
}

export type Fields = Readonly<Record<string, Field>>;

const schema: {
  readonly messages: Readonly<Record<string, Fields>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
} = schemaJson;

export function fieldsOf(message: string): Fields | undefined {
  return Object.hasOwn(schema.messages, message) ? schema.messages[message] : undefined;
}

export function valuesOf(enumeration: string): Readonly<Record<string, number>> | undefined {
  return Object.hasOwn(schema.enums, enumeration) ? schema.enums[enumeration] : undefined;
}
