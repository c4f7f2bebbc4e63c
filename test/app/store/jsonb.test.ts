import { expect, it } from '@jest/globals';
import { toJsonb } from '../../../app/store/jsonb.ts';

it.each([
  { name: 'NUL', value: { line: 'a\u0000b' }, text: '{"line":"a\ufffdb"}' },
  { name: 'NUL in a key', value: { 'a\u0000': 1 }, text: '{"a\ufffd":1}' },
  { name: 'a lone surrogate', value: ['\ud800'], text: '["\ufffd"]' },
  { name: 'undefined', value: { a: undefined, b: null }, text: '{"b":null}' },
  { name: 'an escaped backslash before u0000', value: 'a\\u0000', text: '"a\\\\u0000"' },
])('makes $name harmless', ({ value, text }) => expect(toJsonb(value)).toBe(text));
