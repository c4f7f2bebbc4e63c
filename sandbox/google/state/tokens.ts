/** Access tokens that the metadata server gives away: a token in, whose it is out. Gone with the process. */
import { randomBytes } from 'node:crypto';

export interface Identity {
  /** E-mail of a service account. */
  readonly account: string;
  /** False for Google's own agents, whose tokens are for storage and logs. */
  readonly hasCloudPlatform: boolean;
}

export class Tokens {
  readonly #identities = new Map<string, Identity>();

  /** Good until `revoke`. */
  issue(identity: Identity): string {
    const token = `ya29.sandbox-${randomBytes(24).toString('base64url')}`;
    this.#identities.set(token, identity);
    return token;
  }

  revoke(token: string): void {
    this.#identities.delete(token);
  }

  identityOf(token: string): Identity | undefined {
    return this.#identities.get(token);
  }
}
