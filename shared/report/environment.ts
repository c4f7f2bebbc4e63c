/** What a run's program ran in, and how to have the same again: a Run in, folded Markdown out. Pure. */
import { isImageOnly } from '../plan/plan-image.ts';
import { imagePlaceholder } from '../plan/plan.ts';
import { formatDuration, formatUsd, shortSha } from '../units.ts';
import { isOver, jobPlanOf, type Run } from '../watch/run.ts';
import { codeCell, codeSpan, details, fence, table } from './markdown.ts';
import { isPriced, type CardContext } from './words.ts';

const maxVariables = 20;

export function renderEnvironment(run: Run): string {
  const { plan } = run;
  const { machine, region, timeoutSeconds, outputUriPrefix, spec } = jobPlanOf(run);
  const hardware = machine.gpu === undefined ? '' : ` + ${machine.gpuCount ?? 1} × ${machine.gpu}`;
  const strategy = spec.scheduling?.['strategy'];
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['commit', plan.subject.headSha],
    ['asked by', plan.subject.requestedBy.login],
    ['image', imageOf(run)],
    ['machine', machine.replicas === 0 ? undefined : `${machine.machineType}${hardware}`],
    ['replicas', machine.replicas > 1 ? String(machine.replicas) : undefined],
    ['capacity', strategy === 'SPOT' || strategy === 'LOW_COST' ? 'spot' : undefined],
    ['region', isImageOnly(plan) ? undefined : region],
    ['timeout', isImageOnly(plan) ? undefined : formatDuration(timeoutSeconds)],
    ['price', priceOf(run)],
    // Values may be secrets.
    ['variables', variablesOf(run).slice(0, maxVariables).join(' ')],
    // Where somebody else could write meanwhile is not said.
    ['results', run.end === undefined ? undefined : outputUriPrefix],
  ];
  const known = rows.flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, codeCell(value, 400)]],
  );
  return details('Environment', table(['', ''], known));
}

/** What the estimates are made of. */
function priceOf({ plan }: Run): string | undefined {
  const { usdPerHour, pricesAsOf } = plan.estimate;
  if (!isPriced(plan)) return undefined;
  const hourly = usdPerHour === 0 ? '' : `est. ${formatUsd(usdPerHour)}/h, `;
  return `${hourly}list prices of ${pricesAsOf}`;
}

/** Undefined while it is not known. */
function imageOf(run: Run): string | undefined {
  const image = run.image ?? jobPlanOf(run).spec.workerPoolSpecs[0]?.containerSpec?.imageUri;
  return image === imagePlaceholder ? undefined : image;
}

/** Names of what the program finds in its environment. */
function variablesOf(run: Run): readonly string[] {
  const { env = [] } = jobPlanOf(run).spec.workerPoolSpecs[0]?.containerSpec ?? {};
  return [...env.map(({ name }) => name), ...Object.keys(run.plan.secrets?.versions ?? {})];
}

/** Folded: the command that does it again, and what does the same on any machine; undefined where neither is known. */
export function renderReproduction(run: Run, context: CardContext): string | undefined {
  const { plan } = run;
  if (!isOver(run) || isImageOnly(plan)) return undefined;
  const again =
    context.takesCommands === true && plan.command !== undefined
      ? `${codeSpan(`/retry ${plan.runId}`)} trains ${codeSpan(shortSha(plan.subject.headSha))} again as it was asked for.`
      : undefined;
  const docker = dockerCommand(run);
  const fill = variablesOf(run).length === 0 ? '' : `, your values in place of ${codeSpan('…')}`;
  const elsewhere =
    docker &&
    `Where docker may pull the image, its results in ${codeSpan('results/')}${fill}:\n\n${docker}`;
  const parts = [again, elsewhere].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : details('How to reproduce', parts.join('\n\n'));
}

const imageReference = /^[A-Za-z\d][\w.:/-]{0,250}@sha256:[\da-f]{64}$/;

/**
 * A fence with `docker run`: the image by its digest, the same program and arguments, each variable with a gap for
 * its value: by its name alone docker would hand over the reader's own, and the names are the pull request's.
 * Undefined where it would not be the same: several machines, no container, words that may not be shown as they are.
 * @see https://docs.docker.com/reference/cli/docker/container/run/#env
 */
function dockerCommand(run: Run): string | undefined {
  const { spec, machine } = jobPlanOf(run);
  const image = imageOf(run);
  const container = spec.workerPoolSpecs[0]?.containerSpec;
  if (image === undefined || container === undefined || machine.replicas !== 1) return undefined;
  if ([...(container.command ?? []), ...(container.args ?? [])].some(isExpanded)) return undefined;
  const variables = variablesOf(run);
  const areNames = variables.every((name) => /^[A-Za-z_]\w{0,99}$/.test(name));
  if (!imageReference.test(image) || !areNames || variables.length > maxVariables) return undefined;
  const [entrypoint, ...words] = container.command ?? [];
  const lines = [
    `docker run --rm${machine.gpu === undefined ? '' : ' --gpus all'}`,
    '-v "$PWD/results:/results" -e AIP_MODEL_DIR=/results',
    variables.map((name) => `-e ${name}=…`).join(' '),
    entrypoint === undefined ? '' : `--entrypoint ${quote(unescaped(entrypoint))}`,
    image,
    [...words, ...(container.args ?? [])].map((word) => quote(unescaped(word))).join(' '),
  ];
  const command = lines
    .filter((line) => line !== '')
    .map((line, at) => (at === 0 ? line : `  ${line}`));
  const text = command.join(' \\\n');
  const shown = fence(text.split('\n'), { language: 'sh', gutter: '' });
  // Whoever copies it gets what ran, or nothing.
  const isWhole = !/[^\P{C}\n]/u.test(text) && shown.includes(`\n${text}\n`);
  return isWhole && text.split('\n').length === command.length ? shown : undefined;
}

/**
 * Vertex AI puts a variable in for `$(NAME)`, and takes `$$` before a bracket for one `$`; docker does neither.
 * @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/EnvVar
 */
function isExpanded(word: string): boolean {
  return [...word.matchAll(/\$+(?=\()/g)].some(([dollars]) => dollars.length % 2 === 1);
}

function unescaped(word: string): string {
  return word.replaceAll(/\$+(?=\()/g, (dollars) => '$'.repeat(dollars.length / 2));
}

/** A word for a POSIX shell. */
function quote(word: string): string {
  return /^[\w.,:=+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
