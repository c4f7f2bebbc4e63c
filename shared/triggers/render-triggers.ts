/**
 * What is to be said of triggers: a plan's steps, a list, one trigger. Names, values and messages are other
 * people's and are shown as code.
 */
import { codeCell, codeSpan, details, sentence, table } from '../report/markdown.ts';
import type { BuildTrigger } from './build-trigger.ts';
import type { DeclaredTrigger } from './declaration.ts';
import type { FieldChange, TriggerStep } from './diff-triggers.ts';

/** `2 to create, 1 to change`: the title of a check, or the first words of an answer. */
export function planTitle(steps: readonly TriggerStep[]): string {
  const count = (kind: TriggerStep['do']): number =>
    steps.filter((step) => step.do === kind).length;
  const parts = [
    [count('create'), 'to create'],
    [count('update'), 'to change'],
    [count('delete'), 'to delete'],
    [count('blocked'), 'not possible'],
  ] as const;
  const said = parts.flatMap(([number, what]) => (number === 0 ? [] : [`${number} ${what}`]));
  return said.length === 0 ? 'Triggers are as declared' : said.join(', ');
}

/** `applied` tells what was done instead of what would be. */
export function renderPlan(
  steps: readonly TriggerStep[],
  { applied }: { readonly applied: boolean },
): string {
  const lines = bounded(steps.flatMap((step) => lineOf(step, applied)));
  const left = steps.filter((step) => step.do === 'leave');
  const shown = lines.length === 0 ? ['No trigger is declared.'] : lines;
  const names = left.map((step) => `- ${codeSpan(step.name)} (${regionOf(step)})`);
  const others =
    names.length === 0
      ? []
      : ['', details(`${names.length} not declared, left alone`, names.slice(0, 100).join('\n'))];
  return [...shown, ...others].join('\n');
}

/** With the rest of the report still within what GitHub takes. */
const maxPlanLength = 40_000;

function bounded(lines: readonly string[]): readonly string[] {
  let length = 0;
  const kept = lines.filter((line) => (length += line.length + 1) <= maxPlanLength);
  return kept.length === lines.length ? lines : [...kept, '', 'The rest is left out.'];
}

function lineOf(step: TriggerStep, applied: boolean): string[] {
  const name = `${codeSpan(step.name)} (${regionOf(step)})`;
  switch (step.do) {
    case 'create':
      return [`- ${applied ? '**Created**' : '**Create**'} ${name}`];
    case 'update': {
      const verb = applied ? '**Changed**' : '**Change**';
      const adopts = step.adopts
        ? ', which was made by hand and is kept by Trainyard from now on'
        : '';
      return [`- ${verb} ${name}${adopts}`, '', renderChanges(step.changes), ''];
    }
    case 'delete':
      return [`- ${applied ? '**Deleted**' : '**Delete**'} ${name}`];
    case 'unchanged':
      return [`- As declared: ${name}`];
    case 'blocked':
      return [`- **Not possible** ${name}: ${sentence(step.message)}`];
    case 'leave':
      return [];
  }
}

function regionOf(step: TriggerStep): string {
  return 'region' in step ? step.region : step.request.region;
}

const maxChanges = 40;

function renderChanges(changes: readonly FieldChange[]): string {
  const rows = changes
    .slice(0, maxChanges)
    .map(({ path, was, becomes, byHand }) => [
      codeCell(path),
      byHand ? `${valueCell(was)} (changed by hand)` : valueCell(was),
      valueCell(becomes),
    ]);
  return table(['field', 'is', 'becomes'], rows);
}

function valueCell(value: unknown): string {
  if (value === undefined) return 'not set';
  return codeCell(typeof value === 'string' ? value : JSON.stringify(value), 200);
}

/** What is said beside a plan; nothing when there is nothing. */
export function renderNotes(notes: readonly string[]): string {
  return notes
    .slice(0, 20)
    .map((note) => `\n⚠️ ${sentence(note, 1_000)}`)
    .join('\n');
}

/** Each declared trigger with what starts it and what it is now. */
export function renderTriggerList(
  declared: readonly DeclaredTrigger[],
  steps: readonly TriggerStep[],
): string {
  const rows = declared.map((trigger) => [
    codeCell(trigger.name),
    eventCell(trigger),
    trigger.template.kind === 'config'
      ? codeCell(trigger.template.path)
      : codeCell(trigger.template.dockerfile),
    stateOf(trigger, steps),
    runCell(trigger),
  ]);
  const left = steps.filter((step) => step.do === 'leave').map(({ name }) => codeSpan(name));
  const shown =
    rows.length === 0
      ? 'No trigger is declared under `triggers:` in `.github/trainyard.yml`.'
      : table(['trigger', 'starts on', 'builds', 'state', 'by hand'], rows);
  return left.length === 0 ? shown : `${shown}\n\nNot declared: ${left.slice(0, 50).join(', ')}`;
}

function eventCell({ event }: DeclaredTrigger): string {
  switch (event.kind) {
    case 'push':
      return `push to ${codeCell(event.branch)}`;
    case 'tag':
      return `tag ${codeCell(event.tag)}`;
    case 'pull_request':
      return `pull request to ${codeCell(event.branch)}`;
    case 'manual':
      return `people only, ${codeCell(event.ref.replace(/^refs\/(?:heads|tags)\//, ''))}`;
  }
}

function runCell({ name, run }: DeclaredTrigger): string {
  return run === undefined ? 'no' : codeCell(`/trigger run ${name}`);
}

function stateOf({ name, disabled }: DeclaredTrigger, steps: readonly TriggerStep[]): string {
  const step = steps.find((one) => one.do !== 'leave' && one.name === name);
  switch (step?.do) {
    case 'unchanged':
      return disabled ? 'disabled' : 'ready';
    case 'create':
      return 'not there yet';
    case 'update':
      return step.changes.some(({ byHand }) => byHand) ? 'changed by hand' : 'differs';
    case 'blocked':
      return 'not possible';
    default:
      return 'unknown';
  }
}

/** One trigger as Cloud Build has it. */
export function renderTrigger(trigger: BuildTrigger, region: string): string {
  const { id, name = '', ...rest } = trigger;
  const shown = Object.entries(rest).filter(
    ([key]) => !['resourceName', 'createTime'].includes(key),
  );
  const rows = [
    ['region', codeCell(region)],
    ['id', codeCell(id ?? '')],
    ...shown.slice(0, 30).map(([key, value]) => [codeCell(key, 60), valueCell(value)]),
  ];
  return `**Trigger** ${codeSpan(name)}\n\n${table(['field', 'value'], rows)}`;
}
