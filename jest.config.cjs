/** Native ESM with swc's type stripping; see CONTRIBUTING.md for the flags that npm test sets. */
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript' },
          target: 'es2024',
          // JSON is imported as Node wants it: `with { type: 'json' }`.
          experimental: { keepImportAttributes: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/build/', '<rootDir>/dist/'],
  // Of a test and of what prepares it: a patience that only ends what hangs, on a machine several times slower too.
  testTimeout: 300_000,
  // Most tests wait for processes of their own; left alone, two cores would get one worker.
  maxWorkers: '100%',
  workerIdleMemoryLimit: '1GB',
};
