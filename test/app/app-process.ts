/** The App as it is deployed: `node app/index.ts` in a process of its own, which can be killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { secret } from './deliveries.ts';
import { appId } from './fake-github.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

/** What all of them have in common: one App, with one key and one secret. */
export const appEnvironment: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '',
  NODE_ENV: 'production',
  APP_ID: String(appId),
  PRIVATE_KEY: privateKey,
  WEBHOOK_SECRET: secret,
};

export interface AppProcess {
  readonly url: string;
  readonly pid: number;
  /** Resolves when it is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Resolves when it is ready, which its log says: at least `info` is needed. */
export async function startAppProcess(
  environment: Readonly<Record<string, string>>,
): Promise<AppProcess> {
  const child = spawn(process.execPath, [join(root, 'app/index.ts')], {
    env: { ...appEnvironment, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return {
    url: await readyUrl(child),
    pid: child.pid ?? 0,
    kill: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
  };
}

/** From its log; what is wrong there is shown. */
function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => {
      reject(new Error(`the App ended with ${String(code)}`));
    });
    if (child.stdout === null) return;
    createInterface(child.stdout).on('line', (line) => {
      const { msg, url, level } = JSON.parse(line) as { msg: string; url?: string; level: number };
      if (level >= 50) process.stderr.write(`${line}\n`);
      if (msg === 'ready' && url !== undefined) resolve(url);
    });
  });
}
