/**
 * The export rule, read from the sources: what a file exports, another file imports that is no test. A value
 * that only tests look at is marked `@internal`; a type that they name needs no mark, because the function
 * that takes or gives it shows it anyway. Exits 1 and names each export that is for nobody.
 */
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { everything, readModule, readSources } from './read-module.ts';

/** @internal @param sources text by path */
export function unusedExports(sources: ReadonlyMap<string, string>): string[] {
  const modules = [...sources].map(([path, text]) => ({ path, ...readModule(text) }));
  const importedBy = (isImporter: (path: string) => boolean) =>
    new Set(
      modules
        .filter(({ path }) => isImporter(path))
        .flatMap(({ path, imports }) =>
          imports.flatMap(({ from, names }) =>
            names.map((name) => `${posix.join(posix.dirname(path), from)} ${name}`),
          ),
        ),
    );
  const byProduct = importedBy((path) => !isTest(path));
  const byTests = importedBy(isTest);
  return modules
    .filter(({ path }) => !isTest(path))
    .flatMap(({ path, exports }) =>
      exports.flatMap(({ name, line, isType, isInternal }) => {
        const isIn = (imported: ReadonlySet<string>) =>
          imported.has(`${path} ${name}`) || imported.has(`${path} ${everything}`);
        if (isIn(byProduct)) {
          return isInternal ? [`${path}:${line}: ${name} is no longer @internal`] : [];
        }
        if (!isIn(byTests)) return [`${path}:${line}: nobody imports ${name}`];
        return isType || isInternal
          ? []
          : [`${path}:${line}: only tests import ${name}: @internal`];
      }),
    );
}

function isTest(path: string): boolean {
  return path.startsWith('test/');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folders = ['action', 'app', 'bench', 'sandbox', 'scripts', 'shared', 'test'];
  const unused = unusedExports(readSources(folders));
  process.stderr.write(unused.map((line) => `${line}\n`).join(''));
  process.exitCode = unused.length === 0 ? 0 : 1;
}
