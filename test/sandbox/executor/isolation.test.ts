/** What an isolated job and its image cannot see or do. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Executor } from '../../../sandbox/executor/executor.ts';
import { archive } from './archives.ts';
import { build, directory, executorWith, name, python, registry, run } from './executor-world.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/** The manifest of an image of one layer with these entries. */
async function imageOf(entries: Parameters<typeof archive>[0]): Promise<Buffer> {
  const layer = await registry.putBlob(await archive(entries));
  const config = await registry.putBlob(Buffer.from('{"config":{}}'));
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...layer }],
    }),
  );
}

describe('run (namespaces)', () => {
  let host: Executor | undefined;
  beforeAll(async () => {
    host = await executorWith('namespaces');
  });

  /** Tests of what this machine cannot do pass. */
  const ifPossible = (test: (by: Executor) => Promise<void>) => async (): Promise<void> => {
    if (host !== undefined) await test(host);
  };

  it(
    'shows a job neither the sandbox nor other processes, and keeps it from writing to the host',
    ifPossible(async (by) => {
      // All of it below this test's own directory, so that a failure harms nothing.
      const secret = join(directory, 'secret');
      await writeFile(secret, 'secret');
      await build(
        python(
          [
            'import json, os, sys',
            'def attempt(path):',
            '  try: open(path, "w"); return "written"',
            '  except OSError as e: return type(e).__name__',
            'caps = [l.split()[1] for l in open("/proc/self/status") if l.startswith("CapEff")]',
            'pids = [p for p in os.listdir("/proc") if p.isdigit()]',
            'print(json.dumps([os.path.exists(sys.argv[1]), attempt(sys.argv[1]), len(pids) < 6, caps]))',
          ].join('\n'),
        ),
      );
      const lines: string[] = [];
      await run({ args: [secret], log: (line) => lines.push(line) }, by);
      expect(JSON.parse(lines[0]!)).toEqual([
        false,
        'FileNotFoundError',
        true,
        ['0000000000000000'],
      ]);
      expect(await readFile(secret, 'utf8')).toBe('secret');
    }),
  );

  it(
    'lets no program of the image run while the host can still be seen',
    ifPossible(async (by) => {
      const spy =
        '#!/bin/sh\nls -d /.old/etc >&2 && echo ESCAPED >&2\nexec "/usr/bin/$(basename "$0")" "$@"\n';
      const tools = ['umount', 'rmdir', 'setpriv', 'mount', 'mkdir', 'chroot'];
      const files = tools.flatMap((tool) =>
        ['usr/local/sbin', 'usr/local/bin'].map((at) => `${at}/${tool}`),
      );
      const layer = files.map((path) => ({ name: path, content: spy, mode: 0o755 }));
      await registry.putManifest(name, 'spy', await imageOf(layer), manifestType);
      const lines: string[] = [];
      const image = `${name}:spy`;
      const log = (line: string): unknown => lines.push(line);
      const program = ['sh', '-c', 'ls -d /.old /proc/1/root/.old; echo done'];
      expect(await run({ image, command: program, log }, by)).toMatchObject({ exitCode: 0 });
      expect(lines.join('\n')).not.toMatch(/ESCAPED|^\/\.old/m);
      expect(lines).toContain('done');
    }),
  );

  it(
    'does not let an image lead a mount elsewhere',
    ifPossible(async (by) => {
      const outside = await mkdtemp(join(directory, 'outside-'));
      const links = ['gcs', 'root', 'usr', 'dev', 'tmp', 'opt'].map((path) => {
        return { name: path, type: 'symlink' as const, linkname: outside, content: '' };
      });
      const manifest = await imageOf(links);
      await registry.putManifest(name, 'links', manifest, manifestType);
      const bucket = await mkdtemp(join(directory, 'bucket-'));
      await run({ image: `${name}:links`, command: ['true'], mounts: { bkt: bucket } }, by);
      expect(await readdir(outside)).toEqual([]);
      expect(existsSync(bucket)).toBe(true);
    }),
  );
});
