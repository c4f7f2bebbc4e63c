/**
 * Which files some process has open for writing, as far as this user may see (Linux only): their
 * `device:inode` out.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_fdinfo.5.html (flags, octal)
 */
import { readFile, readdir, stat } from 'node:fs/promises';

/** Undefined where the system does not tell. */
export async function findOpenWriters(): Promise<ReadonlySet<string> | undefined> {
  if (process.platform !== 'linux') return undefined;
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const writers = new Set<string>();
  for (const id of processes) {
    if (id === String(process.pid)) continue;
    for (const descriptor of await readdir(`/proc/${id}/fd`).catch(() => [])) {
      const writer = await writerOf(id, descriptor).catch(() => undefined);
      if (writer !== undefined) writers.add(writer);
    }
  }
  return writers;
}

async function writerOf(id: string, descriptor: string): Promise<string | undefined> {
  const info = await readFile(`/proc/${id}/fdinfo/${descriptor}`, 'utf8');
  const flags = parseInt(/^flags:\s*([0-7]+)/m.exec(info)?.[1] ?? '0', 8);
  // The lowest two bits are the access mode; 0 is read only.
  if ((flags & 3) === 0) return undefined;
  const status = await stat(`/proc/${id}/fd/${descriptor}`);
  return status.isFile() ? fileKey(status) : undefined;
}

export function fileKey(status: { readonly dev: number; readonly ino: number }): string {
  return `${status.dev}:${status.ino}`;
}
