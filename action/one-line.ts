/** A text in, the same on one line out. Pure. */

/**
 * Whatever some reader of a log takes for a line's end: .NET's, which is the runner's, takes a lone carriage
 * return, others take what Unicode calls a line's end.
 * @see https://www.unicode.org/reports/tr18/#Line_Boundaries
 */
const lineEnds = /[\n\v\f\r\0\u0085\u2028\u2029]+/g;

export function oneLine(text: string): string {
  return text.replace(lineEnds, ' ');
}
