/**
 * The import rule, read from the sources: pure rooms import only pure rooms, errors and units; nothing
 * in shared/ imports the Action, the App or the sandbox; adapters are imported by nobody in shared/.
 * Exits 1 and names each breach.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const pureRooms = [
  ...['command', 'policy', 'plan', 'catalogue', 'config', 'metrics', 'report', 'triggers'],
];
const effectRooms = ['launch', 'watch', 'source'];
const adapters = ['google', 'github'];
const products = ['action', 'app', 'sandbox'];
/** Node's own modules that only compute. */
const pureBuiltins = ['node:crypto', 'node:buffer', 'node:util', 'node:path'];
const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The room of a file below the root: `shared/plan`, `app`, `sandbox/google` … */
function roomOf(path: string): string {
  const [top = '', second = ''] = path.split('/');
  if (top !== 'shared') return top;
  return second.endsWith('.ts') ? `shared/${second.replace(/\.ts$/, '')}` : `shared/${second}`;
}

export function breachOf(file: string, imported: string): string | undefined {
  const from = roomOf(file);
  if (imported.startsWith('node:')) {
    const isPure = pureRooms.some((room) => from === `shared/${room}`);
    return isPure && !pureBuiltins.includes(imported)
      ? `${file}: a pure room must not import ${imported}`
      : undefined;
  }
  if (!imported.startsWith('.')) {
    return from === 'action' && imported === 'probot'
      ? `${file}: the Action must not import ${imported}`
      : undefined;
  }
  const target = posix.normalize(posix.join(posix.dirname(file), imported));
  const to = roomOf(target);
  if (from.startsWith('shared/') && products.includes(to)) {
    return `${file}: shared/ must not import ${to}/ (${target})`;
  }
  if (products.includes(from) && products.includes(to) && from !== to) {
    return `${file}: ${from}/ must not import ${to}/ (${target})`;
  }
  const room = from.replace('shared/', '');
  if (pureRooms.includes(room)) {
    const allowed = [...pureRooms, 'errors', 'units'];
    // The Run is data that reports print; it lives with the loop that makes it.
    const isRunData = target === 'shared/watch/run.ts';
    return allowed.some((name) => to === `shared/${name}`) || isRunData
      ? undefined
      : `${file}: a pure room must not import ${target}`;
  }
  if (effectRooms.includes(room) && adapters.some((name) => to === `shared/${name}`)) {
    return `${file}: effects go through ports, not adapters (${target})`;
  }
  return undefined;
}

/** Module names in static imports, re-exports and dynamic imports of literal names. */
export function importsOf(source: string): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^'";]*?\bfrom\s*'([^']+)'|(?:^|\n)\s*import\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g;
  return [...source.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

function sources(directory: string): string[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
    .map((name) => posix.join(directory, name.split('\\').join('/')));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const breaches = ['shared', ...products].flatMap(sources).flatMap((file) =>
    importsOf(readFileSync(join(root, file), 'utf8')).flatMap((imported) => {
      const breach = breachOf(file, imported);
      return breach === undefined ? [] : [breach];
    }),
  );
  process.stderr.write(breaches.map((breach) => `${breach}\n`).join(''));
  process.exitCode = breaches.length === 0 ? 0 : 1;
}
