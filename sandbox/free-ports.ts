/** Ports of this machine that nobody listens on. */
import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/**
 * Below those that systems hand out by themselves: another program is not given one of these in the moment before
 * its taker has it.
 * @see https://docs.kernel.org/networking/ip-sysctl.html (ip_local_port_range)
 */
const range = { from: 20_000, to: 32_000 };

/** One of as many in a row that are free right now, for somebody who takes them a moment later: the first. */
export async function freePort(count = 1): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(range.from, range.to);
    if (await areFree(port, count)) return port;
  }
  throw new Error('no free port on 127.0.0.1');
}

/** Whether as many ports from this one on are free. */
export async function areFree(first: number, count: number): Promise<boolean> {
  const ports = Array.from({ length: count }, (_, n) => first + n);
  const servers = await Promise.all(ports.map(listen));
  await Promise.all(servers.map(close));
  return servers.every((server) => server !== undefined);
}

/** Undefined when somebody else does. */
async function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  const listening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  return listening ? server : undefined;
}

async function close(server: Server | undefined): Promise<void> {
  if (server !== undefined) await new Promise((resolve) => server.close(resolve));
}
