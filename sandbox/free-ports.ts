/** Ports of this machine that nobody listens on. */
import { createServer, type Server } from 'node:net';

/** Whatever is free right now, for somebody who takes it a moment later. */
export async function freePort(): Promise<number> {
  const server = await listen(0);
  const address = server?.address();
  await close(server);
  if (typeof address !== 'object' || address === null) {
    throw new Error('no free port on 127.0.0.1');
  }
  return address.port;
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
