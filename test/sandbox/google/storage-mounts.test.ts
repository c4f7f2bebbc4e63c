/** Buckets as jobs see them: directories. What a job writes is an object; what it links to is not. */
import { mkdir, open, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  fakeExecutor,
  jobOf,
  parent,
  startWorld,
  until,
  type Answer,
  type World,
} from './world.ts';

let world: World;
let mount: string;

/** The mount is what a job is given; it is found out by running one. */
beforeEach(async () => {
  const mounted = Promise.withResolvers<string>();
  const executor = fakeExecutor({
    run: (job) => {
      mounted.resolve(job.mounts['demo']!);
      return Promise.resolve({ exitCode: 0, signal: null });
    },
  });
  world = await startWorld({ executor });
  await world.call('POST', '/storage/v1/b?project=demo-project', { name: 'demo' });
  await world.call('POST', `/v1/${parent}/customJobs`, jobOf());
  mount = await mounted.promise;
});
afterEach(() => world.close());

const media = (name: string): Promise<Answer> =>
  world.call('GET', `/storage/v1/b/demo/o/${encodeURIComponent(name)}?alt=media`);
const put = (name: string, content: string): Promise<Answer> =>
  world.call(
    'POST',
    `/upload/storage/v1/b/demo/o?uploadType=media&name=${encodeURIComponent(name)}`,
    content,
  );
const list = async (): Promise<{ name: string; generation: string; size: string }[]> => {
  const { body } = await world.call('GET', '/storage/v1/b/demo/o');
  return (body as { items?: { name: string; generation: string; size: string }[] }).items ?? [];
};

/**
 * By this process, in which the server runs too; always 0 where the system does not tell.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_io.5.html
 */
async function bytesRead(): Promise<number> {
  const counts = await readFile('/proc/self/io', 'utf8').catch(() => '');
  return Number(/^rchar: (\d+)$/m.exec(counts)?.[1] ?? 0);
}

describe('a file that a job writes', () => {
  it('is an object, changes with it and goes with it', async () => {
    await mkdir(join(mount, 'run/model'), { recursive: true });
    await writeFile(join(mount, 'run/model/w.bin'), 'one');
    const [first] = await list();
    expect(first).toMatchObject({ name: 'run/model/w.bin', size: '3' });
    expect((await media('run/model/w.bin')).text).toBe('one');
    await writeFile(join(mount, 'run/model/w.bin'), 'three');
    const [second] = await list();
    expect(BigInt(second!.generation) > BigInt(first!.generation)).toBe(true);
    await rm(join(mount, 'run/model/w.bin'));
    expect(await list()).toEqual([]);
  });

  it('may replace what a client has put there, and the other way round', async () => {
    await put('config.json', 'client');
    expect(await readFile(join(mount, 'config.json'), 'utf8')).toBe('client');
    await writeFile(join(mount, 'config.json'), 'the job');
    expect((await media('config.json')).text).toBe('the job');
    await put('config.json', 'client again');
    expect(await readFile(join(mount, 'config.json'), 'utf8')).toBe('client again');
    await world.call('DELETE', '/storage/v1/b/demo/o/config.json');
    await expect(readFile(join(mount, 'config.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each([
    ['900 GB of nothing', 900 * 10 ** 9, 0],
    ['1 GiB of nothing with a word in it', 2 ** 30, 4],
  ])('is no object, and keeps nobody waiting, when it is %s', async (_name, size, written) => {
    const file = await open(join(mount, 'holes'), 'w');
    await file.write('word'.slice(0, written));
    await file.truncate(size);
    await file.close();
    await writeFile(join(mount, 'other'), 'x');
    const before = await bytesRead();
    expect((await list()).map(({ name }) => name)).toEqual(['other']);
    expect((await media('holes')).status).toBe(404);
    expect((await bytesRead()) - before).toBeLessThan(2 ** 26);
    await rm(join(mount, 'holes'));
  });

  it('is whole when it has holes in between', async () => {
    const file = await open(join(mount, 'holes'), 'w');
    await file.write('end', 10 ** 6);
    await file.close();
    expect(await list()).toMatchObject([{ name: 'holes', size: '1000003' }]);
    expect((await media('holes')).text.endsWith('\0end')).toBe(true);
  });

  it('is seen when it is moved into place, as careful writers do', async () => {
    await writeFile(join(mount, 'metrics.json.tmp'), '{}');
    await rename(join(mount, 'metrics.json.tmp'), join(mount, 'metrics.json'));
    expect((await list()).map(({ name }) => name)).toEqual(['metrics.json']);
  });
});

describe('a link that a job makes', () => {
  it.each([
    ['to a file', 'link', '/etc/hostname', 'link'],
    ['to a directory', 'dir', '/etc', 'dir/hostname'],
  ])('%s is not an object, and gives nothing away', async (_name, path, target, name) => {
    await symlink(target, join(mount, path));
    expect(await list()).toEqual([]);
    expect((await media(name)).status).toBe(404);
  });

  it('leads no upload out of the bucket', async () => {
    const outside = join(world.dataDir, 'outside');
    await mkdir(outside);
    await symlink(outside, join(mount, 'dir'));
    expect((await put('dir/file', 'content')).status).toBe(200);
    await expect(readFile(join(outside, 'file'))).rejects.toMatchObject({ code: 'ENOENT' });
    // The API keeps it all the same; only jobs do not see it.
    expect((await media('dir/file')).text).toBe('content');
    await writeFile(join(outside, 'precious'), 'stays');
    await world.call('DELETE', '/storage/v1/b/demo/o/dir%2Fprecious');
    expect(await readFile(join(outside, 'precious'), 'utf8')).toBe('stays');
  });
});

describe('a name that no file can have', () => {
  it.each(['../../escape', 'a/../b', 'a//b', 'trailing/', '/absolute', 'x'.repeat(300), './a'])(
    '%s is an object, and no file',
    async (name) => {
      expect((await put(name, 'content')).status).toBe(200);
      expect((await media(name)).text).toBe('content');
      expect((await list()).map((item) => item.name)).toEqual([name]);
      world = await world.restart();
      expect((await media(name)).text).toBe('content');
    },
  );

  it('holds also where a file is in the way', async () => {
    await put('a', 'file');
    await put('a/b', 'below a file');
    expect([(await media('a')).text, (await media('a/b')).text]).toEqual(['file', 'below a file']);
    const both = await until(list, (items) => items.length === 2);
    expect(both.map(({ name }) => name)).toEqual(['a', 'a/b']);
  });
});
