/** Links into Google's console for what a run created. The sandbox has no console, so it has no links. */
import type { CardContext } from '../shared/report/render-card.ts';
import { jobPlanOf, type Run } from '../shared/watch/run.ts';

const consoleUrl = 'https://console.cloud.google.com';

export function consoleLinks(run: Run): CardContext['links'] {
  const { project, build } = run.plan;
  const { region } = jobPlanOf(run);
  const buildId = run.build?.snapshot?.id;
  const jobId = run.job?.snapshot?.id;
  const query = encodeURIComponent(`resource.labels.job_id="${jobId ?? ''}"`);
  return {
    ...(build === undefined || buildId === undefined
      ? {}
      : {
          build: `${consoleUrl}/cloud-build/builds;region=${build.region}/${encodeURIComponent(buildId)}?project=${project}`,
        }),
    ...(jobId === undefined
      ? {}
      : {
          job: `${consoleUrl}/vertex-ai/locations/${region}/training/${encodeURIComponent(jobId)}?project=${project}`,
          logs: `${consoleUrl}/logs/query;query=${query}?project=${project}`,
        }),
  };
}
