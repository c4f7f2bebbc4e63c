/**
 * A copy of the files that belong in a build context, for a docker that would take the directory as it is: with
 * the tokens that other steps leave in a workspace, and whatever links lead to.
 */
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Source, SourceFile } from '../shared/ports.ts';
import { filesOf } from '../shared/source/build-context.ts';

/** Larger ones are copied as streams. */
const wholeBytes = 1024 ** 2;

interface StagedContext {
  readonly directory: string;
  /** Takes the copy away. */
  close(): Promise<void>;
}

/**
 * @param parent the directory that the copy is made in
 * @throws {UserError} when the source cannot be packed
 */
export async function stageContext(source: Source, parent: string): Promise<StagedContext> {
  const directory = await mkdtemp(join(parent, 'trainyard-context-'));
  const close = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    for (const file of await filesOf(source)) await copy(file, join(directory, file.path));
    return { directory, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function copy(file: SourceFile, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (file.size <= wholeBytes) await writeFile(path, await file.read());
  else await pipeline(file.open(), createWriteStream(path));
  await chmod(path, file.executable ? 0o755 : 0o644);
}
