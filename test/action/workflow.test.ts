/** The workflows that people copy must be right: each uses inputs and outputs that there are, and little else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { inputDefinitions } from '../../action/inputs.ts';
import { outputDefinitions } from '../../action/outputs.ts';

const root = join(import.meta.dirname, '../..');

interface Step {
  readonly id?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Every step of the YAML blocks of a document: of whole workflows and of bare lists. */
function stepsIn(document: string): Step[] {
  const blocks = [...document.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(
    ([, text = '']) => parse(text) as Partial<Workflow> | readonly Step[],
  );
  return blocks.flatMap((block): readonly Step[] =>
    'jobs' in block
      ? Object.values(block.jobs ?? {}).flatMap(({ steps }) => steps)
      : Array.isArray(block)
        ? (block as readonly Step[])
        : [],
  );
}

const minimal = { contents: 'read', 'id-token': 'write' };
const examples: [string, Readonly<Record<string, string>>][] = [
  ['examples/digits/.github/workflows/train.yml', minimal],
  [
    'examples/digits/.github/workflows/train-pull-request.yml',
    { ...minimal, 'pull-requests': 'write' },
  ],
];

function workflowIn(path: string): Workflow & { readonly steps: readonly Step[] } {
  const workflow = parse(read(path)) as Workflow;
  return { ...workflow, steps: Object.values(workflow.jobs).flatMap(({ steps }) => steps) };
}

const places: [string, string, readonly Step[]][] = [
  ...examples.map(([path]): [string, string, readonly Step[]] => [
    path,
    read(path),
    workflowIn(path).steps,
  ]),
  ...['README.md', 'docs/action.md'].map((path): [string, string, readonly Step[]] => [
    path,
    read(path),
    stepsIn(read(path)),
  ]),
];

describe.each(places)('%s', (_path, text, steps) => {
  const ours = steps.filter(({ uses }) => uses?.startsWith('trainyard/trainyard@'));

  it('gives the Action inputs that it has', () => {
    expect(ours).not.toEqual([]);
    const given = ours.flatMap((step) => Object.keys(step.with ?? {}));
    expect(given.filter((name) => !(name in inputDefinitions))).toEqual([]);
  });

  it('reads outputs that it sets, and never in the text of a script', () => {
    const read = [...text.matchAll(/steps\.train\.outputs\.(\w+)/g)].map(([, name = '']) => name);
    expect(read.filter((name) => !(name in outputDefinitions))).toEqual([]);
    expect(steps.filter(({ run }) => run?.includes('${{'))).toEqual([]);
  });
});

describe.each(examples)('%s', (path, permissions) => {
  const workflow = workflowIn(path);

  it('may do no more than it needs', () => {
    expect(workflow.permissions).toEqual(permissions);
    const checkout = workflow.steps.find(({ uses }) => uses?.startsWith('actions/checkout@'));
    expect(checkout?.with).toEqual({ 'persist-credentials': false });
  });

  it("pins other people's actions by commit", () => {
    const others = workflow.steps.flatMap(({ uses }) => uses ?? []);
    const unpinned = others.filter((uses) => !/@[0-9a-f]{40}$/.test(uses));
    expect(unpinned).toEqual(['trainyard/trainyard@v1']);
  });
});
