/** The messages and enums that a Build of Cloud Build is made of, but for what the service fills in. */
import schemaJson from './build.schema.json' with { type: 'json' };
import { MessageSchema } from './message-schema.ts';

export const buildSchema = new MessageSchema(schemaJson);
