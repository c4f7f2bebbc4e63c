/**
 * What proves that a job or build is ours: the facts of a launch and a key in, a label's value out. Whoever
 * may create jobs in a project can copy our other labels before the job that they belong to exists; without
 * the key nobody can make this one.
 *
 * Once a job is there its labels can be read and copied, but only onto younger jobs: of several that fit, the
 * oldest is taken.
 */
import { createHmac, createPrivateKey, hkdfSync } from 'node:crypto';

/** Everything that tells one launch from another. */
export interface LaunchFacts {
  readonly what: 'build' | 'job';
  readonly owner: string;
  readonly runId: string;
  readonly repositoryId: number;
  /** 40 hex digits. */
  readonly headSha: string;
  /** `1` for the first launch; a build has but one. */
  readonly attempt: string;
  /** The images that a job's worker pools run, in their order; a build has none yet. */
  readonly images: readonly string[];
  /** What a job's labels say beside these; what has none is marked as if there were no such thing. */
  readonly record?: readonly (readonly [key: string, value: string])[];
}

/** 40 hex digits, which fit a label and a tag. */
type Mac = (facts: LaunchFacts) => string;

/** Marks what is created. */
export interface ResourceMac extends Mac {
  /** While keys are changed: marks with the other key, which are ours too. */
  readonly other?: Mac | undefined;
}

/** A label has 63 characters at most, and SHA-256 is 64 hex digits. */
const macLength = 40;

/** All marks that tell a launch as ours. */
export function marksOf(mac: ResourceMac, facts: LaunchFacts): readonly string[] {
  return mac.other === undefined ? [mac(facts)] : [mac(facts), mac.other(facts)];
}

/**
 * Both keys are derived from private keys of the GitHub App, so there is no further secret to keep, and a copy of
 * the database makes no marks. With a new private key and without the other one, older jobs are known by their
 * recorded names alone.
 */
export function deriveResourceMac(privateKeyPem: string, otherKeyPem?: string): ResourceMac {
  const other = otherKeyPem === undefined ? undefined : macWith(otherKeyPem);
  return Object.assign(macWith(privateKeyPem), { other });
}

/** @see https://www.rfc-editor.org/rfc/rfc5869 (HKDF) */
function macWith(privateKeyPem: string): Mac {
  // As DER: the same key may come as PKCS#1 or PKCS#8 text.
  const secret = createPrivateKey(privateKeyPem).export({ type: 'pkcs8', format: 'der' });
  const key = Buffer.from(hkdfSync('sha256', secret, 'trainyard', 'resource-mac-1', 32));
  return (facts) => {
    const { what, owner, runId, repositoryId, headSha, attempt, images, record = [] } = facts;
    const parts = [what, owner, runId, repositoryId, headSha, attempt, images];
    const message = JSON.stringify(record.length === 0 ? parts : [...parts, record]);
    return createHmac('sha256', key).update(message).digest('hex').slice(0, macLength);
  };
}
