/** Which names of metrics we take over from a run: printable, short and no trap for JavaScript objects. */

const printable = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_ .\/@%()+:=,-]{0,99}$/u;
const traps = new Set(['__proto__', 'constructor', 'prototype']);

/** True for names that can be stored and shown; a run that chooses others loses those metrics only. */
export function isMetricName(name: string): boolean {
  return printable.test(name) && !traps.has(name);
}
