/** A filter that cannot be understood; its message says where. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
}
