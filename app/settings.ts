/**
 * The App's settings: environment variables in, typed settings out, or every problem at once.
 *
 * `settingVariables` is the one registry: `docs/configuration.md` is generated from it and a variable
 * that is not in it is not read.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { UserError, type Result } from '../shared/errors.ts';
import { plannedLimits, type GitHubLimits } from '../shared/github/request-budget.ts';
import { parseEndpoint } from '../shared/google/endpoint.ts';

/** One environment variable. `parse` gets a non-empty, trimmed text and throws `TypeError` saying what it takes. */
export interface SettingVariable<T> {
  readonly description: string;
  /** What stands in when the variable is unset; undefined means that nothing does. */
  readonly default?: string;
  readonly required?: true;
  /** Never printed, not even in a problem. */
  readonly secret?: true;
  parse(text: string): T;
}

const loopback = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** Every variable that the App reads, in the order in which the documentation lists them. */
export const settingVariables = {
  APP_ID: required('The GitHub App’s numeric id.', parsePositive(2 ** 53)),
  PRIVATE_KEY: {
    description:
      'The GitHub App’s private key: PEM text, PEM text with `\\n` for its line ends, or either in base64.',
    required: true,
    secret: true,
    parse: parsePrivateKey,
  },
  TRAINYARD_OTHER_PRIVATE_KEY: {
    description:
      'While the private key is changed: the one to come, then the one before. Builds and jobs that are marked with it are ours too; it signs nothing.',
    secret: true,
    parse: parsePrivateKey,
  },
  WEBHOOK_SECRET: {
    description: 'The secret that GitHub signs deliveries with. At least 16 characters.',
    required: true,
    secret: true,
    parse: parseSecret,
  },
  TRAINYARD_CONFIG: required(
    'Path of the operator’s configuration: which repositories may use which project, and how much.',
    (text) => text,
  ),
  GITHUB_API_URL: {
    description: 'Where GitHub’s REST API is. HTTPS, unless it is on this machine.',
    default: 'https://api.github.com',
    parse: parseApiUrl,
  },
  DATABASE_URL: {
    description:
      'PostgreSQL to keep state in. Unset means an embedded database in `TRAINYARD_DATA`, for evaluation only.',
    secret: true,
    parse: parseDatabaseUrl,
  },
  TRAINYARD_DATA: {
    description: 'Directory of the embedded database; unused with `DATABASE_URL`.',
    default: '.trainyard/app',
    parse: (text) => text,
  },
  HOST: {
    description: 'Address to listen on; `0.0.0.0` in a container.',
    default: '127.0.0.1',
    parse: (text) => text,
  },
  PORT: { description: 'Port to listen on.', default: '3000', parse: parsePort },
  TRAINYARD_ADMIN_TOKEN: {
    description:
      'What `/dashboard` (as the password) and `/metrics` (as the bearer token) are shown for. Unset, they are shown to this machine only. At least 16 characters.',
    secret: true,
    parse: parseSecret,
  },
  TRAINYARD_PUBSUB_AUDIENCE: {
    description:
      'The audience of the Pub/Sub push subscription that tells `/pubsub/cloud-builds` of builds. Unset, builds are looked at on the tick alone.',
    parse: (text) => text,
  },
  TRAINYARD_PUBSUB_ACCOUNT: {
    description: 'E-mail of the service account that this subscription signs its pushes as.',
    parse: parseAccount,
  },
  LOG_LEVEL: {
    description: 'How much to log: `debug`, `info`, `warn` or `error`.',
    default: 'info',
    parse: parseLogLevel,
  },
  TRAINYARD_TICK_MS: milliseconds('How often a running build or job is looked at.', '15000'),
  TRAINYARD_CARD_INTERVAL_MS: milliseconds(
    'The least time between two edits of a card whose phase has not changed.',
    '60000',
  ),
  TRAINYARD_SETTLE_MS: milliseconds(
    'How long a resource that was just created may be missing from Google’s lists.',
    '30000',
  ),
  TRAINYARD_DRAIN_MS: milliseconds(
    'How long after a job’s end its last log lines may still arrive; they say why it failed.',
    '20000',
  ),
  TRAINYARD_GITHUB_WRITES_PER_MINUTE: {
    description:
      'How many requests that change something an installation’s repositories get in a minute. Each replica counts for itself: divide by their number.',
    default: String(plannedLimits.writesPerMinute),
    parse: parsePositive(1_000_000),
  },
  TRAINYARD_GITHUB_CREATIONS_PER_HOUR: {
    description:
      'How many comments, checks and reactions of those may be new ones in an hour. Divide by the number of replicas.',
    default: String(plannedLimits.creationsPerHour),
    parse: parsePositive(1_000_000),
  },
  TRAINYARD_LOG_READS_PER_MINUTE: {
    description:
      'How often job logs of one project are read in a minute; Google allows 60 to all readers together. Divide by the number of replicas.',
    default: '50',
    parse: parsePositive(100_000),
  },
  TRAINYARD_GOOGLE_ENDPOINT: {
    description:
      'A sandbox on this machine to use instead of Google Cloud, such as `http://127.0.0.1:8081`. Nothing is trained for real then.',
    parse: parseGoogleEndpoint,
  },
} as const satisfies Readonly<Record<string, SettingVariable<unknown>>>;

/** @see settingVariables for what each means */
export interface Settings {
  readonly appId: number;
  /** PEM */
  readonly privateKey: string;
  /** PEM; undefined but while keys are changed. */
  readonly otherPrivateKey: string | undefined;
  readonly webhookSecret: string;
  readonly configPath: string;
  /** Without a slash at its end. */
  readonly githubApiUrl: string;
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly adminToken: string | undefined;
  /** Undefined where no Pub/Sub subscription tells of builds. */
  readonly pubsub: { readonly audience: string; readonly account: string } | undefined;
  readonly logLevel: LogLevel;
  readonly tickMs: number;
  readonly cardIntervalMs: number;
  readonly settleMs: number;
  readonly drainMs: number;
  readonly githubLimits: GitHubLimits;
  readonly logReadsPerMinute: number;
  /** Undefined in production. */
  readonly googleEndpoint: string | undefined;
}

const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

type SettingName = keyof typeof settingVariables;
type Parsed<N extends SettingName> = ReturnType<(typeof settingVariables)[N]['parse']>;
/** Undefined where a variable may be unset and nothing stands in. */
type SettingValue<N extends SettingName> = (typeof settingVariables)[N] extends
  { readonly required: true } | { readonly default: string }
  ? Parsed<N>
  : Parsed<N> | undefined;

/** Reads all settings; the problems name variables and never repeat their values. */
export function readSettings(
  env: Readonly<Record<string, string | undefined>>,
): Result<Settings, string> {
  const problems: string[] = [];
  const read = <N extends SettingName>(name: N): SettingValue<N> =>
    // A variable without a value leaves its problem, so settings are returned only when all are there.
    readSetting(name, env[name], problems) as SettingValue<N>;
  const audience = read('TRAINYARD_PUBSUB_AUDIENCE');
  const account = read('TRAINYARD_PUBSUB_ACCOUNT');
  if ((audience === undefined) !== (account === undefined)) {
    problems.push('TRAINYARD_PUBSUB_AUDIENCE and TRAINYARD_PUBSUB_ACCOUNT are set together.');
  }
  const settings: Settings = {
    appId: read('APP_ID'),
    privateKey: read('PRIVATE_KEY'),
    otherPrivateKey: read('TRAINYARD_OTHER_PRIVATE_KEY'),
    webhookSecret: read('WEBHOOK_SECRET'),
    configPath: read('TRAINYARD_CONFIG'),
    githubApiUrl: read('GITHUB_API_URL'),
    databaseUrl: read('DATABASE_URL'),
    dataDir: read('TRAINYARD_DATA'),
    host: read('HOST'),
    port: read('PORT'),
    adminToken: read('TRAINYARD_ADMIN_TOKEN'),
    pubsub: audience === undefined || account === undefined ? undefined : { audience, account },
    logLevel: read('LOG_LEVEL'),
    tickMs: read('TRAINYARD_TICK_MS'),
    cardIntervalMs: read('TRAINYARD_CARD_INTERVAL_MS'),
    settleMs: read('TRAINYARD_SETTLE_MS'),
    drainMs: read('TRAINYARD_DRAIN_MS'),
    githubLimits: {
      writesPerMinute: read('TRAINYARD_GITHUB_WRITES_PER_MINUTE'),
      creationsPerHour: read('TRAINYARD_GITHUB_CREATIONS_PER_HOUR'),
      atOnce: plannedLimits.atOnce,
    },
    logReadsPerMinute: read('TRAINYARD_LOG_READS_PER_MINUTE'),
    googleEndpoint: read('TRAINYARD_GOOGLE_ENDPOINT'),
  };
  // People would see green checks of runs that never were.
  const isGitHubElsewhere = URL.parse(settings.githubApiUrl)?.protocol === 'https:';
  if (settings.googleEndpoint !== undefined && isGitHubElsewhere) {
    problems.push(
      'TRAINYARD_GOOGLE_ENDPOINT goes with a GitHub on this machine only (GITHUB_API_URL).',
    );
  }
  problems.push(...secretsThatAreOne(settings));
  return problems.length === 0 ? { ok: true, value: settings } : { ok: false, problems };
}

/** What is set to the same by mistake does not do what it is for. */
function secretsThatAreOne(settings: Partial<Settings>): readonly string[] {
  const { privateKey, otherPrivateKey, webhookSecret, adminToken } = settings;
  const isOne = (a: string | undefined, b: string | undefined): boolean =>
    a !== undefined && a === b;
  return [
    ...(isOne(otherPrivateKey, privateKey)
      ? ['TRAINYARD_OTHER_PRIVATE_KEY is PRIVATE_KEY: set it to the other key, or unset it.']
      : []),
    ...(isOne(adminToken, webhookSecret)
      ? [
          'TRAINYARD_ADMIN_TOKEN is WEBHOOK_SECRET, so whoever may see the metrics could sign deliveries: choose another one.',
        ]
      : []),
  ];
}

function readSetting(name: SettingName, text: string | undefined, problems: string[]): unknown {
  const variable: SettingVariable<unknown> = settingVariables[name];
  const trimmed = text?.trim();
  const given = trimmed === undefined || trimmed === '' ? variable.default : trimmed;
  if (given === undefined) {
    if (variable.required === true) problems.push(`${name} is not set. ${variable.description}`);
    return undefined;
  }
  try {
    return variable.parse(given);
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof UserError)) throw error;
    problems.push(`${name}: ${error.message}`);
    return undefined;
  }
}

function required<T>(description: string, parse: (text: string) => T) {
  return { description, required: true as const, parse };
}

function milliseconds(description: string, standard: string) {
  return {
    description: `${description} In milliseconds.`,
    default: standard,
    parse: parsePositive(86_400_000),
  };
}

function parsePositive(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,16}$/.test(text) || value < 1 || value > max) {
      throw new TypeError('takes a whole number above 0.');
    }
    return value;
  };
}

/** Port 0 asks the system for a free one, which tests do. */
function parsePort(text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value > 65_535) throw new TypeError('takes a port, 0 to 65535.');
  return value;
}

function parseAccount(text: string): string {
  if (!/^[^\s@]+@[^\s@]+\.gserviceaccount\.com$/.test(text))
    throw new TypeError('takes the e-mail address of a service account.');
  return text;
}

function parseLogLevel(text: string): LogLevel {
  const level = logLevels.find((name) => name === text);
  if (level === undefined) throw new TypeError(`takes one of ${logLevels.join(', ')}.`);
  return level;
}

function parseSecret(text: string): string {
  // Probot would silently stand in the word `development`, with which anybody can sign.
  if (text.length < 16) throw new TypeError('is shorter than 16 characters.');
  return text;
}

/** Always in the same form, so that the same key is known as such. */
function parsePrivateKey(text: string): string {
  const plain = text.includes('-----BEGIN') ? text : Buffer.from(text, 'base64').toString('utf8');
  const key = readKey(plain.replaceAll('\\n', '\n').trim());
  // Requests are signed with RS256; with another kind each of them would fail, and nothing before.
  if (key.asymmetricKeyType !== 'rsa') throw new TypeError('is not an RSA key, as GitHub’s are.');
  return key.export({ type: 'pkcs8', format: 'pem' }).toString().trim();
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause is left out: it could quote the key.
    throw new TypeError('is not a private key in PEM form.');
  }
}

function parseApiUrl(text: string): string {
  const url = URL.parse(text);
  const safe =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && loopback.has(url.hostname));
  if (url === null || !safe || `${url.username}${url.password}${url.search}${url.hash}` !== '') {
    throw new TypeError('takes an https:// URL, or http:// on this machine.');
  }
  return url.href.replace(/\/+$/, '');
}

function parseDatabaseUrl(text: string): string {
  const protocol = URL.parse(text)?.protocol;
  if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
    throw new TypeError('takes a postgres:// URL.');
  }
  return text;
}

function parseGoogleEndpoint(text: string): string {
  const endpoint = parseEndpoint(text);
  if (endpoint.kind === 'production') throw new TypeError('takes an address on this machine.');
  return endpoint.url;
}
