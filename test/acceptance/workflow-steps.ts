/**
 * Steps of workflows as they stand in examples and documents: their text in, what GitHub would hand to each step
 * out. Knows of expressions what these use: contexts, texts in quotes, and `||` between them.
 */
import { parse } from 'yaml';

export interface WorkflowStep {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Job {
  readonly event: string;
  readonly steps: readonly WorkflowStep[];
}

interface Workflow {
  readonly on?: string | Readonly<Record<string, unknown>>;
  readonly jobs: Readonly<Record<string, { readonly steps: readonly WorkflowStep[] }>>;
}

/** Names with dots → values; `undefined` where GitHub has an empty text. */
export type Contexts = Readonly<Record<string, string | undefined>>;

/** A whole workflow, or a list of steps, with one that uses the Action. */
export function jobsIn(text: string): Job[] {
  const parsed = parse(text) as Workflow | readonly WorkflowStep[];
  const steps = 'jobs' in parsed ? Object.values(parsed.jobs).map((job) => job.steps) : [parsed];
  const event = 'jobs' in parsed ? firstEvent(parsed) : 'push';
  return steps.map((each) => ({ event, steps: each })).filter(({ steps }) => steps.some(isOurs));
}

function firstEvent({ on = 'push' }: Workflow): string {
  return typeof on === 'string' ? on : (Object.keys(on)[0] ?? 'push');
}

/** False for a step that waits for an output to be something else; other conditions are taken as met. */
export function isWanted({ if: condition = '' }: WorkflowStep, contexts: Contexts): boolean {
  const [, name, text] = /^(steps\.\S+) == '([^']*)'$/.exec(condition) ?? [];
  return name === undefined || valueOf(name, contexts) === text;
}

/** The same of each YAML block of a document. */
export function jobsInDocument(markdown: string): Job[] {
  const blocks = [...markdown.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text = '']) => text);
  return blocks.filter((text) => text.includes('trainyard/trainyard@')).flatMap(jobsIn);
}

export function isOurs({ uses }: WorkflowStep): boolean {
  return uses?.startsWith('trainyard/trainyard@') === true;
}

export function evaluated(
  values: Readonly<Record<string, unknown>> | undefined,
  contexts: Contexts,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([name, value]) => [name, evaluate(String(value), contexts)]),
  );
}

function evaluate(text: string, contexts: Contexts): string {
  return text.replace(/\$\{\{(.*?)\}\}/g, (_, expression: string) => {
    const words = expression.split('||').map((word) => valueOf(word.trim(), contexts));
    return words.find((word) => word !== '') ?? '';
  });
}

function valueOf(word: string, contexts: Contexts): string {
  const literal = /^'([^']*)'$/.exec(word)?.[1];
  if (literal !== undefined) return literal;
  if (!Object.hasOwn(contexts, word)) throw new Error(`nobody knows ${word}`);
  return contexts[word] ?? '';
}
