/** What the sandbox's App is started with: its secrets and its environment, kept in the data directory. */
import { createHmac, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Secrets {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly webhookSecret: string;
  /** The page's; the same at every start, so that a page that somebody has open goes on working. */
  readonly csrfKey: Buffer;
}

/** The App's key and webhook secret, made at the first start and readable by this user only. */
export async function openSecrets(dataDir: string): Promise<Secrets> {
  const path = join(dataDir, 'app-secrets.json');
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const fresh = { privateKey, webhookSecret: randomBytes(24).toString('hex') };
    await writeFile(path, JSON.stringify(fresh), { mode: 0o600 });
  }
  const stored = JSON.parse(await readFile(path, 'utf8')) as Pick<
    Secrets,
    'privateKey' | 'webhookSecret'
  >;
  const publicKey = createPublicKey(stored.privateKey).export({ type: 'spki', format: 'pem' });
  const csrfKey = createHmac('sha256', stored.privateKey).update('page').digest();
  return { ...stored, publicKey: publicKey.toString(), csrfKey };
}

/** What the App has to know of the sandbox. */
interface AppSettings {
  readonly appId: number;
  readonly secrets: Secrets;
  readonly githubApi: string;
  readonly googleEndpoint: string;
  readonly appPort: number;
  readonly realistic: boolean;
  /** The only repository, and where its runs go. */
  readonly repositoryId: number;
  readonly project: string;
  readonly region: string;
}

function environmentOf(settings: AppSettings): Record<string, string> {
  const { appId, secrets, githubApi, googleEndpoint, appPort, realistic } = settings;
  return {
    GITHUB_API_URL: githubApi,
    APP_ID: String(appId),
    PRIVATE_KEY: secrets.privateKey.replaceAll('\n', '\\n'),
    WEBHOOK_SECRET: secrets.webhookSecret,
    TRAINYARD_GOOGLE_ENDPOINT: googleEndpoint,
    HOST: '127.0.0.1',
    PORT: String(appPort),
    // Nobody waits for a sandbox as they wait for a real machine: look and tell more often.
    TRAINYARD_TICK_MS: '500',
    TRAINYARD_CARD_INTERVAL_MS: '1000',
    TRAINYARD_SETTLE_MS: '5000',
    TRAINYARD_DRAIN_MS: realistic ? '5000' : '1000',
    // Cards move every second here, and this GitHub has no limits.
    TRAINYARD_GITHUB_WRITES_PER_MINUTE: '1000',
    TRAINYARD_GITHUB_CREATIONS_PER_HOUR: '10000',
  };
}

/** Also left as `app.env` (for `node_modules/.bin/node --env-file`), beside the operator's configuration that it names. */
export async function writeAppEnvironment(
  dataDir: string,
  settings: AppSettings,
): Promise<Record<string, string>> {
  const { repositoryId, project, region } = settings;
  const config = join(dataDir, 'trainyard-server.yml');
  if (!existsSync(config)) {
    await writeFile(
      config,
      [
        '# What this App may do, for the operator to edit; see docs/configuration.md.',
        `owner: sandbox-${randomBytes(4).toString('hex')}`,
        'repositories:',
        `  "${repositoryId}": # acme/digits`,
        `    project: ${project}`,
        `    regions: [${region}]`,
        '    # What is simulated costs nothing, and is tried often.',
        '    max_usd_per_month: 1000',
        '',
      ].join('\n'),
    );
  }
  const complete = {
    ...environmentOf(settings),
    TRAINYARD_CONFIG: config,
    TRAINYARD_DATA: join(dataDir, 'app'),
  };
  const lines = Object.entries(complete).map(([name, value]) => `${name}="${value}"\n`);
  await writeFile(join(dataDir, 'app.env'), lines.join(''), { mode: 0o600 });
  return complete;
}
