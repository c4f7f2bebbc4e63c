/**
 * The import rule, read from the sources: what each room may import beside itself, as ARCHITECTURE.md's
 * table of the rooms has it. Exits 1 and names each breach.
 */
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readModule, readSources } from './read-module.ts';

const pureRooms = [
  ...['command', 'policy', 'plan', 'catalogue', 'config', 'metrics', 'report', 'triggers'],
].map((name) => `shared/${name}`);
const pure = [...pureRooms, 'shared/errors', 'shared/units'];
const effects = [...pure, 'shared/ports', 'shared/watch'];
const adapters = ['shared/google', 'shared/github'];

/** What a room may import beside itself: rooms, or single files. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  // The Run is data that reports print; it lives with the loop that makes it.
  ...Object.fromEntries(pureRooms.map((room) => [room, [...pure, 'shared/watch/run.ts']])),
  'shared/errors': ['shared/units'],
  'shared/units': [],
  'shared/ports': [...pure, 'shared/watch'],
  'shared/watch': [...pure, 'shared/ports'],
  'shared/source': [...pure, 'shared/ports'],
  // A step is handed what `advance` was: the flow's ports.
  'shared/launch': [...effects, 'shared/source', 'shared/flow'],
  'shared/flow': [...effects, 'shared/launch'],
  'shared/sliding-window': [],
  'shared/lock': [],
  ...Object.fromEntries(adapters.map((room) => [room, [...effects, 'shared/sliding-window']])),
  action: ['shared'],
  app: ['shared'],
  sandbox: [...pureRooms, 'shared/lock'],
};
/** Node's own modules that only compute. */
const pureBuiltins = ['node:crypto', 'node:buffer', 'node:util', 'node:path'];

/** The room of a file below the root: `shared/plan`, `shared/errors`, `app` … */
function roomOf(path: string): string {
  const [top = '', second = ''] = path.split('/');
  return top === 'shared' ? `shared/${second.replace(/\.ts$/, '')}` : top;
}

/** @internal */
export function breachOf(file: string, imported: string): string | undefined {
  const room = roomOf(file);
  if (imported.startsWith('node:')) {
    return pureRooms.includes(room) && !pureBuiltins.includes(imported)
      ? `${file}: a pure room must not import ${imported}`
      : undefined;
  }
  if (!imported.startsWith('.')) {
    return room === 'action' && imported === 'probot'
      ? `${file}: the Action must not import ${imported}`
      : undefined;
  }
  const target = posix.join(posix.dirname(file), imported);
  const isAllowed = [room, ...(allowed[room] ?? [])].some((place) =>
    [target, roomOf(target), posix.dirname(target), target.split('/')[0]].includes(place),
  );
  return isAllowed ? undefined : `${file}: ${room} must not import ${target}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const breaches = [...readSources(['shared', 'action', 'app', 'sandbox'])].flatMap(
    ([path, text]) => readModule(text).imports.flatMap(({ from }) => breachOf(path, from) ?? []),
  );
  process.stderr.write(breaches.map((breach) => `${breach}\n`).join(''));
  process.exitCode = breaches.length === 0 ? 0 : 1;
}
