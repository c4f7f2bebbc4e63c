/**
 * Writes shared/config/job-spec.schema.json: the messages and enums that a CustomJobSpec reaches, taken
 * from the descriptors inside the official client. `--check` compares instead of writing.
 */
import { generateSchema, writeOrCheck } from './message-schema.ts';

/** @internal */
export function generate(): string {
  return generateSchema({
    client: '@google-cloud/aiplatform',
    package: 'google.cloud.aiplatform.v1',
    root: 'CustomJobSpec',
  });
}

if (process.argv[1] === import.meta.filename) {
  writeOrCheck('shared/config/job-spec.schema.json', generate());
}
