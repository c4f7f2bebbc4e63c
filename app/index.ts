/** `npm start`: environment → settings and adapters → a running App, until SIGTERM or SIGINT. */
import { readFile } from 'node:fs/promises';
import { parseServerConfig, type ServerConfig } from '../shared/config/server-config.ts';
import { UserError } from '../shared/errors.ts';
import { googlePorts } from '../shared/google/index.ts';
import { systemClock } from '../shared/ports.ts';
import { missingLaunchers, type GoogleAs } from './launchers.ts';
import { createLog, type Logger } from './log.ts';
import { readSettings, type Settings } from './settings.ts';
import { startApp } from './start-app.ts';
import { LogQuota } from './watch/log-quota.ts';
import { watchTogether } from './watch/watch-together.ts';

/** Longer than a drain may take; whatever hangs then is not worth waiting for. */
const stopTimeoutMs = 9_500;

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  if (!settings.ok) throw startProblem('The App cannot start:', settings.problems);
  const log = createLog(settings.value.logLevel);
  const config = await readConfig(settings.value.configPath);
  warnOfSandbox(settings.value, log);
  const endpoint = settings.value.googleEndpoint;
  if (endpoint === undefined) checkLaunchers(config, log);
  const { tickMs, logReadsPerMinute } = settings.value;
  const logQuota = new LogQuota(logReadsPerMinute, systemClock);
  const watching = { clock: systemClock, tickMs, owner: config.owner, logQuota };
  const googleAs: GoogleAs = (launcher, onCall) => {
    const beforeLogRead = logQuota.take.bind(logQuota);
    const options = { endpoint, onCall, beforeLogRead };
    const google =
      launcher === undefined
        ? googlePorts(options)
        : googlePorts({
            ...options,
            credentials: { kind: 'impersonation', serviceAccount: launcher },
          });
    return watchTogether(google, watching);
  };
  const app = await startApp(settings.value, config, { clock: systemClock, googleAs, log });
  log.info({ url: app.url, repositories: config.repositories.size }, 'ready');
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void stop(() => app.stop(), signal, log));
  }
}

async function readConfig(path: string): Promise<ServerConfig> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    throw startProblem('The App cannot start:', [`TRAINYARD_CONFIG: ${path}: ${code}`]);
  });
  const config = parseServerConfig(text, path);
  if (config.ok) return config.value;
  const problems = config.problems.map(
    ({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`,
  );
  throw startProblem('The operator’s configuration does not parse:', problems);
}

function checkLaunchers(config: ServerConfig, log: Logger): void {
  const missing = missingLaunchers(config);
  if (missing?.kind === 'refusal') throw startProblem('The App cannot start:', [missing.text]);
  if (missing !== undefined) log.warn(missing.text);
}

function warnOfSandbox({ googleEndpoint }: Settings, log: Logger): void {
  if (googleEndpoint === undefined) return;
  log.warn(
    { endpoint: googleEndpoint },
    'TRAINYARD_GOOGLE_ENDPOINT is set: this is a sandbox, nothing runs on Google Cloud',
  );
}

async function stop(close: () => Promise<void>, signal: string, log: Logger): Promise<void> {
  log.info({ signal }, 'stopping');
  const kill = setTimeout(() => process.exit(1), stopTimeoutMs);
  await close();
  clearTimeout(kill);
  log.info('stopped');
  // Keep-alive connections to other services would hold the process for minutes.
  process.exit(0);
}

function startProblem(title: string, problems: readonly string[]): UserError {
  const lines = [title, ...problems.map((problem) => `  ${problem}`)];
  return new UserError('bad_config', lines.join('\n'), 'See docs/configuration.md.');
}

/** With its causes, outermost first: what the database says is below what could not be done without it. */
function unexpected(error: unknown): string {
  const words: string[] = [];
  for (
    let at = error;
    at instanceof Error;
    at = at instanceof AggregateError ? at.errors[0] : at.cause
  )
    if (at.message !== '') words.push(at.message);
  return `The App cannot start: ${words.length === 0 ? String(error) : words.join(': ')}`;
}

try {
  await main();
} catch (error) {
  const text = error instanceof UserError ? `${error.message}\n${error.fix}` : unexpected(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
}
