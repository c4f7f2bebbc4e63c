/** Vertex AI's list of what is wrong with a request. */
import { invalidArgument, type ApiError } from '../wire/api-error.ts';

/** @see https://github.com/PrefectHQ/prefect-gcp/issues/175 (the form, as the service sends it) */
export function foundErrors(
  errors: readonly (readonly [field: string, message: string])[],
): ApiError {
  const list = errors.map(([field, message], i) => `${i + 1}.Field: ${field}; Message: ${message}`);
  return invalidArgument(`List of found errors:\t${list.join('\t')}\t`);
}
