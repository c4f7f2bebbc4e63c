/** Buckets, and lists of what is in them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startWorld, type Answer, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const create = (body: object): Promise<Answer> =>
  world.call('POST', '/storage/v1/b?project=demo-project', body);

describe('a bucket', () => {
  it('is what it was made as, and what it was changed to', async () => {
    const { body } = await create({
      name: 'made',
      location: 'europe-west4',
      labels: { a: 'b' },
      iamConfiguration: { uniformBucketLevelAccess: { enabled: true } },
      lifecycle: { rule: [{ action: { type: 'Delete' }, condition: { age: 30 } }] },
    });
    expect(body).toMatchObject({
      kind: 'storage#bucket',
      name: 'made',
      location: 'EUROPE-WEST4',
      locationType: 'region',
      metageneration: '1',
      projectNumber: '123456789012',
      labels: { a: 'b' },
    });
    const patch = { versioning: { enabled: true }, labels: { a: null, c: 'd' } };
    const changed = await world.call('PATCH', '/storage/v1/b/made', patch);
    expect(changed.body).toMatchObject({
      metageneration: '2',
      versioning: { enabled: true },
      labels: { c: 'd' },
    });
    expect((await world.call('GET', '/storage/v1/b/made')).body).toEqual(changed.body);
    expect(
      (await world.call('PATCH', '/storage/v1/b/made?ifMetagenerationMatch=1', patch)).status,
    ).toBe(412);
    expect((await world.call('GET', '/storage/v1/b/made?ifMetagenerationNotMatch=2')).status).toBe(
      304,
    );
    expect((await world.call('DELETE', '/storage/v1/b/made?ifMetagenerationMatch=1')).status).toBe(
      412,
    );
    expect((await world.call('DELETE', '/storage/v1/b/made')).status).toBe(204);
    expect((await world.call('GET', '/storage/v1/b/made')).status).toBe(404);
  });

  it.each([
    ['no name', {}],
    ['capitals', { name: 'Demo' }],
    ['too short a name', { name: 'ab' }],
    ['too long a name', { name: 'x'.repeat(64) }],
    ['a name that is an address', { name: '192.168.0.1' }],
    ["a name that is Google's", { name: 'goog-bucket' }],
    ['a path', { name: '../etc' }],
    ['an unknown field', { name: 'fine-name', colour: 'red' }],
    ['text for a switch', { name: 'fine-name', versioning: { enabled: 'yes' } }],
    [
      'an unknown condition',
      { name: 'fine-name', lifecycle: { rule: [{ condition: { moon: 'full' } }] } },
    ],
  ])('is refused with %s', async (_name, body) => {
    const answer = await create(body);
    expect([answer.status, answer.body]).toEqual([
      400,
      {
        error: {
          code: 400,
          message: expect.any(String),
          errors: [expect.objectContaining({ reason: 'invalid' })],
        },
      },
    ]);
  });

  it('is made once, by however many at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => create({ name: 'race' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
  });

  it('keeps its location and its name', async () => {
    await create({ name: 'fixed', location: 'us-central1' });
    for (const body of [{ location: 'EU' }, { name: 'other' }]) {
      expect((await world.call('PATCH', '/storage/v1/b/fixed', body)).status).toBe(400);
    }
    expect(
      (await world.call('PATCH', '/storage/v1/b/fixed', { location: 'US-CENTRAL1' })).status,
    ).toBe(200);
  });

  it('is listed in pages', async () => {
    for (const name of ['page-a', 'page-b', 'page-c']) await create({ name });
    const list = async (
      query: string,
    ): Promise<{ items?: { name: string }[]; nextPageToken?: string }> =>
      (await world.call('GET', `/storage/v1/b?project=demo-project&prefix=page-${query}`))
        .body as object;
    const first = await list('&maxResults=2');
    expect(first.items?.map(({ name }) => name)).toEqual(['page-a', 'page-b']);
    const second = await list(`&maxResults=2&pageToken=${first.nextPageToken!}`);
    expect(second).toEqual({
      kind: 'storage#buckets',
      items: [expect.objectContaining({ name: 'page-c' })],
    });
  });
});

describe('the objects of a bucket', () => {
  beforeAll(async () => {
    await create({ name: 'listed' });
    for (const name of ['a.txt', 'b/1', 'b/2', 'b/c/3', 'd/', 'd/4', 'ü', 'z//5']) {
      const path = `/upload/storage/v1/b/listed/o?uploadType=media&name=${encodeURIComponent(name)}`;
      expect((await world.call('POST', path, 'x')).status).toBe(200);
    }
  });

  interface Page {
    readonly items?: readonly { readonly name: string }[];
    readonly prefixes?: readonly string[];
    readonly nextPageToken?: string;
  }
  const list = async (query: Record<string, string>): Promise<Page> =>
    (await world.call('GET', `/storage/v1/b/listed/o?${new URLSearchParams(query).toString()}`))
      .body as Page;
  const names = ({ items = [] }: Page): string[] => items.map(({ name }) => name);

  it.each([
    [
      'all, in the order of their bytes',
      {},
      ['a.txt', 'b/1', 'b/2', 'b/c/3', 'd/', 'd/4', 'z//5', 'ü'],
      [],
    ],
    ['by prefix', { prefix: 'b/' }, ['b/1', 'b/2', 'b/c/3'], []],
    ['by a prefix that is half a name', { prefix: 'a.t' }, ['a.txt'], []],
    ['one level', { delimiter: '/' }, ['a.txt', 'ü'], ['b/', 'd/', 'z/']],
    ['one level below a prefix', { delimiter: '/', prefix: 'b/' }, ['b/1', 'b/2'], ['b/c/']],
    [
      'with the directory itself',
      { delimiter: '/', includeTrailingDelimiter: 'true' },
      ['a.txt', 'd/', 'ü'],
      ['b/', 'd/', 'z/'],
    ],
    ['an empty name between slashes', { delimiter: '/', prefix: 'z/' }, [], ['z//']],
    ['from one to another', { startOffset: 'b/2', endOffset: 'd/' }, ['b/2', 'b/c/3'], []],
    ['nothing', { prefix: 'nothing' }, [], []],
  ])('%s', async (_name, query, items, prefixes) => {
    const page = await list(query);
    expect([names(page), page.prefixes ?? []]).toEqual([items, prefixes]);
    expect(page).not.toHaveProperty('nextPageToken');
  });

  it.each([1, 2, 3, 7])('come in pages of %d, each of them once', async (maxResults) => {
    const seen: string[] = [];
    let pageToken: string | undefined;
    do {
      const query = { delimiter: '/', maxResults: String(maxResults) };
      const page = await list(pageToken === undefined ? query : { ...query, pageToken });
      const found = [...names(page), ...(page.prefixes ?? [])];
      expect(found.length).toBeLessThanOrEqual(maxResults);
      seen.push(...found);
      ({ nextPageToken: pageToken } = page);
    } while (pageToken !== undefined);
    expect(seen.sort()).toEqual(['a.txt', 'b/', 'd/', 'z/', 'ü']);
  });
});
