/**
 * What a job's file system is put together from. In: the unpacked image, the buckets, the interpreter.
 * Out: a list of mounts for launch-scripts.ts, in order.
 *
 * The new root is empty; only what a program needs of the host is shown in it, read-only (system libraries,
 * the interpreter, a few files of /etc). No home, no data directory. Where image and host both have a
 * directory they are merged, the image wins. A target never lies below something that the image brought,
 * so no link inside of the image can lead a mount elsewhere.
 */
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Interpreter } from './interpreter.ts';

export type Mount =
  | { readonly kind: 'directory' | 'tmpfs' | 'proc'; readonly target: string }
  | { readonly kind: 'link'; readonly target: string; readonly to: string }
  | { readonly kind: 'read-only' | 'read-write'; readonly target: string; readonly source: string };

interface MountRequest {
  readonly rootfs: string;
  /** Shown as `launchDirectory`. */
  readonly launch: string;
  /** An empty directory for /tmp. */
  readonly temporary: string;
  /** Bucket → directory. */
  readonly buckets: Readonly<Record<string, string>>;
  readonly interpreter: Interpreter | undefined;
}

/** Where a job finds the interpreter's wrappers; a name that no image uses. */
export const launchDirectory = '/.trainyard';

const systemDirectories = [
  '/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix', '/gnu',
]; // prettier-ignore
/** Public ones: certificates, never the keys beside them. */
const systemFiles = (
  'alternatives ca-certificates ca-certificates.conf crypto-policies group hosts ld.so.cache ld.so.conf ld.so.conf.d ' +
  'localtime mime.types nsswitch.conf passwd pki/ca-trust pki/tls/certs protocols resolv.conf services ssl/certs ssl/openssl.cnf timezone'
)
  .split(' ')
  .map((name) => `/etc/${name}`);
const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];
/** Not the image's to fill. */
const reserved = new Set(['proc', 'dev', 'sys', 'gcs', launchDirectory.slice(1)]);

/** What the host shows at a path: itself, or only some of what lies below. */
interface HostNode {
  readonly source?: string;
  readonly children: Map<string, HostNode>;
}

export async function planMounts(request: MountRequest): Promise<Mount[]> {
  const host = await hostTree(request.interpreter);
  const mounts: Mount[] = [];
  const names = new Set([...host.children.keys(), ...(await readdir(request.rootfs))]);
  for (const name of [...names].sort()) {
    if (reserved.has(name)) continue;
    await merge(`/${name}`, join(request.rootfs, name), host.children.get(name), mounts);
  }
  if (!names.has('tmp')) {
    mounts.push({ kind: 'read-write', target: '/tmp', source: request.temporary });
  }
  mounts.push({ kind: 'read-only', target: launchDirectory, source: request.launch });
  mounts.push({ kind: 'directory', target: '/gcs' });
  for (const [bucket, source] of Object.entries(request.buckets)) {
    mounts.push({ kind: 'read-write', target: `/gcs/${bucket}`, source });
  }
  return [...mounts, ...kernelMounts()];
}

function kernelMounts(): Mount[] {
  const link = (name: string, to: string): Mount => ({ kind: 'link', target: `/dev/${name}`, to });
  return [
    { kind: 'proc', target: '/proc' },
    { kind: 'directory', target: '/dev' },
    ...devices.map((name): Mount => {
      return { kind: 'read-write', target: `/dev/${name}`, source: `/dev/${name}` };
    }),
    { kind: 'tmpfs', target: '/dev/shm' },
    link('fd', '/proc/self/fd'),
    link('stdin', '/proc/self/fd/0'),
    link('stdout', '/proc/self/fd/1'),
    link('stderr', '/proc/self/fd/2'),
  ];
}

async function hostTree(interpreter: Interpreter | undefined): Promise<HostNode> {
  const root: HostNode = { children: new Map() };
  const paths = [...systemDirectories, ...systemFiles, ...(interpreter?.directories ?? [])];
  // Shorter paths first: what lies below a directory that is shown is shown with it.
  for (const path of paths.sort((a, b) => a.length - b.length)) {
    if ((await typeOf(path)) !== undefined) show(root, path);
  }
  return root;
}

function show(root: HostNode, path: string): void {
  const parts = path.slice(1).split('/');
  let node = root;
  for (const [i, part] of parts.entries()) {
    if (node.source !== undefined) return;
    const isLast = i === parts.length - 1;
    const next = node.children.get(part) ?? {
      children: new Map(),
      ...(isLast ? { source: path } : {}),
    };
    node.children.set(part, next);
    node = next;
  }
}

async function merge(
  target: string,
  image: string | undefined,
  host: HostNode | undefined,
  mounts: Mount[],
): Promise<void> {
  const inImage = image === undefined ? undefined : await typeOf(image);
  const placeImage = async (): Promise<void> => {
    if (image === undefined || inImage === undefined) return;
    await place(target, image, inImage, 'read-write', mounts);
  };
  if (host === undefined) {
    await placeImage();
    return;
  }
  const onHost = host.source === undefined ? 'directory' : await typeOf(host.source);
  if (image !== undefined && inImage === 'directory' && onHost === 'directory') {
    await mergeDirectories(target, image, host, mounts);
    return;
  }
  // The way to the interpreter must not be cut off by a link or file of the image.
  if (host.source === undefined) {
    mounts.push({ kind: 'directory', target });
    for (const [name, child] of host.children) {
      await merge(join(target, name), undefined, child, mounts);
    }
  } else if (inImage !== undefined) await placeImage();
  else if (onHost !== undefined) await place(target, host.source, onHost, 'read-only', mounts);
}

async function mergeDirectories(
  target: string,
  image: string,
  host: HostNode,
  mounts: Mount[],
): Promise<void> {
  mounts.push({ kind: 'directory', target });
  const children = new Map(host.children);
  if (host.source !== undefined) {
    for (const name of await readdir(host.source)) {
      children.set(name, { source: join(host.source, name), children: new Map() });
    }
  }
  for (const name of new Set([...children.keys(), ...(await readdir(image))])) {
    await merge(join(target, name), join(image, name), children.get(name), mounts);
  }
}

async function place(
  target: string,
  source: string,
  type: FileType,
  kind: 'read-only' | 'read-write',
  mounts: Mount[],
): Promise<void> {
  if (type === 'link') mounts.push({ kind: 'link', target, to: await readlink(source) });
  else mounts.push({ kind, target, source });
}

type FileType = 'directory' | 'file' | 'link';

/** Without following links. Undefined when there is nothing that can be mounted. */
async function typeOf(path: string): Promise<FileType | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return 'directory';
  if (found?.isSymbolicLink() === true) return 'link';
  return found?.isFile() === true ? 'file' : undefined;
}
