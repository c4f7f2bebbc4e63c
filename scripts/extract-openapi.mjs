/**
 * Makes sandbox/github/openapi/github.json: of GitHub's OpenAPI description, the request side of the
 * operations that the sandbox serves (sandbox/github/api/operations.ts), with the components they name.
 *
 *   node scripts/extract-openapi.mjs            writes the extract
 *   node scripts/extract-openapi.mjs --check    fails when the committed extract is not what would be written
 *
 * Both read the pinned package where it is installed, and else download it: unpacked it is 385 MB for its ten
 * editions of the description, of which one file is read.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { operations } from '../sandbox/github/api/operations.ts';

const version = '23.0.2';
const source = `@octokit/openapi@${version}`;
const file = 'generated/api.github.com.json';
const installed = fileURLToPath(new URL('../node_modules/@octokit/openapi/', import.meta.url));
const target = fileURLToPath(new URL('../sandbox/github/openapi/github.json', import.meta.url));
const methods = ['get', 'post', 'put', 'patch', 'delete'];
/** What documents a schema without constraining it. */
const prose = new Set([
  'description',
  'summary',
  'title',
  'example',
  'examples',
  'deprecated',
  'externalDocs',
]);

const extract = `${JSON.stringify(extractRequests(readInstalled() ?? download()))}\n`;
if (!process.argv.includes('--check')) {
  writeFileSync(target, extract);
} else if (readFileSync(target, 'utf8') !== extract) {
  process.stderr.write(`${target} is stale: run node scripts/extract-openapi.mjs\n`);
  process.exitCode = 1;
}

function readInstalled() {
  if (!existsSync(join(installed, file))) return undefined;
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  if (manifest.version !== version) {
    throw new Error(`@octokit/openapi ${manifest.version} is installed, and ${version} is wanted`);
  }
  return JSON.parse(readFileSync(join(installed, file), 'utf8'));
}

function download() {
  const directory = mkdtempSync(join(tmpdir(), 'trainyard-openapi-'));
  try {
    const options = { cwd: directory, encoding: 'utf8', maxBuffer: 64 * 1024 ** 2 };
    const [{ filename }] = JSON.parse(execFileSync('npm', ['pack', source, '--json'], options));
    return JSON.parse(execFileSync('tar', ['-xzOf', filename, `package/${file}`], options));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function extractRequests(description) {
  const components = {};
  const served = {};
  for (const [path, item] of Object.entries(description.paths)) {
    for (const method of methods) {
      const operation = item[method];
      if (operation === undefined || !(operation.operationId in operations)) continue;
      served[operation.operationId] = {
        method: method.toUpperCase(),
        path,
        docs: operation.externalDocs?.url,
        parameters: (operation.parameters ?? []).map((parameter) =>
          requestSide(resolve(description, parameter), description, components),
        ),
        ...bodyOf(operation, description, components),
      };
    }
  }
  const missing = Object.keys(operations).filter((id) => !(id in served));
  if (missing.length > 0) throw new Error(`GitHub's description lacks ${missing.join(', ')}`);
  return {
    source,
    version: description.info.version,
    operations: sorted(served),
    schemas: sorted(components),
  };
}

function bodyOf(operation, description, components) {
  const schema = operation.requestBody?.content['application/json']?.schema;
  if (schema === undefined) return {};
  return {
    body: requestSide(schema, description, components),
    bodyRequired: operation.requestBody.required === true,
  };
}

function resolve(description, value) {
  if (value.$ref === undefined) return value;
  const keys = value.$ref.replace('#/', '').split('/');
  return keys.reduce((at, key) => at[key], description);
}

/** A copy without prose, whose references point into the extract; what they name is copied there too. */
function requestSide(value, description, components, isMap = false) {
  if (Array.isArray(value)) return value.map((item) => requestSide(item, description, components));
  if (value === null || typeof value !== 'object') return value;
  if (typeof value.$ref === 'string') {
    const name = value.$ref.replace('#/components/schemas/', '');
    if (!(name in components)) {
      components[name] = {};
      components[name] = requestSide(resolve(description, value), description, components);
    }
    return { $ref: `#/schemas/${name}` };
  }
  const kept = Object.entries(value).filter(
    ([key]) => isMap || !(prose.has(key) || (key.startsWith('x-') && key !== 'x-multi-segment')),
  );
  return Object.fromEntries(
    kept.map(([key, inner]) => [
      key,
      requestSide(inner, description, components, key === 'properties'),
    ]),
  );
}

function sorted(record) {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
