/** The messages and enums that a CustomJobSpec is made of. */
import schemaJson from './job-spec.schema.json' with { type: 'json' };
import { MessageSchema } from './message-schema.ts';

export const jobSpecSchema = new MessageSchema(schemaJson);
