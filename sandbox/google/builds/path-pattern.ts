/**
 * A trigger's globs of files: Go's `filepath.Match`, extended by `**` for any number of directories. In: a
 * pattern. Out: a test for paths, whose time grows with pattern times path.
 * @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.triggers#buildtrigger (ignoredFiles)
 */
import { compileGlob } from '../../executor/glob.ts';

type Segment = 'any number' | ((name: string) => boolean);

/** @throws PatternError */
export function compilePathPattern(pattern: string): (path: string) => boolean {
  const segments = pattern
    .split('/')
    .map((segment): Segment => (segment === '**' ? 'any number' : compileGlob(segment)));
  return (path) => matches(segments, path.split('/'));
}

/** Which of the pattern's segments can come next, one name after the other. */
function matches(segments: readonly Segment[], names: readonly string[]): boolean {
  let next = skipping(segments, new Set([0]));
  for (const name of names) {
    const after = new Set<number>();
    for (const at of next) {
      const segment = segments[at];
      if (segment === 'any number') after.add(at);
      else if (segment?.(name) === true) after.add(at + 1);
    }
    next = skipping(segments, after);
  }
  return next.has(segments.length);
}

function skipping(segments: readonly Segment[], places: Set<number>): Set<number> {
  for (const at of places) if (segments[at] === 'any number') places.add(at + 1);
  return places;
}
