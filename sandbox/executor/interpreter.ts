/**
 * The host's Python. In: nothing. Out: where the real interpreter and its libraries are, behind whatever
 * shims or virtual environments PATH has, or undefined where there is none.
 */
import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

export interface Interpreter {
  /** Absolute; not a shim. */
  readonly executable: string;
  /** Directories that must be visible for it to run; absolute, links resolved and not. */
  readonly directories: readonly string[];
}

const question =
  'import json,sys;print(json.dumps([sys.executable,sys.prefix,sys.base_prefix,sys.exec_prefix]))';

export async function findInterpreter(): Promise<Interpreter | undefined> {
  for (const name of ['python3', 'python']) {
    const found = await ask(name).catch(() => undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function ask(name: string): Promise<Interpreter | undefined> {
  // Isolated mode: nothing of the current directory or of PYTHON* variables takes part in the answer.
  const { stdout } = await promisify(execFile)(name, ['-I', '-c', question], { timeout: 15_000 });
  const answer: unknown = JSON.parse(stdout);
  if (!Array.isArray(answer) || !answer.every((path) => typeof path === 'string')) return undefined;
  const [executable, ...prefixes] = answer;
  if (executable?.startsWith('/') !== true) return undefined;
  const paths = [dirname(executable), dirname(await realpath(executable)), ...prefixes];
  const resolved = await Promise.all(paths.map((path) => realpath(path).catch(() => path)));
  // A prefix of `/` would show the whole machine.
  const directories = new Set([...paths, ...resolved].filter((path) => path !== '/'));
  return { executable, directories: [...directories] };
}
