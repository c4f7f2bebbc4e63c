import { describe, expect, it } from '@jest/globals';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { deriveResourceMac, type LaunchFacts } from '../../../shared/launch/resource-mac.ts';

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const facts: LaunchFacts = {
  what: 'job',
  owner: 'test',
  runId: 'k7q2m4xa',
  repositoryId: 1001,
  headSha: 'a'.repeat(40),
  attempt: '1',
  images: ['registry/digits@sha256:b'],
};

describe('deriveResourceMac', () => {
  const mac = deriveResourceMac(privateKey);

  it('fits a label and a tag, and is the same for the same launch', () => {
    expect(mac(facts)).toMatch(/^[0-9a-f]{40}$/);
    expect(deriveResourceMac(privateKey)(facts)).toBe(mac(facts));
  });

  it('does not depend on the form of the key', () => {
    const pkcs1 = createPrivateKey(privateKey).export({ type: 'pkcs1', format: 'pem' }).toString();
    expect(pkcs1).not.toBe(privateKey);
    expect(deriveResourceMac(pkcs1)(facts)).toBe(mac(facts));
  });

  it.each<[string, Partial<LaunchFacts>]>([
    ['kind', { what: 'build' }],
    ['owner', { owner: 'other' }],
    ['run', { runId: 'zzzzzzzz' }],
    ['repository', { repositoryId: 1002 }],
    ['commit', { headSha: 'b'.repeat(40) }],
    ['attempt', { attempt: '2' }],
    ['image', { images: ['registry/digits@sha256:c'] }],
    ['number of images', { images: [...facts.images, ''] }],
    ['record', { record: [['trainyard-asker', '7-olivia']] }],
    ['cut between two', { runId: 'k7q2m4x', owner: 'testa' }],
  ])('is another for another %s', (_what, change) => {
    expect(mac({ ...facts, ...change })).not.toBe(mac(facts));
  });

  it('is what older versions made where there is nothing more on record', () => {
    expect(mac({ ...facts, record: [] })).toBe(mac(facts));
  });

  it('is another with another key', () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const pem = other.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(deriveResourceMac(pem)(facts)).not.toBe(mac(facts));
  });
});
