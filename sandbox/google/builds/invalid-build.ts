/** The error that Cloud Build refuses a build with. */
import { invalidArgument, type ApiError } from '../wire/api-error.ts';

export function invalidBuild(reason: string): ApiError {
  return invalidArgument(`generic::invalid_argument: invalid build: ${reason}`);
}
