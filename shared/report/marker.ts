/**
 * The marker by which a run's comment is found again: an HTML comment as the body's last line. Text of
 * others cannot forge one: no report lets `<!` through, and only the last line is read.
 */

const pattern = /(?:^|\n)<!-- trainyard:run v1 id=([a-z2-7]{8}) -->\s*$/;

/** @throws TypeError when the id is not one that `newRunId` makes. */
export function renderMarker(runId: string): string {
  if (!/^[a-z2-7]{8}$/.test(runId)) throw new TypeError('not a run id');
  return `<!-- trainyard:run v1 id=${runId} -->`;
}

/** Reads a comment's body, as GitHub returns it; undefined when it is not a run's comment. */
export function parseMarker(body: string): { readonly runId: string } | undefined {
  // The marker is at the end: a long comment of somebody else is not searched.
  const runId = pattern.exec(body.slice(-200))?.[1];
  return runId === undefined ? undefined : { runId };
}
