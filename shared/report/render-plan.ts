/** What a dry run shows: a Plan in, Markdown out. */
import type { Plan } from '../plan/plan.ts';
import { formatDuration, formatUsd, shortSha } from '../units.ts';
import { codeSpan } from './escape.ts';

/** A dry run: what would happen and what it would cost. */
export function renderPlan(plan: Plan, context: { readonly sandbox: boolean }): string {
  const { job, build, estimate, subject } = plan;
  const gpu =
    job.machine.gpu === undefined ? '' : `${job.machine.gpuCount ?? 1} × ${job.machine.gpu} on `;
  const rows: [string, string][] = [
    ['commit', codeSpan(subject.headSha)],
    [
      'image',
      build === undefined
        ? 'the one that is named'
        : `${codeSpan(build.imageName, 200)}, built from ${codeSpan(build.dockerfile)}`,
    ],
    ['machine', `${gpu}${codeSpan(job.machine.machineType)} in ${codeSpan(job.region)}`],
    ['at most', `${formatDuration(job.timeoutSeconds)}, est. ${formatUsd(estimate.ceilingUsd)}`],
    ['price', `est. ${formatUsd(estimate.usdPerHour)}/h, prices of ${estimate.pricesAsOf}`],
    ['results', job.outputUriPrefix === undefined ? 'none' : codeSpan(job.outputUriPrefix, 200)],
  ];
  const notes = plan.notes.map((note) => `\n- ${note}`).join('');
  const spec = JSON.stringify(job.spec, null, 2).replaceAll('`', "'");
  return [
    `**Would train** \`${shortSha(subject.headSha)}\` on ${gpu}${job.machine.machineType} for est. ${formatUsd(estimate.usdPerHour)}/h. Nothing was started.`,
    `| | |\n|---|---|\n${rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n')}${notes === '' ? '' : `\n${notes}`}`,
    `<details><summary>The CustomJobSpec</summary>\n\n\`\`\`json\n${spec}\n\`\`\`\n\n</details>`,
    ...(context.sandbox
      ? ['<sub>sandbox: the machine is simulated, its price is the real one</sub>']
      : []),
  ].join('\n\n');
}
