/** Cloud Storage's objects: generations, preconditions, ranges, hashes, copies, and how errors look. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startWorld, type Answer, type World } from './world.ts';

interface Resource {
  readonly name: string;
  readonly generation: string;
  readonly metageneration: string;
  readonly md5Hash: string;
  readonly crc32c: string;
  readonly size: string;
}

let world: World;
let bucket: string;
let buckets = 0;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  bucket = `bucket-${++buckets}`;
  await world.call('POST', '/storage/v1/b?project=demo-project', { name: bucket });
});

const put = (
  name: string,
  content: string | Uint8Array,
  query = '',
  headers = {},
): Promise<Answer> =>
  world.call(
    'POST',
    `/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${encodeURIComponent(name)}${query}`,
    content,
    headers,
  );
const object = (name: string): string => `/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}`;
const media = (name: string, headers = {}, query = ''): Promise<Answer> =>
  world.call('GET', `${object(name)}?alt=media${query}`, undefined, headers);
const resource = ({ body }: Answer): Resource => body as Resource;
const version = async (): Promise<void> => {
  await world.call('PATCH', `/storage/v1/b/${bucket}`, { versioning: { enabled: true } });
};
const storageError = (code: number, reason: string): object => ({
  error: {
    code,
    message: expect.any(String),
    errors: [{ domain: 'global', reason, message: expect.any(String) }],
  },
});

describe('an object', () => {
  it('has the hashes, the size and the headers of its content', async () => {
    const { body } = await put('a b/ü.txt', '123456789', '', {
      'content-type': 'text/plain',
    });
    const md5Hash = createHash('md5').update('123456789').digest('base64');
    expect(body).toMatchObject({
      name: 'a b/ü.txt',
      bucket,
      size: '9',
      md5Hash,
      crc32c: '4waSgw==',
      contentType: 'text/plain',
      metageneration: '1',
    });
    const { headers, text } = await media('a b/ü.txt');
    expect(text).toBe('123456789');
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/plain',
      'content-length': '9',
      'x-goog-hash': `crc32c=4waSgw==,md5=${md5Hash}`,
      'x-goog-generation': resource({ body } as Answer).generation,
      'x-goog-stored-content-length': '9',
    });
    expect((await world.call('GET', object('a b/ü.txt'))).body).toEqual(body);
  });

  it('keeps what the client says of it, and forgets what the client nulls', async () => {
    await put('o', 'x');
    const patched = await world.call('PATCH', object('o'), {
      metadata: { a: '1', b: '2' },
      cacheControl: 'no-store',
    });
    expect(patched.body).toMatchObject({ metageneration: '2', metadata: { a: '1', b: '2' } });
    const again = await world.call('PATCH', object('o'), {
      metadata: { a: null },
      cacheControl: null,
    });
    expect(again.body).toMatchObject({ metageneration: '3', metadata: { b: '2' } });
    expect(again.body).not.toHaveProperty('cacheControl');
  });

  it.each([
    ['an unknown field', { colour: 'red' }],
    ['a field of another type', { contentType: 5 }],
    ['a map of numbers', { metadata: { a: 1 } }],
  ])('refuses %s', async (_name, body) => {
    await put('o', 'x');
    const answer = await world.call('PATCH', object('o'), body);
    expect([answer.status, answer.body]).toEqual([400, storageError(400, 'invalid')]);
  });

  it('is copied, with its metadata or with other', async () => {
    await put('from', 'content', '', { 'content-type': 'text/plain' });
    const to = (name: string): string => `${object('from')}/rewriteTo/b/${bucket}/o/${name}`;
    const rewrite = await world.call('POST', to('to'), {});
    expect(rewrite.body).toMatchObject({
      kind: 'storage#rewriteResponse',
      done: true,
      totalBytesRewritten: '7',
      resource: { name: 'to', contentType: 'text/plain', size: '7' },
    });
    const other = await world.call('POST', to('other'), { contentType: 'text/html' });
    expect(other.body).toMatchObject({ resource: { contentType: 'text/html' } });
    expect((await media('to')).text).toBe('content');
    expect((await world.call('POST', to('to').replace('/from/', '/none/'), {})).status).toBe(404);
  });

  it('is composed of others', async () => {
    const { generation } = resource(await put('1', 'one '));
    await put('2', 'two');
    const compose = (sourceObjects: object[]): Promise<Answer> =>
      world.call('POST', `${object('whole')}/compose`, {
        sourceObjects,
        destination: { contentType: 'text/plain' },
      });
    const { body } = await compose([{ name: '1', generation }, { name: '2' }]);
    expect(body).toMatchObject({ name: 'whole', size: '7', contentType: 'text/plain' });
    expect((await media('whole')).text).toBe('one two');
    const conditional = { name: '1', objectPreconditions: { ifGenerationMatch: '1' } };
    expect((await compose([conditional])).status).toBe(412);
    expect((await compose([{ name: 'none' }])).status).toBe(404);
    expect((await compose([])).status).toBe(400);
  });
});

describe('a range', () => {
  it.each([
    ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
    ['bytes=8-', 206, '89', 'bytes 8-9/10'],
    ['bytes=8-100', 206, '89', 'bytes 8-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-100', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=9-9', 206, '9', 'bytes 9-9/10'],
    ['bytes=5-2', 200, '0123456789', null],
    ['lines=1-2', 200, '0123456789', null],
  ])('%s', async (range, status, text, contentRange) => {
    await put('o', '0123456789');
    const answer = await media('o', { range });
    expect([answer.status, answer.text, answer.headers.get('content-range')]).toEqual([
      status,
      text,
      contentRange,
    ]);
  });

  it.each(['bytes=10-', 'bytes=100-200', 'bytes=-0'])('%s is beyond the end', async (range) => {
    await put('o', '0123456789');
    const answer = await media('o', { range });
    expect([answer.status, answer.body]).toEqual([
      416,
      storageError(416, 'requestedRangeNotSatisfiable'),
    ]);
    expect(answer.headers.get('content-range')).toBe('bytes */10');
  });

  it('of an empty object is beyond its end, the whole is nothing', async () => {
    await put('o', '');
    expect((await media('o', { range: 'bytes=0-' })).status).toBe(416);
    expect([(await media('o')).status, (await media('o')).text]).toEqual([200, '']);
  });
});

describe('a hash that the client gives', () => {
  const right = {
    crc32c: '4waSgw==',
    md5: createHash('md5').update('123456789').digest('base64'),
  };
  it.each([
    ['the right CRC32C', `crc32c=${right.crc32c}`, 200],
    ['both', `crc32c=${right.crc32c},md5=${right.md5}`, 200],
    ['a wrong CRC32C', 'crc32c=AAAAAA==', 400],
    ['a wrong MD5', `crc32c=${right.crc32c},md5=AAAAAAAAAAAAAAAAAAAAAA==`, 400],
  ])('%s', async (_name, hash, status) => {
    const answer = await put('o', '123456789', '', { 'x-goog-hash': hash });
    expect(answer.status).toBe(status);
    if (status === 200) return;
    expect(answer.body).toEqual(storageError(400, 'invalid'));
    expect((await world.call('GET', object('o'))).status).toBe(404);
  });

  it('in the metadata of a multipart upload counts too, and nothing is overwritten', async () => {
    await put('o', 'before');
    const send = (metadata: object): Promise<Answer> =>
      world.call(
        'POST',
        `/upload/storage/v1/b/${bucket}/o?uploadType=multipart`,
        `--b\r\ncontent-type: application/json\r\n\r\n${JSON.stringify(metadata)}\r\n--b\r\ncontent-type: text/plain\r\n\r\n123456789\r\n--b--`,
        { 'content-type': 'multipart/related; boundary="b"' },
      );
    expect((await send({ name: 'o', md5Hash: 'AAAAAAAAAAAAAAAAAAAAAA==' })).status).toBe(400);
    expect((await media('o')).text).toBe('before');
    expect((await send({ name: 'o', crc32c: right.crc32c })).status).toBe(200);
    expect((await media('o')).text).toBe('123456789');
  });
});

describe('a generation', () => {
  it('grows with every write, and the old one is gone without versioning', async () => {
    const first = resource(await put('o', 'one'));
    const second = resource(await put('o', 'two'));
    expect(BigInt(second.generation) > BigInt(first.generation)).toBe(true);
    expect((await media('o', {}, `&generation=${first.generation}`)).status).toBe(404);
  });

  it('stays with versioning, also after a delete', async () => {
    await version();
    const first = resource(await put('o', 'one'));
    await put('o', 'two');
    expect((await world.call('DELETE', object('o'))).status).toBe(204);
    expect((await media('o')).status).toBe(404);
    expect((await media('o', {}, `&generation=${first.generation}`)).text).toBe('one');
    const list = async (versions: string): Promise<object[]> =>
      (
        (await world.call('GET', `/storage/v1/b/${bucket}/o?versions=${versions}`)).body as {
          items?: object[];
        }
      ).items ?? [];
    expect(await list('false')).toHaveLength(0);
    expect(await list('true')).toEqual([
      expect.objectContaining({ size: '3', timeDeleted: expect.any(String) }),
      expect.objectContaining({ timeDeleted: expect.any(String) }),
    ]);
    await world.call('DELETE', `${object('o')}?generation=${first.generation}`);
    expect(await list('true')).toHaveLength(1);
    expect((await world.call('DELETE', `/storage/v1/b/${bucket}`)).body).toEqual(
      storageError(409, 'conflict'),
    );
  });

  it('is restored by copying it over the live one', async () => {
    await version();
    const { generation } = resource(await put('o', 'one'));
    await put('o', 'two');
    await world.call(
      'POST',
      `${object('o')}/rewriteTo/b/${bucket}/o/o?sourceGeneration=${generation}`,
      {},
    );
    expect((await media('o')).text).toBe('one');
  });
});

describe('a precondition', () => {
  const stale = '12345';
  it.each([
    ['create only, and there is none', 'new', 'ifGenerationMatch=0', 200],
    ['create only, and there is one', 'o', 'ifGenerationMatch=0', 412],
    ['the generation that is there', 'o', 'ifGenerationMatch=CURRENT', 200],
    ['another one', 'o', `ifGenerationMatch=${stale}`, 412],
    ['anything but that', 'o', 'ifGenerationNotMatch=CURRENT', 412],
    ['anything but another', 'o', `ifGenerationNotMatch=${stale}`, 200],
    ['there is one, and there is none', 'new', 'ifGenerationNotMatch=0', 412],
    ['the metageneration', 'o', 'ifMetagenerationMatch=1', 200],
    ['another metageneration', 'o', 'ifMetagenerationMatch=2', 412],
    ['no number', 'o', 'ifGenerationMatch=latest', 400],
  ])('on writing: %s', async (_name, name, condition, status) => {
    const { generation } = resource(await put('o', 'x'));
    const query = `&${condition.replace('CURRENT', generation)}`;
    const answer = await put(name, 'y', query);
    expect(answer.status).toBe(status);
    if (status === 412) expect(answer.body).toEqual(storageError(412, 'conditionNotMet'));
    expect((await media('o')).text).toBe(status === 200 && name === 'o' ? 'y' : 'x');
  });

  it.each([
    ['GET', 'ifGenerationMatch=CURRENT', 200],
    ['GET', `ifGenerationMatch=${stale}`, 412],
    ['GET', 'ifGenerationNotMatch=CURRENT', 304],
    ['GET', 'ifMetagenerationNotMatch=1', 304],
    ['PATCH', `ifMetagenerationMatch=7`, 412],
    ['PATCH', `ifMetagenerationMatch=1`, 200],
    ['DELETE', `ifGenerationMatch=${stale}`, 412],
    ['DELETE', 'ifGenerationMatch=CURRENT', 204],
  ])('on %s: %s', async (verb, condition, status) => {
    const { generation } = resource(await put('o', 'x'));
    const path = `${object('o')}?${condition.replace('CURRENT', generation)}`;
    const answer = await world.call(verb, path, verb === 'PATCH' ? {} : undefined);
    expect(answer.status).toBe(status);
  });

  it('of many writers at once lets one through', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => put('lock', `writer ${i}`, '&ifGenerationMatch=0')),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([
      200,
      ...Array<number>(9).fill(412),
    ]);
  });
});

describe('an error', () => {
  it.each([
    ['no such bucket', 'GET', '/storage/v1/b/none/o', 404, 'notFound'],
    ['no such object', 'GET', '/storage/v1/b/BUCKET/o/none', 404, 'notFound'],
    ['nothing to delete', 'DELETE', '/storage/v1/b/BUCKET/o/none', 404, 'notFound'],
    ['no project', 'GET', '/storage/v1/b', 400, 'required'],
    ['a foreign project', 'GET', '/storage/v1/b?project=other', 403, 'forbidden'],
    ['a page size that is none', 'GET', '/storage/v1/b/BUCKET/o?maxResults=many', 400, 'invalid'],
    ['a broken escape', 'GET', '/storage/v1/b/BUCKET/o/%ff', 400, 'invalid'],
    ['no kind of upload', 'POST', '/upload/storage/v1/b/BUCKET/o?name=x', 400, 'invalid'],
    ['no name', 'POST', '/upload/storage/v1/b/BUCKET/o?uploadType=media', 400, 'invalid'],
    [
      'a name that no object has',
      'POST',
      '/upload/storage/v1/b/BUCKET/o?uploadType=media&name=..',
      400,
      'invalid',
    ],
  ])('%s', async (_name, verb, path, status, reason) => {
    const answer = await world.call(verb, path.replace('BUCKET', bucket));
    expect([answer.status, answer.body]).toEqual([status, storageError(status, reason)]);
  });

  it('in the XML that logs are read by', async () => {
    const answer = await world.call('GET', `/${bucket}/log-none.txt`);
    expect([answer.status, answer.text]).toEqual([
      404,
      expect.stringContaining('<Code>NoSuchKey</Code>'),
    ]);
  });
});
