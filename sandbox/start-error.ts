/** Why a sandbox cannot start, for whoever has typed the command: what failed in, a sentence with what to do out. */

export function explainStart(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const {
    code,
    syscall = '',
    port,
    path = '',
  } = error as NodeJS.ErrnoException & Partial<Listening>;
  switch (code) {
    case 'EADDRINUSE':
      return `another program listens on port ${port}. Choose another --port, or leave it out for free ones.`;
    case 'EACCES':
      if (syscall === 'listen') {
        return `this user may not listen on port ${port}. Choose a --port above 1023.`;
      }
      return `${path} cannot be written by this user. Choose another --data.`;
    case 'EPERM':
    case 'EROFS':
      return `${path} cannot be written: ${message}. Choose another --data.`;
    case 'EEXIST':
    case 'ENOTDIR':
      return `${path} is a file, or lies below one. Choose a directory as --data.`;
    case 'ENOSPC':
      return `there is no space left on the disk of the data: ${message}. Free some, or choose another --data.`;
    case 'ENOENT':
      if (syscall.startsWith('spawn ')) {
        return `${path} is not installed, or not in PATH. Install it and start again.`;
      }
      if (syscall === 'mkdir') {
        return `${path} cannot be made: no directory can be made there. Choose another --data.`;
      }
      return message;
    default:
      return message;
  }
}

/** What Node's errors of `listen` have beside the rest. */
interface Listening {
  readonly port: number;
}
