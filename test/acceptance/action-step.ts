/**
 * A step that uses the Action on a checked-out example repository, run as GitHub's runner runs it, with
 * everything at one sandbox.
 */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { InputName } from '../../action/inputs.ts';
import type { Sandbox } from '../../sandbox/start.ts';
import { runBundle, type Interruption, type StepResult } from '../action/run-bundle.ts';
import { personAt } from './github-user.ts';

const root = join(import.meta.dirname, '../..');

export type Inputs = Readonly<Partial<Record<InputName, string>>>;

export interface StepOptions {
  /** What differs from examples/digits; `null` is a file that is missing. */
  readonly files?: Readonly<Record<string, string | null>>;
  readonly interruption?: Interruption;
  readonly env?: Readonly<Record<string, string>>;
  /** The inputs are those of a workflow: none is added but the defaults of action.yml. */
  readonly exactly?: true;
}

/** A text's lines that are not empty. */
export function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** As the runner sets them: each declared input, with its default or empty when it is not given. */
function inputVariables(inputs: Inputs): Record<string, string> {
  const action = parse(readFileSync(join(root, 'action.yml'), 'utf8')) as {
    readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  };
  const given = new Map(Object.entries(inputs));
  return Object.fromEntries(
    Object.entries(action.inputs).map(([name, input]) => [
      `INPUT_${name.toUpperCase()}`,
      given.get(name) ?? input.default ?? '',
    ]),
  );
}

export function stepsAt(sandbox: Sandbox) {
  const { google, registry } = sandbox.description;
  const person = personAt(sandbox);

  async function run(inputs: Inputs, options: StepOptions = {}): Promise<StepResult> {
    const workspace = await mkdtemp(join(tmpdir(), 'trainyard-workspace-'));
    try {
      await cp(join(root, 'examples/digits'), workspace, { recursive: true });
      for (const [path, text] of Object.entries(options.files ?? {})) {
        if (text === null) await rm(join(workspace, path));
        else await writeFile(join(workspace, path), text);
      }
      const env = {
        GITHUB_WORKSPACE: workspace,
        TRAINYARD_GOOGLE_ENDPOINT: google.endpoint,
        ...inputVariables(
          options.exactly === true
            ? inputs
            : {
                project_id: google.project,
                command: 'train',
                config: 'config_gpu.yaml',
                ...inputs,
              },
        ),
        ...options.env,
      };
      return await runBundle(env, options.interruption);
    } finally {
      await rm(workspace, { recursive: true, force: true });
    }
  }

  /** The post step after that one: the runner hands back what it has saved. */
  function post({ state }: StepResult): Promise<StepResult> {
    const saved = Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]);
    return runBundle({
      TRAINYARD_GOOGLE_ENDPOINT: google.endpoint,
      ...inputVariables({}),
      ...(Object.fromEntries(saved) as Record<string, string>),
    });
  }

  async function ask<T>(path: string): Promise<T> {
    const response = await fetch(`${google.endpoint}${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async function countObjects(bucket: string): Promise<number> {
    const { items } = await ask<{ items?: unknown[] }>(`/storage/v1/b/${bucket}/o`);
    return items?.length ?? 0;
  }

  return {
    run,
    post,
    ask,
    jobs: person.jobs,
    builds: person.builds,
    /** How much there is of everything that a step could create. */
    inventory: async () => ({
      builds: (await person.builds()).length,
      jobs: (await person.jobs()).length,
      sources: await countObjects(`${google.project}_cloudbuild`),
      results: await countObjects(`${google.project}-trainyard-results`),
    }),
    /** Asks the registry for `HOST/NAME@DIGEST`. */
    hasImage: async (image: string): Promise<boolean> => {
      const [, name, digest] = /^[^/]+\/(.+)@(sha256:[0-9a-f]{64})$/.exec(image) ?? [];
      const response = await fetch(`${registry}/v2/${name}/manifests/${digest}`);
      await response.arrayBuffer();
      return response.ok;
    },
  };
}

export type Steps = ReturnType<typeof stepsAt>;
