/** What a source file imports and exports, by its syntax tree; and the project's source files. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

interface Module {
  readonly imports: readonly { readonly from: string; readonly names: readonly string[] }[];
  readonly exports: readonly Export[];
}

interface Export {
  readonly name: string;
  readonly line: number;
  readonly isType: boolean;
  /** The JSDoc tag of what is exported for tests alone. */
  readonly isInternal: boolean;
}

/** Stands for all that a file exports: `import * as …`, `import('…')`, `export * from …`. */
export const everything = '*';

const root = join(import.meta.dirname, '..');

/** Each source file of the folders, by its path below the root. */
export function readSources(folders: readonly string[]): Map<string, string> {
  const patterns = folders.map((folder) => `${folder}/**/*.{ts,mjs,cjs}`);
  const paths = globSync(patterns, { cwd: root });
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

export function readModule(text: string): Module {
  const source = ts.createSourceFile('', text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
  const nodes = [...source.statements.flatMap(withDescendants)];
  return {
    imports: nodes.flatMap((node) => {
      const specifier = specifierOf(node);
      return specifier !== undefined && ts.isStringLiteralLike(specifier)
        ? [{ from: specifier.text, names: importedNames(node) }]
        : [];
    }),
    exports: source.statements.flatMap((statement) =>
      exportedNames(statement).map((name) => ({
        name,
        line: source.getLineAndCharacterOfPosition(statement.getStart()).line + 1,
        isType: isType(statement),
        isInternal: ts.getJSDocTags(statement).some(({ tagName }) => tagName.text === 'internal'),
      })),
    ),
  };
}

function withDescendants(node: ts.Node): ts.Node[] {
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  return [node, ...children.flatMap(withDescendants)];
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node)) {
    return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
  }
  const isDynamic =
    ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return isDynamic ? node.arguments[0] : undefined;
}

function importedNames(node: ts.Node): string[] {
  if (ts.isExportDeclaration(node) && node.exportClause !== undefined) {
    return ts.isNamedExports(node.exportClause) ? sourceNames(node.exportClause) : [everything];
  }
  if (!ts.isImportDeclaration(node)) return [everything];
  const { name, namedBindings } = node.importClause ?? {};
  const isNamed = namedBindings !== undefined && ts.isNamedImports(namedBindings);
  return [
    ...(name === undefined ? [] : ['default']),
    ...(isNamed ? sourceNames(namedBindings) : namedBindings === undefined ? [] : [everything]),
  ];
}

/** The names as the file that exports them has them. */
function sourceNames({ elements }: ts.NamedImports | ts.NamedExports): string[] {
  return elements.map(({ propertyName, name }) => (propertyName ?? name).text);
}

function isType(statement: ts.Statement): boolean {
  return (
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    (ts.isExportDeclaration(statement) && statement.isTypeOnly)
  );
}

function exportedNames(statement: ts.Statement): string[] {
  if (ts.isExportAssignment(statement)) return ['default'];
  if (ts.isExportDeclaration(statement)) {
    const { exportClause } = statement;
    if (exportClause === undefined) return [];
    return ts.isNamedExports(exportClause)
      ? exportClause.elements.map(({ name }) => name.text)
      : [exportClause.name.text];
  }
  const isExported =
    ts.canHaveModifiers(statement) &&
    statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
  if (!isExported) return [];
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText());
  }
  const { name } = statement as ts.DeclarationStatement;
  return [name?.getText() ?? 'default'];
}
