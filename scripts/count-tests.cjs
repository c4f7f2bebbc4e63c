// Prints the closing line of CI from jest's JSON report: `Tests: N passed, N failed[, N skipped]`.
// Usage: node scripts/count-tests.cjs REPORT.json STATUS, where STATUS is 0 when every command passed.
const { readFileSync } = require('node:fs');

const [, , reportPath, status] = process.argv;
let report = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numFailedTestSuites: 0 };
let unreadable = false;
try {
  report = JSON.parse(readFileSync(reportPath, 'utf8'));
} catch {
  unreadable = true;
}
// A suite that could not even start has no failed test of its own; it must not count as none.
let failed = report.numFailedTests + (report.numRuntimeErrorTestSuites ?? 0) + (unreadable ? 1 : 0);
if (status !== '0' && failed === 0) failed = 1;
const skipped = report.numPendingTests > 0 ? `, ${report.numPendingTests} skipped` : '';
console.log(`Tests: ${report.numPassedTests} passed, ${failed} failed${skipped}`);
