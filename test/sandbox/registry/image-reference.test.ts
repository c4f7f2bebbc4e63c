import { describe, expect, it } from '@jest/globals';
import { isTag, parseImageReference } from '../../../sandbox/registry/image-reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('parseImageReference', () => {
  it.each([
    ['us-docker.pkg.dev/p/r/i:v1', { name: 'us-docker.pkg.dev/p/r/i', tag: 'v1' }],
    [`us-docker.pkg.dev/p/r/i@${digest}`, { name: 'us-docker.pkg.dev/p/r/i', digest }],
    [`gcr.io/p/i:v1@${digest}`, { name: 'gcr.io/p/i', tag: 'v1', digest }],
    ['localhost:5000/i', { name: 'localhost:5000/i' }],
    ['python:3.12-slim', { name: 'docker.io/library/python', tag: '3.12-slim' }],
    ['acme/digits', { name: 'docker.io/acme/digits' }],
  ])('reads %s', (text, expected) => {
    expect(parseImageReference(text)).toEqual(expected);
  });

  it.each([
    '',
    'gcr.io/p/../../etc/passwd',
    'gcr.io//i',
    'gcr.io/p/I',
    'gcr.io/p/i:',
    'gcr.io/p/i@sha256:abc',
    'gcr.io/p/i:tag/x',
    'gcr.io/p/i\n',
    ` gcr.io/p/i`,
    `gcr.io/${'a'.repeat(300)}`,
  ])('refuses %j', (text) => {
    expect(parseImageReference(text)).toBeUndefined();
  });
});

describe('isTag', () => {
  it.each([
    ['latest', true],
    ['constructor', true],
    ['..', false],
    ['.hidden', false],
    ['a/b', false],
    ['a'.repeat(129), false],
  ])('%s: %s', (text, expected) => {
    expect(isTag(text)).toBe(expected);
  });
});
