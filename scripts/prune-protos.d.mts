/** Types of prune-protos.mjs, for the tests. */
export interface CalledMethods {
  readonly service: string;
  readonly methods: readonly string[];
  readonly also: readonly string[];
}
export const calledMethods: Readonly<Record<string, CalledMethods>>;
export function pruneProtos(all: unknown, called: CalledMethods): unknown;
