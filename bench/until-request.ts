/**
 * A command and a request in, how long the command took to send it and its memory by then out. The command
 * talks to a real local service through a proxy that only watches.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request as send, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Reached {
  readonly milliseconds: number;
  /** The most memory that the command has had, in bytes; undefined where the system does not say. */
  readonly peakBytes: number | undefined;
}

export interface Watcher {
  readonly endpoint: string;
  /** Starts the command, ends it once it has sent a request like that, and says how it got there. */
  time(
    command: readonly [string, ...string[]],
    options: { readonly env: Readonly<Record<string, string>>; readonly cwd: string },
    wanted: (request: IncomingMessage) => boolean,
  ): Promise<Reached>;
  close(): void;
}

export async function watch(target: string): Promise<Watcher> {
  const { hostname, port } = new URL(target);
  const observers = new Set<(request: IncomingMessage) => void>();
  const server: Server = createServer((incoming, outgoing) => {
    for (const observe of observers) observe(incoming);
    const forwarded = send(
      {
        ...{ hostname, port, method: incoming.method, path: incoming.url },
        headers: { ...incoming.headers, host: `${hostname}:${port}` },
      },
      (answer) => {
        // Upload sessions name the server itself; the rest of the upload is to be seen as well.
        const location = answer.headers.location?.replace(target, endpoint);
        const headers = { ...answer.headers, ...(location === undefined ? {} : { location }) };
        outgoing.writeHead(answer.statusCode ?? 502, headers);
        answer.pipe(outgoing);
      },
    );
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint,
    time: async ([program, ...args], options, wanted) => {
      const startedAt = performance.now();
      const child = spawn(program, args, { ...options, stdio: 'ignore' });
      const ended = once(child, 'exit');
      const { promise: reached, resolve } = Promise.withResolvers<Reached>();
      const observe = (request: IncomingMessage): void => {
        if (!wanted(request)) return;
        const milliseconds = performance.now() - startedAt;
        resolve({ milliseconds, peakBytes: peakOf(child.pid ?? 0) });
      };
      observers.add(observe);
      const outcome = await Promise.race([reached, ended.then(() => undefined)]);
      child.kill('SIGKILL');
      await ended;
      observers.delete(observe);
      if (outcome === undefined) throw new Error(`${program} ended without that request`);
      return outcome;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_status.5.html (VmHWM) */
function peakOf(pid: number): number | undefined {
  try {
    const [, kilobytes] =
      /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
  } catch {
    return undefined;
  }
}
