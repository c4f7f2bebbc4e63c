/** The messages and enums that a kind of file is made of, as the official descriptors have them. */

export interface Field {
  /** A scalar (`string`, `bool`, `int32` …), a message's name or an enum's. */
  readonly type: string;
  readonly repeated?: boolean;
  readonly map?: boolean;
  readonly required?: boolean;
}

export type Fields = Readonly<Record<string, Field>>;
export type EnumValues = Readonly<Record<string, number>>;

/** What scripts/message-schema.ts writes. */
interface SchemaJson {
  readonly messages: Readonly<Record<string, Fields>>;
  readonly enums: Readonly<Record<string, EnumValues>>;
}

export class MessageSchema {
  readonly #json: SchemaJson;

  constructor(json: SchemaJson) {
    this.#json = json;
  }

  fieldsOf(message: string): Fields | undefined {
    const { messages } = this.#json;
    return Object.hasOwn(messages, message) ? messages[message] : undefined;
  }

  valuesOf(enumeration: string): EnumValues | undefined {
    const { enums } = this.#json;
    return Object.hasOwn(enums, enumeration) ? enums[enumeration] : undefined;
  }
}
