/**
 * Pages of a list, with the `Link` header that clients follow.
 * @see https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
 */
import type { Call } from './call.ts';

const maxPerPage = 100;
const defaultPerPage = 30;

interface Page<T> {
  readonly items: readonly T[];
  readonly headers: Readonly<Record<string, string>>;
}

/** The page that the call asks for. Sizes out of bounds are brought within them, as GitHub does. */
export function page<T>(call: Call, all: readonly T[]): Page<T> {
  const { size, number } = pageOf(call);
  const last = Math.max(1, Math.ceil(all.length / size));
  const items = all.slice((number - 1) * size, number * size);
  const relations: Record<string, number> = {};
  if (number > 1) Object.assign(relations, { prev: number - 1, first: 1 });
  if (number < last) Object.assign(relations, { next: number + 1, last });
  const links = Object.entries(relations).map(
    ([rel, to]) => `<${address(call, to)}>; rel="${rel}"`,
  );
  return { items, headers: links.length === 0 ? {} : { link: links.join(', ') } };
}

export function pageOf(call: Call): { readonly size: number; readonly number: number } {
  const wanted = call.input['per_page'];
  const number = call.input['page'];
  return {
    size: Math.min(maxPerPage, positive(wanted) ?? defaultPerPage),
    number: positive(number) ?? 1,
  };
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 1 ? value : undefined;
}

function address(call: Call, number: number): string {
  const url = new URL(call.url);
  url.searchParams.set('page', String(number));
  return url.href;
}
