/**
 * A build that a trigger started, as its check run shows it: the build and the end of its log in, title, summary
 * and conclusion out.
 */
import type { BuildMachine } from '../catalogue/build-prices.ts';
import { codeSpan, details, escapeText, fence, link } from '../report/markdown.ts';
import { formatDuration, secondsBetween } from '../units.ts';
import type { BuildStatus } from '../watch/run.ts';

export interface TriggeredBuild {
  readonly id: string;
  readonly project: string;
  readonly region: string;
  readonly triggerId: string;
  readonly status: BuildStatus;
  readonly statusDetail?: string;
  readonly commitSha?: string;
  readonly createTime?: string;
  readonly startTime?: string;
  readonly finishTime?: string;
  /** The first step that failed, as the build's config calls it. */
  readonly failedStep?: string;
  readonly images: readonly { readonly name: string; readonly digest: string }[];
  /** `gs://…`, where the log is, if it is in a bucket. */
  readonly logsBucket?: string;
  /** Where it is instead of a bucket. */
  readonly logsTo?: 'cloud_logging' | 'nowhere';
  readonly logUrl?: string;
  /** Its steps are given secrets, which its log may repeat. */
  readonly usesSecrets: boolean;
  /** What it runs on, where it says so. */
  readonly machine?: BuildMachine;
  /** It waits for somebody's approval in the console. */
  readonly awaitsApproval: boolean;
}

interface BuildCheck {
  readonly status: 'queued' | 'in_progress' | 'completed';
  readonly conclusion?: string;
  readonly title: string;
  readonly summary: string;
  readonly text?: string;
}

const conclusions: Readonly<Partial<Record<BuildStatus, string>>> = {
  success: 'success',
  failure: 'failure',
  internal_error: 'failure',
  timeout: 'timed_out',
  cancelled: 'cancelled',
  expired: 'timed_out',
};

export function isTriggeredBuildOver({ status }: Pick<TriggeredBuild, 'status'>): boolean {
  return conclusions[status] !== undefined;
}

const maxLogLines = 40;

/** @param logTail raw lines, oldest first */
export function renderBuildCheck(
  build: TriggeredBuild,
  logTail: readonly string[],
  { sandbox }: { readonly sandbox: boolean },
): BuildCheck {
  const conclusion = conclusions[build.status];
  const images = build.images
    .slice(0, 20)
    .map(({ name, digest }) => `- ${codeSpan(`${name.replace(/[:@][^/]*$/, '')}@${digest}`)}`);
  const links = sandbox ? undefined : link('Build in the Google Cloud console', build.logUrl);
  const summary = [
    build.statusDetail === undefined ? undefined : escapeText(build.statusDetail),
    images.length === 0 ? undefined : `Images:\n\n${images.join('\n')}`,
    links,
    `Build ${codeSpan(build.id)} in ${build.region}${sandbox ? ' (sandbox)' : ''}`,
  ];
  const tail = logTail.slice(-maxLogLines);
  const isShown = tail.length > 0 && build.status !== 'success';
  return {
    status: conclusion !== undefined ? 'completed' : build.startTime ? 'in_progress' : 'queued',
    ...(conclusion === undefined ? {} : { conclusion }),
    title: titleOf(build),
    summary: summary.filter((part) => part !== undefined).join('\n\n'),
    ...(isShown ? { text: details(`Last ${tail.length} lines of the log`, fence(tail)) } : {}),
  };
}

function titleOf(build: TriggeredBuild): string {
  const { startTime, finishTime } = build;
  const took =
    startTime === undefined || finishTime === undefined
      ? ''
      : ` after ${formatDuration(secondsBetween(startTime, finishTime))}`;
  switch (build.status) {
    case 'success':
      return `Built${took}`;
    case 'failure': {
      const step = build.failedStep === undefined ? '' : `: ${plainName(build.failedStep)}`;
      return `Failed${took}${step}`;
    }
    case 'internal_error':
      return `Failed${took}: an error of Cloud Build`;
    case 'timeout':
      return `Failed${took}: the build took too long`;
    case 'expired':
      return 'Failed: it waited too long for a machine';
    case 'cancelled':
      return 'Cancelled';
    case 'working':
      return 'Building';
    case 'pending':
      return build.awaitsApproval ? 'Waiting for an approval in Cloud Build' : 'Waiting';
    case 'queued':
      return 'Waiting for a machine';
    case 'unknown':
      return 'In a state that Trainyard does not know';
  }
}

/** Titles are plain text: nothing in them is marked up, and they have to be short. */
function plainName(step: string): string {
  return step.replaceAll(/[^\w./:@ -]/g, '').slice(0, 80);
}
