/**
 * Builds dist/ from action/ and shared/: TypeScript in, one small CommonJS bundle out that runs on a bare
 * runner. The same sources give the same bytes wherever they are built. With `--check` it builds elsewhere
 * and compares, and exits 1 when the committed dist/ is not what the sources say.
 *
 *   tsc → stage with the Google packages pruned and patched → ncc → every chunk minified by swc, names kept
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { minifySync } from '@swc/core';
import { compileEagerly } from './compile-eagerly.mjs';
import { calledMethods, pruneProtos } from './prune-protos.mjs';

const require = createRequire(import.meta.url);
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Within the tree and always the same, because ncc numbers modules by their paths from the root. */
const stage = join(root, 'build', 'stage');
const maxBytes = 4 * 1024 * 1024;

/** @param {string} out directory that is emptied and filled with the bundle */
function buildDist(out) {
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  try {
    compile();
    stagePackages();
    bundle();
    const files = shrink(join(stage, 'bundle'));
    rmSync(out, { recursive: true, force: true });
    for (const [path, content] of files) {
      mkdirSync(dirname(join(out, path)), { recursive: true });
      writeFileSync(join(out, path), content);
    }
    return files;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** Only what the Action imports: the App's half of shared/ is none of the bundle's business. */
function compile() {
  const config = join(stage, 'tsconfig.json');
  const compilerOptions = {
    rootDir: root,
    outDir: join(stage, 'source'),
    typeRoots: [join(root, 'node_modules', '@types')],
    types: ['node'],
  };
  const content = {
    extends: join(root, 'tsconfig.build.json'),
    compilerOptions,
    include: [],
    files: [join(root, 'action', 'index.ts')],
  };
  writeFileSync(config, JSON.stringify(content));
  run(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', config]);
}

/** Copies of the packages whose protos are pruned, where the compiled sources find them before the originals. */
function stagePackages() {
  for (const [name, called] of Object.entries(calledMethods)) {
    const from = join(root, 'node_modules', name);
    const to = join(stage, 'source', 'node_modules', name);
    cpSync(from, to, {
      recursive: true,
      // What the bundle cannot reach: other versions, types, maps and the protos as .proto and .js.
      filter: (path) =>
        !/\.(?:map|d\.ts|proto)$|\bv1beta1?(?:\/|$)|\/protos\.js$/.test(relative(from, path)),
    });
    const protos = join('build', 'protos', 'protos.json');
    const all = JSON.parse(readFileSync(join(from, protos), 'utf8'));
    const pruned = pruneProtos(all, called);
    writeFileSync(join(to, protos), JSON.stringify(pruned));
    dropPathTemplates(join(to, 'build', 'src'));
  }
  stageGax();
  stageAuth();
  stageFetch();
  stageCore();
}

/** The templates of all resource names of an API, which each client parses and we never ask for. */
function dropPathTemplates(directory) {
  const templates = /(?<=\n {8}this\.pathTemplates = \{)\n[^]*?\n {8}(?=\};\n)/;
  for (const path of filesIn(directory).filter((name) => name.endsWith('_client.js'))) {
    const file = join(directory, path);
    const code = readFileSync(file, 'utf8');
    if (!templates.test(code)) throw new Error(`${file} no longer has path templates`);
    writeFileSync(file, code.replace(templates, ''));
  }
}

/** What the clients ask of google-gax besides what its entry without gRPC has. */
const gaxEntry = `module.exports = {
  ...require('./fallback'),
  loggingUtils: require('google-logging-utils'),
  decodeAnyProtosInArray: require('./util').decodeAnyProtosInArray,
};
`;

/** What each client makes besides itself, and of which we call nothing. */
const mixins = { iamService: 'IamClient', locationService: 'LocationsClient' };

/**
 * google-gax as its own entry for browsers, which speaks REST alone: the other one brings gRPC. Without the
 * compiled messages that it only hands on, 2 MB that every start would read.
 * @see https://github.com/googleapis/gax-nodejs/blob/main/gax/package.json (browser)
 */
function stageGax() {
  const to = stageCopy('google-gax', (path) => !/\.(?:map|d\.ts|proto)$/.test(path));
  writeFileSync(join(to, 'build', 'src', 'index.js'), gaxEntry);
  const protos = join(to, 'build', 'protos');
  for (const name of ['iam_service', 'locations', 'operations'])
    writeFileSync(join(protos, `${name}.js`), 'module.exports = {};\n');
  for (const [file, name] of Object.entries(mixins)) {
    const path = join(to, 'build', 'src', `${file}.js`);
    if (!existsSync(path)) throw new Error(`google-gax no longer has ${path}`);
    writeFileSync(path, `exports.${name} = class ${name} {};\n`);
  }
  useHeadersOfNodeFetch(join(to, 'build', 'src'));
}

/**
 * One gaxios for google-auth-library and gcp-metadata, and its reader of large numbers loaded when there is
 * an answer to read. What else uses these or node-fetch is staged too, to share them.
 */
function stageAuth() {
  const isCode = (path) => !/\.(?:map|d\.c?ts)$/.test(path);
  const auth = stageCopy('google-auth-library', isCode);
  const nested = join('google-auth-library', 'node_modules', 'gcp-metadata');
  const isOwn = (path) => isCode(path) && !path.startsWith('node_modules');
  const metadata = join(stageCopy('gcp-metadata', isOwn, nested), 'build', 'src');
  patch(join(metadata, 'index.js'), {
    from: 'const jsonBigint = require("json-bigint");',
    to: 'const jsonBigint = { parse: (text) => require("json-bigint").parse(text) };',
  });
  useHeadersOfNodeFetch(metadata);
  useHeadersOfNodeFetch(join(auth, 'build', 'src'));
  useHeadersOfNodeFetch(join(auth, 'node_modules', 'gaxios', 'build', 'cjs', 'src'));
  for (const name of ['gaxios', 'teeny-request', '@google-cloud/storage']) stageCopy(name, isCode);
}

/** node-fetch without the polyfill of what Node has had since 18: 90 KB that every start would read. */
function stageFetch() {
  for (const name of ['node-fetch', 'formdata-polyfill']) stageCopy(name, () => true);
  patch(
    join(
      stageCopy('fetch-blob', () => true),
      'streams.cjs',
    ),
    {
      from: "Object.assign(globalThis, require('web-streams-polyfill/dist/ponyfill.es2018.js'))",
      to: 'throw error',
    },
  );
}

/**
 * What these packages send goes through node-fetch, which makes Headers of its own from those that it is given.
 * Made as such at once, Node need not load its other fetch and with it HTTP/2: a tenth of a start.
 */
function useHeadersOfNodeFetch(directory) {
  const files = filesIn(directory)
    .filter((path) => path.endsWith('.js'))
    .map((path) => join(directory, path))
    .filter((file) => /\b(?:new|instanceof) Headers\b/.test(readFileSync(file, 'utf8')));
  if (files.length === 0) throw new Error(`${directory} no longer makes Headers`);
  const from = '"use strict";\n';
  const to = `${from}const { Headers, FormData } = require('node-fetch');\n`;
  for (const file of files) patch(file, { from, to });
}

const oidcImport = "import { OidcClient } from './oidc-utils.js';";
const lazyOidc = `const OidcClient = {
  getIDToken: async (audience) => (await import('./oidc-utils.js')).OidcClient.getIDToken(audience),
};`;

/** @actions/core with its OIDC client, and the HTTP stack below it, loaded when a token is asked for. */
function stageCore() {
  const core = stageCopy('@actions/core', () => true);
  patch(join(core, 'lib', 'core.js'), { from: oidcImport, to: lazyOidc });
}

function patch(file, { from, to }) {
  const code = readFileSync(file, 'utf8');
  if (!code.includes(from)) throw new Error(`${file} no longer has: ${from}`);
  writeFileSync(
    file,
    code.replace(from, () => to),
  );
}

/**
 * @param {(path: string) => boolean} isWanted
 * @param {string} place where in the stage's node_modules, if not in the same as in ours
 */
function stageCopy(name, isWanted, place = name) {
  const from = join(root, 'node_modules', name);
  const to = join(stage, 'source', 'node_modules', place);
  cpSync(from, to, { recursive: true, filter: (path) => isWanted(relative(from, path)) });
  return to;
}

function bundle() {
  const ncc = join(dirname(require.resolve('@vercel/ncc/package.json')), 'dist', 'ncc', 'cli.js');
  const entry = join(stage, 'source', 'action', 'index.js');
  run(process.execPath, [
    ncc,
    'build',
    entry,
    '--no-cache',
    '--license',
    'licenses.txt',
    '--target',
    'es2024',
    '--out',
    join(stage, 'bundle'),
  ]);
}

/** Minifies what ncc leaves, drops what only gRPC's server reflection would read, checks the size. */
function shrink(directory) {
  const files = new Map();
  for (const path of filesIn(directory)) {
    const content = readFileSync(join(directory, path));
    // gRPC's .proto files are read by its reflection and channelz services, which no client starts.
    if (/^(?:protos?|xds|protoc-gen-validate)\//.test(path) || path.endsWith('.map')) continue;
    files.set(path, /\.c?js$/.test(path) ? Buffer.from(minify(content.toString('utf8'))) : content);
  }
  const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  if (bytes > maxBytes) throw new Error(`dist/ has ${bytes} bytes, more than ${maxBytes}`);
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * One character beyond Latin-1 would make V8 keep and scan a whole chunk as two bytes each, on every start.
 * Names stay: proto3-json-serializer looks for a constructor that is called `Long`.
 * @see https://github.com/googleapis/proto3-json-serializer-nodejs/blob/main/typescript/src/toproto3json.ts
 */
function minify(code) {
  const { code: small } = minifySync(code, {
    compress: { passes: 1, keep_classnames: true, keep_fnames: true },
    mangle: { keep_classnames: true, keep_fnames: true },
    format: { comments: false, ascii_only: true },
    ecma: 2022,
    module: false,
  });
  return compileEagerly(small);
}

function filesIn(directory) {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(directory, path)).isFile())
    .sort();
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${relative(root, args[0])} failed:\n${stdout}${stderr}`);
}

/** @returns {string[]} the files of dist/ that differ from a fresh build, or are missing or too many */
function driftOf(built, dist) {
  const committed = existsSync(dist) ? filesIn(dist) : [];
  const paths = [...new Set([...built.keys(), ...committed])].sort();
  return paths.filter((path) => {
    const file = join(dist, path);
    return !built.has(path) || !existsSync(file) || !built.get(path).equals(readFileSync(file));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const dist = join(root, 'dist');
  const check = process.argv.includes('--check');
  const scratch = check ? mkdtempSync(join(tmpdir(), 'trainyard-check-')) : undefined;
  const files = buildDist(scratch ?? dist);
  const drift = driftOf(files, dist);
  if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  if (drift.length > 0) {
    process.stderr.write(
      `dist/ is not what the sources say; run \`npm run build\`: ${drift.join(', ')}\n`,
    );
    process.exitCode = 1;
  } else {
    process.stdout.write(`dist/: ${files.size} files, ${(bytes / 1e6).toFixed(2)} MB\n`);
  }
}
