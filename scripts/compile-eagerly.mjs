/**
 * Parentheses around each module of a chunk: V8 takes a function in them for one that is called at once, and
 * compiles it with the file. Without, it reads nearly all of a chunk twice: to find where each module's function
 * ends, and again when the module is required, right after.
 *
 * In: a chunk as ncc and swc leave it, ASCII only. Out: the same code with parentheses, which swc takes away.
 * @see https://v8.dev/blog/preparser (possibly-invoked function expressions)
 */
import { parseSync } from '@swc/core';

/** @param {string} code */
export function compileEagerly(code) {
  const script = parseSync(code, { syntax: 'ecmascript', target: 'es2022', isModule: false });
  // Places are counted from the first file that the process has parsed, in bytes.
  const inserts = modulesIn(script.body)
    .flatMap(({ span }) => [
      { at: span.start - script.span.start, text: '(' },
      { at: span.end - script.span.start, text: ')' },
    ])
    .sort((a, b) => a.at - b.at);
  const cuts = [0, ...inserts.map(({ at }) => at), code.length];
  return cuts
    .slice(1)
    .map((end, index) => code.slice(cuts[index], end) + (inserts[index]?.text ?? ''))
    .join('');
}

/** The values of objects in which every key is a module's number and every value a function. */
function modulesIn(node) {
  if (typeof node !== 'object' || node === null) return [];
  if (node.type === 'ObjectExpression' && node.properties.length > 0) {
    if (node.properties.every(isModule)) return node.properties.map(({ value }) => value);
  }
  return Object.values(node).flatMap(modulesIn);
}

function isModule({ type, key, value }) {
  return (
    type === 'KeyValueProperty' &&
    key.type === 'NumericLiteral' &&
    (value.type === 'ArrowFunctionExpression' || value.type === 'FunctionExpression')
  );
}
