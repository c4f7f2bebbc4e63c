/** The dashboard: the newest runs as one HTML page. No script, no form; everything that people wrote is escaped. */
import { isImageOnly } from '../../shared/plan/plan-image.ts';
import { formatDuration, formatUsd, secondsBetween, shortSha } from '../../shared/units.ts';
import { estimatedUsd, isPriced } from '../../shared/report/words.ts';
import { phaseOf, type Run } from '../../shared/watch/run.ts';

interface DashboardContext {
  readonly now: Date;
  readonly sandbox: boolean;
  /** GitHub's web address, without a slash at its end. */
  readonly githubUrl: string;
}

export function renderDashboard(runs: readonly Run[], context: DashboardContext): string {
  const rows = runs.map((run) => renderRow(run, context)).join('\n');
  const note = context.sandbox ? '<p>Sandbox: nothing here costs money.</p>' : '';
  const table =
    runs.length === 0
      ? '<p>No runs yet. Comment <code>/train</code> on a pull request.</p>'
      : `<table><thead><tr><th>Run</th><th>Pull request</th><th>Commit</th><th>By</th><th>Machine</th><th>State</th><th>Age</th><th>Cost</th></tr></thead><tbody>\n${rows}\n</tbody></table>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="10">
<title>Trainyard</title>
<style>${style}</style>
</head>
<body>
<h1>Trainyard</h1>
${note}
${table}
</body>
</html>
`;
}

function renderRow(run: Run, { now, githubUrl }: DashboardContext): string {
  const { runId, subject, job } = run.plan;
  const repositoryUrl = `${githubUrl}/${subject.repository.fullName}`;
  const pull =
    subject.pullNumber === undefined
      ? escape(subject.repository.fullName)
      : link(
          `${repositoryUrl}/pull/${subject.pullNumber}`,
          `${subject.repository.fullName}#${subject.pullNumber}`,
        );
  const { machineType, gpu, gpuCount } = job.machine;
  const machine = gpu === undefined ? machineType : `${machineType}, ${gpuCount ?? 1} × ${gpu}`;
  const phase = phaseOf(run);
  const reason = run.end?.reason;
  const why = reason === undefined || reason === phase ? '' : ` (${escape(reason)})`;
  const cells = [
    `<code>${escape(runId)}</code>`,
    pull,
    link(`${repositoryUrl}/commit/${subject.headSha}`, shortSha(subject.headSha)),
    escape(subject.requestedBy.login),
    escape(isImageOnly(run.plan) ? 'image only' : machine),
    `<span class="${phase}">${phase}</span>${why}`,
    formatDuration(secondsBetween(run.createdAt, now)),
    costCell(run, now),
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function costCell(run: Run, now: Date): string {
  const usd = estimatedUsd(run, now);
  const most = `of at most est. ${formatUsd(run.plan.estimate.ceilingUsd)}`;
  if (!isPriced(run.plan)) return 'not known';
  return escape(usd === undefined ? '—' : `est. ${formatUsd(usd)} ${most}`);
}

function link(url: string, text: string): string {
  return `<a href="${escape(url)}" rel="noreferrer">${escape(text)}</a>`;
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

const style = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1f2328; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #d1d9e0; }
.succeeded { color: #1a7f37; } .failed { color: #d1242f; } .cancelled { color: #59636e; }
`;
