/** What makes V8 compile a bundle's modules with their file changes nothing else of it. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { compileEagerly } from '../../scripts/compile-eagerly.mjs';

describe('compiling modules with their file', () => {
  it.each([
    [
      'a chunk',
      'exports.modules={12:(e,t)=>{t.a={1:2}}};',
      'exports.modules={12:((e,t)=>{t.a={1:2}})};',
    ],
    ['two modules', 'var e={1:()=>{},2:function(e){}};', 'var e={1:(()=>{}),2:(function(e){})};'],
    ['no module', 'var e={1:()=>{},name:()=>{}};', 'var e={1:()=>{},name:()=>{}};'],
  ])('%s', (_what, code, expected) => {
    expect(compileEagerly(code)).toBe(expected);
  });

  it('holds in every chunk of dist/', () => {
    const dist = join(import.meta.dirname, '../../dist');
    const chunks = readdirSync(dist).filter((name) => name.endsWith('.js'));
    const lazy = chunks.filter((name) =>
      /[{,]\d+:(?:\([\w,]*\)|\w+)=>|[{,]\d+:function\b/.test(
        readFileSync(join(dist, name), 'utf8'),
      ),
    );
    expect(chunks.length).toBeGreaterThan(1);
    expect(lazy).toEqual([]);
  });
});
