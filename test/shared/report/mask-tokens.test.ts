import { describe, expect, it } from '@jest/globals';
import { fc, runs } from '../../properties.ts';
import { codeSpan, escapeText, fence, sentence } from '../../../shared/report/markdown.ts';
import { maskLines, maskTokens } from '../../../shared/report/mask-tokens.ts';

const body = 'Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4zAb3d';

describe('maskTokens', () => {
  it.each([
    [`GITHUB_TOKEN=ghp_${body}`, 'GITHUB_TOKEN=ghp_***'],
    [`ghs_${body} gho_${body}`, 'ghs_*** gho_***'],
    [`ghs_123_eyJhbGciOi.eyJpc3MiOj.${body}!`, 'ghs_***!'],
    [`token github_pat_11ABC_${body}.`, 'token github_pat_***'],
    [`Bearer ya29.a0Af_${body}-x`, 'Bearer ya29.***'],
    [`"refresh_token": "1//0g${body}"`, '"refresh_token": "1//0***"'],
    [`key=AIza${body.slice(0, 35)}&x=1`, 'key=AIza***&x=1'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', 'eyJ***'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0', 'eyJ***'],
    [`hf_${body}`, 'hf_***'],
    ['AKIAIOSFODNN7EXAMPLE', 'AKIA***'],
    [
      '{"private_key": "-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----\\n"}',
      '{"private_key": "-----BEGIN PRIVATE KEY----- ***\\n"}',
    ],
    ['-----BEGIN RSA PRIVATE KEY----- MIIE cut', '-----BEGIN RSA PRIVATE KEY----- ***'],
  ])('%s', (text, masked) => {
    expect(maskTokens(text)).toBe(masked);
  });

  it.each([
    'epoch=1/20 loss=0.5 val_accuracy=0.94',
    'us-central1-docker.pkg.dev/p/r/n@sha256:0123456789abcdef',
    'highp_resolution ghp_ AIza eyJ eyJhbGciOi',
    'gs://bucket/1//0/model.pt',
    'risk-assessment-of-the-whole-project',
    '3f2c1ab9d0e4f1c0ffee3f2c1ab9d0e4f1c0ffee',
  ])('leaves %s as it is', (text) => {
    expect(maskTokens(text)).toBe(text);
  });

  it('needs time in proportion to the text, and masks what it has masked no further', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^(?:eyJ|ghp_|-----BEGIN |A|\.|-){0,2000}$/), (text) => {
        const once = maskTokens(text);
        return maskTokens(once) === once;
      }),
      { numRuns: runs(50) },
    );
  });
});

describe('maskLines', () => {
  const key = [body, body, `${body}==`];
  const hidden = ['***', '***', '***'];
  const [begin, end] = ['-----BEGIN PRIVATE KEY-----', '-----END PRIVATE KEY-----'];
  it.each<[string, readonly string[], readonly string[]]>([
    ['a key', ['a', begin, ...key, end, 'b'], ['a', `${begin} ***`, ...hidden, end, 'b']],
    ['a key whose end is missing', [begin, ...key], [`${begin} ***`, ...hidden]],
    ['a key whose beginning is missing', ['a', ...key, end, 'b'], ['a', ...hidden, end, 'b']],
    ['lines without one', ['a', body, 'b'], ['a', body, 'b']],
  ])('%s', (_what, lines, masked) => {
    expect(maskLines(lines)).toEqual(masked);
  });
});

describe('what gets public', () => {
  const token = `ghp_${body}`;
  it.each([
    ['escapeText', escapeText(`x ${token}`)],
    ['codeSpan', codeSpan(token)],
    ['sentence', sentence(`it said \`${token}\` and ${token}.`)],
    ['fence', fence([`x ${token}`, `\t${token}`])],
    ['a long line', fence([`${'x'.repeat(396)} ${token}`])],
    ['a key in a fence', fence(['-----BEGIN PRIVATE KEY-----', body, '-----END PRIVATE KEY-----'])],
  ])('has no token in it: %s', (_where, markdown) => {
    expect(markdown).not.toContain('Ab3d');
    expect(markdown).toMatch(/\*|…/);
  });
});
