/**
 * One after the other: a key and what is to be done under it in, its outcome out. Of this process alone, which is
 * enough for what comes twice at once: what another replica has done is on record.
 */

const last = new Map<string, Promise<unknown>>();

export async function inTurn<T>(key: string, task: () => Promise<T>): Promise<T> {
  const mine = (last.get(key) ?? Promise.resolve()).then(task, task);
  last.set(key, mine);
  try {
    return await mine;
  } finally {
    if (last.get(key) === mine) last.delete(key);
  }
}
