/** What a dry run shows: a Plan in, Markdown out. Nothing was started, and nothing else is asked. */
import { formatDuration, formatUsd, shortSha } from '../units.ts';
import { buildCeilingUsd } from '../plan/build-price.ts';
import { isImageOnly } from '../plan/plan-image.ts';
import { imagePlaceholder, type Plan } from '../plan/plan.ts';
import { withBuiltImage } from '../plan/built-image.ts';
import type { ContainerSpec } from '../config/job-spec.ts';
import { fit } from './fit.ts';
import { codeSpan, details, fence } from './markdown.ts';
import { renderNotes } from './sections.ts';
import { isPriced, machineText, sandboxNote } from './words.ts';

interface RenderPlanOptions {
  readonly sandbox: boolean;
  /** Whether it may be done, and what is left then; Markdown. */
  readonly verdict?: string;
}

export function renderPlan(plan: Plan, options: RenderPlanOptions): string {
  const { job } = plan;
  const sha = codeSpan(shortSha(plan.subject.headSha));
  const hasJob = job.machine.replicas > 0;
  const on = hasJob ? ` on ${machineText(job.machine, job.region)}` : '';
  const what = hasJob ? sha : `the image of ${sha}`;
  return fit([
    { text: `**Dry run** of ${what}${on} · ${costText(plan)}. Nothing was started.` },
    { text: renderSteps(plan, hasJob) },
    { text: options.verdict },
    { text: renderNotes(plan.notes) },
    { text: hasJob ? renderSpec(plan) : undefined, leaveOut: 1 },
    { text: options.sandbox ? sandboxNote(job.machine) : undefined },
  ]);
}

/** The most that a run can cost, which is what it holds of the budget, and what that is made of. */
function costText(plan: Plan): string {
  const { usdPerHour, ceilingUsd } = plan.estimate;
  if (!isPriced(plan)) return 'its price is not known';
  const most = `at most est. ${formatUsd(ceilingUsd)}`;
  if (isImageOnly(plan)) return most;
  const hourly = `est. ${formatUsd(usdPerHour)}/h`;
  const buildUsd = buildCeilingUsd(plan);
  return buildUsd === 0
    ? `${most} (${hourly})`
    : `${most}: job ${formatUsd(ceilingUsd - buildUsd)} (${hourly}), build ${formatUsd(buildUsd)}`;
}

function renderSteps({ build, job, estimate }: Plan, hasJob: boolean): string {
  const steps: string[] = [];
  if (build !== undefined) {
    const what =
      build.kind === 'cloudbuild'
        ? `by ${codeSpan(build.file)}`
        : `${codeSpan(build.imageName)} from ${codeSpan(build.dockerfile)}`;
    const isHere = build.kind === 'dockerfile' && build.by === 'docker';
    const where = isHere ? "this runner's docker" : `Cloud Build, ${codeSpan(build.region)}`;
    const built = 'an image that was built of the same files before';
    steps.push(
      build.mode === 'never'
        ? `use ${built}; without one the run ends`
        : `build ${what} (${where})${build.mode === 'always' ? '' : `, or use ${built}`}`,
    );
  }
  if (hasJob) {
    const container = job.spec.workerPoolSpecs[0]?.containerSpec;
    const image = container?.imageUri;
    const what = image === undefined || image === imagePlaceholder ? 'it' : codeSpan(image);
    const args = container?.args ?? [];
    const withArgs = args.length === 0 ? '' : ` with ${codeSpan(args.join(' '))}`;
    steps.push(
      `run ${what}${withArgs} for at most ${formatDuration(job.timeoutSeconds)} (Vertex AI, list prices of ${codeSpan(estimate.pricesAsOf, 30)})`,
    );
    if (job.outputUriPrefix !== undefined)
      steps.push(`write results to ${codeSpan(job.outputUriPrefix)}`);
  }
  return steps.map((step, i) => `${i + 1}. ${step}`).join('\n');
}

/** The job as Vertex AI would get it, but for the values of its environment: those may be secrets. */
function renderSpec({ job, build }: Plan): string {
  const name = build?.kind === 'dockerfile' ? build.imageName : 'the image of step 1';
  const spec = withBuiltImage(job.spec, `${name}@sha256:…`);
  const shown = {
    ...spec,
    workerPoolSpecs: spec.workerPoolSpecs.map((pool) =>
      pool.containerSpec === undefined
        ? pool
        : { ...pool, containerSpec: withoutValues(pool.containerSpec) },
    ),
  };
  const lines = JSON.stringify(shown, null, 2).split('\n').map(escapeUnprintable);
  return details(
    'The job as Vertex AI would get it',
    fence(lines, { language: 'json', gutter: '' }),
  );
}

/**
 * JSON leaves some line ends and invisible characters as they are. Escaped they are the same JSON, and none of
 * them can begin a line of the comment.
 */
function escapeUnprintable(json: string): string {
  return json.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

function withoutValues(container: ContainerSpec): ContainerSpec {
  if (container.env === undefined) return container;
  return { ...container, env: container.env.map(({ name }) => ({ name, value: '…' })) };
}
