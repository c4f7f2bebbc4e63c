/**
 * The little shell that stands between the sandbox and a job. In: mounts, a command. Out: an argument list
 * for `spawn`. Nothing from outside becomes shell text: everything is passed as arguments.
 *
 * File descriptor 3 is a pipe from the sandbox: it ends when the sandbox ends, however that happens.
 * On 4 the scripts report: `started`, or `missing` when there is no such program.
 */
import { launchDirectory, type Mount } from './mount-plan.ts';

/**
 * Ends the whole process group when the sandbox is gone, even by SIGKILL; then becomes its arguments.
 * $0: how large a file may become, in blocks of 512 bytes; it does not leave a core.
 */
const watchdog = `
ulimit -c 0
ulimit -f "$0"
(trap '' TERM INT HUP; read -r _ <&3; kill -KILL 0) </dev/null >/dev/null 2>&1 4>&- &
exec "$@" 3<&-
`;

/** $1: a file of exports; the rest: the program. It only gets its own environment now, after privileges are gone. */
const start = `
. "$1"
shift
unset OLDPWD
command -v -- "$1" >/dev/null 2>&1 || { echo missing >&4; exit 127; }
echo started >&4
exec "$@" 4>&-
`;

/**
 * Runs as the first process of new namespaces. $1: an empty directory to become the root; then mounts as
 * words up to \`--\`; then the start script and its arguments.
 * The root has the host's own programs and, in /job, what the job sees: while the host can still be seen and
 * privileges are there, nothing is run that an image may have put in its place. Then the job is shut into
 * /job; without CAP_SYS_ADMIN nothing can be mounted or made writable again.
 */
const isolate = `
set -eu
outer=$1
shift
seal() {
  mount -o remount,bind,ro "$1" 2>/dev/null || mount -o remount,bind,ro,nosuid,nodev "$1"
}
mount -t tmpfs -o mode=755,size=256m tmpfs "$outer"
for name in usr bin sbin lib lib32 lib64 libx32 nix gnu; do
  if [ -h "/$name" ]; then ln -s "$(readlink "/$name")" "$outer/$name"
  elif [ -d "/$name" ]; then
    mkdir "$outer/$name"
    mount --rbind "/$name" "$outer/$name"
    seal "$outer/$name"
  fi
done
root=$outer/job
mkdir "$root"
mount --bind "$root" "$root"
bind() {
  if [ -d "$2" ]; then mkdir -p "$root$1"; else mkdir -p "$(dirname "$root$1")"; : >"$root$1"; fi
  mount --rbind "$2" "$root$1"
}
while [ "$1" != -- ]; do
  case $1 in
    directory) mkdir -p "$root$2"; shift 2 ;;
    tmpfs) mkdir -p "$root$2"; mount -t tmpfs -o mode=1777,size=1g tmpfs "$root$2"; shift 2 ;;
    proc)
      mkdir -p "$root$2"
      mount -t proc -o nosuid,nodev,noexec proc "$root$2"
      # A uid of 0 may write these even without any capability.
      for name in sys sysrq-trigger irq bus; do
        [ -e "$root$2/$name" ] || continue
        mount --bind "$root$2/$name" "$root$2/$name"
        seal "$root$2/$name"
      done
      shift 2 ;;
    link) ln -s -- "$3" "$root$2"; shift 3 ;;
    read-only) bind "$2" "$3"; seal "$root$2"; shift 3 ;;
    read-write) bind "$2" "$3"; shift 3 ;;
    *) echo "unknown mount $1" >&2; exit 125 ;;
  esac
done
shift
mkdir "$outer/.old" "$outer/proc"
mount --rbind "$root/proc" "$outer/proc"
cd "$outer"
pivot_root . .old
umount -l /.old
rmdir /.old
code=0
drop="--inh-caps=-all --bounding-set=-all"
setpriv --no-new-privs $drop,+sys_chroot,+setpcap -- chroot /job setpriv $drop -- /bin/sh -c "$@" || code=$?
exit "$code"
`;

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Whether its processes have a namespace of their own. */
  readonly isIsolated: boolean;
}

/** A job that shares the host's file system. */
export function launchPlain(
  cwd: string,
  environmentFile: string,
  program: readonly string[],
  maxFileBytes: number,
): Launch {
  const inner = ['/bin/sh', '-c', start, 'sh', environmentFile, ...program];
  const args = ['-c', watchdog, blocks(maxFileBytes), ...inner];
  return { command: '/bin/sh', args, cwd, isIsolated: false };
}

/** A job that sees nothing but its mounts and its own processes. `root` is an empty directory. */
export function launchIsolated(
  root: string,
  options: {
    readonly unshare: readonly string[];
    readonly mounts: readonly Mount[];
    readonly workingDir: string;
    readonly program: readonly string[];
    readonly maxFileBytes: number;
  },
): Launch {
  const setup = ['/bin/sh', '-c', isolate, 'sh', root, ...options.mounts.flatMap(wordsOf), '--'];
  const environmentFile = `${launchDirectory}/environment`;
  const inner = [
    `cd "$1" || exit 125\nshift\n${start}`,
    'sh',
    options.workingDir,
    environmentFile,
    ...options.program,
  ];
  const unshare = ['unshare', ...options.unshare, '--', ...setup, ...inner];
  const args = ['-c', watchdog, blocks(options.maxFileBytes), ...unshare];
  return { command: '/bin/sh', args, cwd: '/', isIsolated: true };
}

/** @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/ulimit.html (-f: 512-byte units) */
function blocks(bytes: number): string {
  return String(Math.floor(bytes / 512));
}

function wordsOf(mount: Mount): string[] {
  switch (mount.kind) {
    case 'link':
      return [mount.kind, mount.target, mount.to];
    case 'read-only':
    case 'read-write':
      return [mount.kind, mount.target, mount.source];
    default:
      return [mount.kind, mount.target];
  }
}

/** Exports for `start`, quoted so that a value is never read as shell. Names must be C identifiers. */
export function renderEnvironment(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join('');
}

/** A wrapper that calls the program at that path. */
export function renderWrapper(path: string): string {
  return `#!/bin/sh\nexec '${path.replaceAll("'", `'\\''`)}' "$@"\n`;
}
