/** What a run's program was told: a Run in, its parameters by name out, and the table that shows them. Pure. */
import { jobPlanOf, type Baseline, type Run } from '../watch/run.ts';
import { baselineName } from './comparison.ts';
import { codeCell, details, nameText, table } from './markdown.ts';

type Parameters = NonNullable<Baseline['parameters']>;

/** Both bound what of the base's is kept in a run. */
const maxParameters = 50;
const maxLength = 200;
/** Of an option that has no value. */
const isSet = 'set';

/** The program's options by their names, what is no option as `arguments`, and the machine; hostile texts. */
export function parametersOf(run: Run): Parameters {
  const { spec, machine } = jobPlanOf(run);
  const { containerSpec, pythonPackageSpec } = spec.workerPoolSpecs[0] ?? {};
  const { machineType, gpu, gpuCount = 1, replicas } = machine;
  const found = new Map<string, string>();
  if (containerSpec?.command !== undefined) found.set('command', containerSpec.command.join(' '));
  for (const [name, value] of optionsOf(
    containerSpec?.args ?? textsOf(pythonPackageSpec?.['args']),
  ))
    found.set(name, [found.get(name), value].filter((text) => text !== undefined).join(' '));
  if (replicas > 0)
    found.set('machine', gpu === undefined ? machineType : `${machineType}, ${gpuCount} × ${gpu}`);
  if (replicas > 1) found.set('replicas', String(replicas));
  const bounded = [...found]
    .slice(0, maxParameters)
    .map(([name, value]) => [cut(name), cut(value)]);
  return Object.fromEntries(bounded) as Parameters;
}

/** `--lr 0.1 --seed=3 --fast x`: 0.1, 3 and x, since only the program knows which of its options take no value. */
function optionsOf(args: readonly string[]): readonly (readonly [name: string, value: string])[] {
  const options: (readonly [string, string])[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? '';
    const [, name, value] = /^(-{1,2}[A-Za-z_][^=\s]*)(?:=([^]*))?$/.exec(word) ?? [];
    const next = args[at + 1];
    if (name === undefined) options.push(['arguments', word]);
    else if (value !== undefined) options.push([name, value]);
    else if (next === undefined || /^-{1,2}[A-Za-z_]/.test(next)) options.push([name, isSet]);
    else {
      options.push([name, next]);
      at += 1;
    }
  }
  return options;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
}

function cut(text: string): string {
  return text.slice(0, maxLength).toWellFormed();
}

/** Folded: the base's beside the run's, those that differ first; undefined where there are none. */
export function renderParameters(run: Run): string | undefined {
  const ours = parametersOf(run);
  const { baseline } = run;
  if (baseline?.parameters === undefined) {
    const rows = Object.entries(ours).map(([name, value]) => [nameText(name), codeCell(value)]);
    return rows.length === 0
      ? undefined
      : details('Parameters', table(['parameter', 'this'], rows));
  }
  return renderBoth(ours, { ...baseline, parameters: baseline.parameters });
}

function renderBoth(
  ours: Parameters,
  baseline: Baseline & { readonly parameters: Parameters },
): string | undefined {
  const theirs = baseline.parameters;
  const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
  if (names.length === 0) return undefined;
  const differs = (name: string): boolean => valueOf(ours, name) !== valueOf(theirs, name);
  const rows = names
    .sort((a, b) => Number(differs(b)) - Number(differs(a)))
    .map((name) => {
      const [before, after] = [valueOf(theirs, name), valueOf(ours, name)].map((value) =>
        codeCell(value ?? ''),
      );
      const isBold = differs(name) && after !== '';
      return [nameText(name), before ?? '', isBold ? `**${after}**` : (after ?? '')];
    });
  const count = names.filter(differs).length;
  const summary = count === 0 ? 'none differs' : count === 1 ? '1 differs' : `${count} differ`;
  const head = ['parameter', nameText(baselineName(baseline)), 'this'];
  return details(`Parameters: ${summary} from the base's`, table(head, rows));
}

function valueOf(parameters: Parameters, name: string): string | undefined {
  return Object.hasOwn(parameters, name) ? parameters[name] : undefined;
}
