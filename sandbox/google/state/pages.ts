/** One page of a list: pageSize and pageToken in, the items and the next page's token out. */
import { invalidArgument } from '../wire/api-error.ts';
import { numberAt, textAt, type JsonObject } from '../wire/json.ts';

interface Page<T> {
  readonly items: readonly T[];
  readonly nextPageToken?: string;
}

/**
 * Tokens name the last item seen, not an offset, so that what is created meanwhile moves nothing.
 * @param keyOf must be unique among the items.
 * @throws ApiError 400 for a token that is not one of ours.
 */
export function pageOf<T>(
  items: readonly T[],
  request: JsonObject,
  sizes: { readonly byDefault: number; readonly max: number },
  keyOf: (item: T) => string,
): Page<T> {
  const asked = numberAt(request, 'pageSize');
  if (asked < 0) throw invalidArgument('The page size must not be negative.');
  const size = Math.min(asked === 0 ? sizes.byDefault : asked, sizes.max);
  const token = textAt(request, 'pageToken');
  let start = 0;
  if (token !== '') {
    const key = Buffer.from(token, 'base64url').toString('utf8');
    start = items.findIndex((item) => keyOf(item) === key) + 1;
    if (start === 0) throw invalidArgument('The page token is invalid.');
  }
  const page = items.slice(start, start + size);
  const last = page.at(-1);
  return start + size < items.length && last !== undefined
    ? { items: page, nextPageToken: Buffer.from(keyOf(last)).toString('base64url') }
    : { items: page };
}
