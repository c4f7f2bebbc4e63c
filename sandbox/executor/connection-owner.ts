/**
 * Who is at the other end of a connection within this machine: a connection and the launchers of the jobs that
 * run in, whether one of their processes may hold it out. Jobs share the machine's network, so that an address
 * does not tell them from a browser; in a PID namespace of its own no process of a job can leave its launcher,
 * so that the kernel's tables do. Linux only.
 * @see https://man7.org/linux/man-pages/man5/proc_net.5.html (the table of sockets)
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** As the server's `net.Socket` has it. */
export interface Connection {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localPort?: number | undefined;
}

/** A process may hand a socket on while its holders are looked for, and it is looked for again. */
const looks = 3;
const listening = '0A';

/** True also when nobody is seen at the other end whom it could be but a job. */
export function mayBeHeldBy(launchers: ReadonlySet<number>, connection: Connection): boolean {
  const table = readTable();
  const { remoteAddress = '', remotePort = 0, localPort = 0 } = connection;
  // Where our own socket is not in the table, nothing is known by it.
  if (!table.some((row) => row.state === listening && row.localPort === localPort)) return false;
  const far = table.find(
    (row) =>
      row.localPort === remotePort &&
      row.remotePort === localPort &&
      row.localAddress === addressInTable(remoteAddress),
  );
  // Nobody waits for the answer: what a job leaves behind when it ends looks like this.
  if (far === undefined || far.inode === '0') return true;
  if (launchers.size === 0) return false;
  for (let look = 0; look < looks; look++) {
    const holders = holdersOf(far.inode);
    if (holders.some((pid) => descendsFrom(pid, launchers))) return true;
    if (holders.length > 0) return false;
  }
  // A job has our own user's id, whatever it does; others' processes may be hidden from us.
  return far.uid === String(process.getuid?.());
}

interface Row {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remotePort: number;
  readonly state: string;
  readonly uid: string;
  /** `0` once the process has closed it. */
  readonly inode: string;
}

function readTable(): Row[] {
  // A client may have an IPv6 socket for an address of IPv4.
  const lines = ['tcp', 'tcp6'].flatMap((name) => read(`/proc/net/${name}`).split('\n').slice(1));
  return lines.flatMap((line): Row[] => {
    const [, local, remote, state, , , , uid, , inode] = line.trim().split(/\s+/);
    if (local === undefined || remote === undefined || state === undefined) return [];
    if (uid === undefined || inode === undefined) return [];
    const [localAddress = '', localPort = ''] = local.split(':');
    const remotePort = Number.parseInt(remote.split(':')[1] ?? '', 16);
    return [
      {
        state,
        uid,
        inode,
        remotePort,
        localAddress: localAddress.replace(/^0{16}FFFF0000/, ''),
        localPort: Number.parseInt(localPort, 16),
      },
    ];
  });
}

/** `127.0.0.1` → `0100007F`: the machine's own order of bytes, on all that the sandbox runs on. */
function addressInTable(address: string): string {
  const bytes = address
    .replace(/^::ffff:/, '')
    .split('.')
    .map(Number);
  return Buffer.from(bytes.reverse()).toString('hex').toUpperCase();
}

function holdersOf(inode: string): string[] {
  const link = `socket:[${inode}]`;
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) =>
      list(`/proc/${pid}/fd`).some((fd) => target(`/proc/${pid}/fd/${fd}`) === link),
    );
}

function descendsFrom(pid: string, launchers: ReadonlySet<number>): boolean {
  for (let at = Number(pid); at > 0;) {
    if (launchers.has(at)) return true;
    const stat = read(`/proc/${at}/stat`);
    // After the command's name, which may hold anything: state, parent.
    at = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
  }
  return false;
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function target(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

/** Empty when it is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
