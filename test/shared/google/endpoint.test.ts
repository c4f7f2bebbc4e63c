import { describe, expect, it } from '@jest/globals';
import { UserError } from '../../../shared/errors.ts';
import { parseEndpoint } from '../../../shared/google/endpoint.ts';

describe('parseEndpoint', () => {
  it.each([undefined, '', '  '])('takes %j as Google itself', (text) => {
    expect(parseEndpoint(text)).toEqual({ kind: 'production' });
  });

  it.each([
    ['http://127.0.0.1:8080', '127.0.0.1', 8080],
    ['http://localhost:1/', 'localhost', 1],
    ['http://[::1]:9', '[::1]', 9],
  ])('takes %s', (text, host, port) => {
    expect(parseEndpoint(text)).toMatchObject({ kind: 'local', host, port });
  });

  it.each([
    'https://127.0.0.1:8080',
    'http://127.0.0.1',
    'http://127.0.0.2:8080',
    'http://0x7f.1:8080',
    'http://2130706433:8080',
    'http://127.0.0.1.evil.example:8080',
    'http://127.0.0.1:8080@evil.example:1',
    'http://user:secret@127.0.0.1:8080',
    'http://evil.example:8080',
    'http://[::ffff:127.0.0.1]:8080',
    'http://0.0.0.0:8080',
    'http://127.0.0.1:8080/proxy',
    'http://127.0.0.1:8080/?to=evil',
    'http://LOCALHOST.:8080',
    '127.0.0.1:8080',
    'file:///etc/passwd',
  ])('refuses %s', (text) => {
    expect(() => parseEndpoint(text)).toThrow(UserError);
  });
});
