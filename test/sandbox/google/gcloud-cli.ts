/** The real gcloud, pointed at a sandbox and at nothing else: a configuration of its own, no credentials. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasGcloud = spawnSync('gcloud', ['--version'], { stdio: 'ignore' }).status === 0;

export interface Gcloud {
  /** Scratch space of the test. */
  readonly directory: string;
  run(args: readonly string[], options?: { readonly cwd?: string }): Promise<GcloudResult>;
  /** Standard output of a run that has to succeed. */
  output(args: readonly string[], options?: { readonly cwd?: string }): Promise<string>;
}

export interface GcloudResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Proxies and credentials of the machine must not change what is tested. */
const inherited = ['PATH', 'LANG', 'TMPDIR', 'CLOUDSDK_PYTHON'];

export async function configureGcloud(endpoint: string, project: string): Promise<Gcloud> {
  const directory = await mkdtemp(join(tmpdir(), 'sandbox-gcloud-'));
  const config = join(directory, 'config');
  await mkdir(join(config, 'configurations'), { recursive: true });
  await writeFile(join(config, 'active_config'), 'default');
  const apis = [
    'aiplatform',
    'cloudbuild',
    'artifactregistry',
    'logging',
    'secretmanager',
    'storage',
  ];
  const lines = [
    ...['[core]', `project = ${project}`, 'disable_prompts = true'],
    ...['disable_usage_reporting = true', 'check_gce_metadata = false'],
    ...['[auth]', 'disable_credentials = true'],
    ...['[component_manager]', 'disable_update_check = true'],
    ...['[survey]', 'disable_prompts = true'],
    '[api_endpoint_overrides]',
    ...apis.map((api) => `${api} = ${endpoint}/`),
  ];
  await writeFile(join(config, 'configurations/config_default'), `${lines.join('\n')}\n`);
  const env = Object.fromEntries(
    inherited.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
  const run: Gcloud['run'] = (args, options = {}) =>
    new Promise((resolve, reject) => {
      execFile(
        'gcloud',
        args,
        {
          cwd: options.cwd ?? directory,
          env: { ...env, HOME: directory, CLOUDSDK_CONFIG: config },
          timeout: 60_000,
        },
        (error, stdout, stderr) => {
          const exitCode = error === null ? 0 : error.code;
          if (typeof exitCode === 'number') resolve({ exitCode, stdout, stderr });
          else
            reject(new Error(`gcloud ${args.join(' ')} did not end by itself`, { cause: error }));
        },
      );
    });
  return {
    directory,
    run,
    output: async (args, options) => {
      const { exitCode, stdout, stderr } = await run(args, options);
      if (exitCode !== 0) throw new Error(`gcloud ${args.join(' ')} exited ${exitCode}: ${stderr}`);
      return stdout;
    },
  };
}
