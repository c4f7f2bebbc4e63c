/**
 * Property tests look at the same cases for the same commit, so that CI never fails by chance;
 * `npm run fuzz` looks at many new ones, and says the seed of what it finds.
 */
import fc from 'fast-check';

const factor = Number(process.env['FUZZ_FACTOR'] ?? 1);

fc.configureGlobal({
  seed: Number(process.env['FUZZ_SEED'] ?? 1),
  numRuns: runs(100),
});

/** How many cases a property is held against, when `usual` are enough for every day. */
export function runs(usual: number): number {
  return Math.ceil(usual * factor);
}

export { fc };
