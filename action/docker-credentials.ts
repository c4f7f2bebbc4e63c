/**
 * What docker needs to push as us, and nothing else: a way to get tokens in, a directory for DOCKER_CONFIG
 * out, with a credential helper that asks this process each time. Tokens live for minutes and a push may take
 * longer, so none is written down; and the user's own logins are neither used nor changed.
 * @see https://docs.docker.com/reference/cli/docker/login/#credential-helper-protocol
 */
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

interface DockerCredentials {
  /** For DOCKER_CONFIG. */
  readonly directory: string;
  close(): Promise<void>;
}

interface DockerCredentialsOptions {
  /** Such as `us-central1-docker.pkg.dev`; no other host is given a token. */
  readonly host: string;
  /** A token that is good now. */
  readonly token: () => Promise<string>;
  /** Where the directory is made: RUNNER_TEMP. */
  readonly parent: string;
  /** Where docker would look for its plugins if it had its usual configuration. */
  readonly pluginDirectory: string;
}

const helperName = 'trainyard';

export async function openDockerCredentials(
  options: DockerCredentialsOptions,
): Promise<DockerCredentials> {
  // Readable by this user only, as is the socket in it.
  const directory = await mkdtemp(join(options.parent, 'trainyard-docker-'));
  const socket = join(directory, 'socket');
  const server = createServer({ allowHalfOpen: true }, (connection) => {
    void answer(connection, options);
  });
  server.listen(socket);
  await once(server, 'listening');
  const config = {
    credHelpers: { [options.host]: helperName },
    cliPluginsExtraDirs: [options.pluginDirectory],
  };
  const helper = join(directory, `docker-credential-${helperName}`);
  await writeFile(join(directory, 'config.json'), JSON.stringify(config));
  await writeFile(join(directory, 'helper.cjs'), helperProgram(socket));
  await writeFile(
    helper,
    `#!/bin/sh\nexec ${quoted(process.execPath)} "$(dirname "$0")/helper.cjs" "$@"\n`,
  );
  await chmod(helper, 0o700);
  return { directory, close: () => close(server, directory) };
}

async function close(server: Server, directory: string): Promise<void> {
  server.close();
  await rm(directory, { recursive: true, force: true });
}

/** The host in, what the helper prints out; nothing for another host. */
async function answer(connection: Socket, options: DockerCredentialsOptions): Promise<void> {
  // Docker may have been killed while it asked.
  connection.on('error', () => connection.destroy());
  try {
    const asked = (await text(connection))
      .trim()
      .replace(/^https:\/\//, '')
      .replace(/\/.*$/, '');
    if (asked !== options.host) {
      connection.end();
      return;
    }
    const Secret = await options.token();
    // @see https://cloud.google.com/artifact-registry/docs/docker/authentication#token
    connection.end(JSON.stringify({ ServerURL: asked, Username: 'oauth2accesstoken', Secret }));
  } catch {
    // Docker says that there are no credentials; what is wrong with ours shows in our own requests.
    connection.end();
  }
}

/** `get` asks; `store` and `erase` have nothing to do, because nothing is kept. */
function helperProgram(socket: string): string {
  return `'use strict';
if (process.argv[2] === 'get') {
  const connection = require('node:net').connect(${JSON.stringify(socket)});
  let answer = '';
  connection.setEncoding('utf8').on('data', (data) => { answer += data; });
  connection.on('error', () => {}).on('close', () => {
    process.stdout.write(answer === '' ? 'credentials not found in native keychain' : answer);
    process.exitCode = answer === '' ? 1 : 0;
  });
  process.stdin.pipe(connection);
} else if (process.argv[2] === 'list') process.stdout.write('{}');
`;
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}
