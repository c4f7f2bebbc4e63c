/** Long-running operations: name → google.longrunning.Operation, for every service alike. */
import { randomBytes } from 'node:crypto';
import { notFound } from '../wire/api-error.ts';
import type { JsonObject } from '../wire/json.ts';
import type { Documents } from './documents.ts';

/** Computes the operation's present state, for those that follow a resource. */
type OperationSource = (name: string) => JsonObject | undefined;

export class Operations {
  readonly #documents: Documents<JsonObject>;
  readonly #sources: OperationSource[] = [];

  constructor(documents: Documents<JsonObject>) {
    this.#documents = documents;
  }

  addSource(source: OperationSource): void {
    this.#sources.push(source);
  }

  /** An operation that was done when it began, which is all that quick work needs. */
  async done(parent: string, metadata: JsonObject, response: JsonObject): Promise<JsonObject> {
    const id = BigInt(`0x${randomBytes(7).toString('hex')}`).toString();
    const name = `${parent}/operations/${id}`;
    const operation = { name, metadata, done: true, response };
    await this.#documents.put(name, operation);
    return operation;
  }

  /** @throws ApiError 404 */
  get(name: string): JsonObject {
    const operation =
      this.#documents.get(name) ??
      this.#sources.map((source) => source(name)).find((found) => found !== undefined);
    if (operation === undefined) throw notFound(`Operation not found: ${name}`);
    return operation;
  }
}

export const emptyResponse: JsonObject = { '@type': 'type.googleapis.com/google.protobuf.Empty' };
