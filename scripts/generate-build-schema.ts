/**
 * Writes shared/config/build.schema.json: the messages and enums that a Build of Cloud Build reaches, taken
 * from the descriptors inside the official client. `--check` compares instead of writing.
 */
import { generateSchema, writeOrCheck } from './message-schema.ts';

/** @internal */
export function generate(): string {
  return generateSchema({
    client: '@google-cloud/cloudbuild',
    package: 'google.devtools.cloudbuild.v1',
    root: 'Build',
    // A file says how to build; what is built comes with the request.
    without: ['source'],
  });
}

if (process.argv[1] === import.meta.filename) {
  writeOrCheck('shared/config/build.schema.json', generate());
}
