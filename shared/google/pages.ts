/** A list that a service gives in pages: how to ask for a page in, its items one by one out. */

interface Page<T> {
  readonly items: readonly T[];
  readonly nextPageToken?: string | null | undefined;
}

/**
 * Each page is asked for by itself, so that only the one that failed is asked for again, and only when an item of
 * it is wanted.
 * @param maxPages what comes after them is left out: more is no answer to believe
 */
export async function* itemsOf<T>(
  maxPages: number,
  read: (pageToken: string) => Promise<Page<T>>,
): AsyncGenerator<T> {
  let pageToken = '';
  for (let page = 0; page < maxPages; page++) {
    const { items, nextPageToken } = await read(pageToken);
    yield* items;
    if (!nextPageToken) return;
    pageToken = nextPageToken;
  }
}
