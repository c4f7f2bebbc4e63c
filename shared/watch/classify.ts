/**
 * Why a run failed: Google's error texts and exit codes in, a closed reason and two sentences out.
 * The texts are quoted from the sources beside each rule; what fits none of them is `internal` or
 * `user_code_exit` with the service's own words.
 */
import type { EndReason } from '../errors.ts';
import type { BuildSnapshot, JobSnapshot } from './run.ts';

export interface Classification {
  readonly reason: EndReason;
  readonly message: string;
  readonly fix: string;
}

interface Rule {
  readonly pattern: RegExp;
  readonly classify: (match: RegExpExecArray, text: string) => Classification;
}

/** The service's text, shortened for a sentence. Hostile: reports escape it. */
function quote(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}

const rules: readonly Rule[] = [
  {
    // Our own words, with what to do about it. @see shared/google/clients.ts
    pattern: /no Google Cloud credentials were found(?:; (.{1,300}))?/,
    classify: (match) => ({
      reason: 'permission_denied',
      message: 'no Google Cloud credentials were found.',
      fix: `To mend it, ${match[1] ?? 'run google-github-actions/auth before this step'}.`,
    }),
  },
  {
    // Spot machines. @see https://cloud.google.com/vertex-ai/docs/training/use-spot-vms
    pattern: /preempted/i,
    classify: () => ({
      reason: 'preempted',
      message: 'Google took the spot machine back more often than it restarts a job.',
      fix: 'Try again without `spot`, in another region, or later.',
    }),
  },
  {
    // @see https://cloud.google.com/vertex-ai/docs/training/monitor-debug-interactive-shell ("ran out of memory and exited")
    pattern: /ran out of memory/i,
    classify: () => ({
      reason: 'out_of_memory',
      message: 'the container ran out of memory.',
      fix: 'Choose a machine with more memory, such as `machine=n1-highmem-8`, or a smaller batch.',
    }),
  },
  {
    pattern: /exited with a non-zero status of (-?\d+)/i,
    classify: (match) => exitStatus(Number(match[1])),
  },
  {
    pattern: /quota metrics exceed quota limits: ([\w./,\s-]{1,200})/i,
    classify: (match) => ({
      reason: 'quota',
      message: `the project's quota is used up: ${quote(match[1] ?? '')}.`,
      fix: "Ask for more on the IAM & Admin → Quotas page of the job's region, or wait for another run to end.",
    }),
  },
  {
    pattern: /Resources are insufficient in region: (\S{1,40})/i,
    classify: (match) => ({
      reason: 'stockout',
      message: `Google has no such machine free in ${quote(match[1] ?? 'the region')} right now.`,
      fix: 'Try another `region=` or GPU, or later.',
    }),
  },
  {
    pattern: /must be in the same regional location/i,
    classify: (_match, text) => ({
      reason: 'bucket_region',
      message: `the results bucket is not in the job's region: ${quote(text)}`,
      fix: 'Use a bucket in the same region as the job.',
    }),
  },
  {
    pattern: /due to quota restrictions, Cloud Build cannot run builds in this region/i,
    classify: () => ({
      reason: 'build_region_restricted',
      message: 'this project may not run builds in that region.',
      fix: 'Build in `global`, us-central1, us-west2, europe-west1, asia-east1, australia-southeast1 or southamerica-east1.',
    }),
  },
  {
    pattern: /(?:has not been used in project|SERVICE_DISABLED|it is disabled)/i,
    classify: (_match, text) => ({
      reason: 'api_disabled',
      message: `a Google API is not enabled in the project: ${quote(text)}`,
      fix: 'Enable it (`gcloud services enable …`) and try again in a few minutes.',
    }),
  },
  {
    pattern: /billing/i,
    classify: (_match, text) => ({
      reason: 'billing_disabled',
      message: `billing does not work for the project: ${quote(text)}`,
      fix: 'Link an open billing account to the project.',
    }),
  },
  {
    pattern: /constraints\/|organization policy/i,
    classify: (_match, text) => ({
      reason: 'org_policy',
      message: `an organisation policy forbids it: ${quote(text)}`,
      fix: "Ask the organisation's administrator, or change the setting that the policy names.",
    }),
  },
  {
    pattern: /Service agent|gcp-sa-aiplatform/i,
    classify: (_match, text) => ({
      reason: 'service_agent_missing',
      message: `Vertex AI's service agent is missing or lacks a role: ${quote(text)}`,
      fix: "Create the agent and give it Artifact Registry Reader on the image's repository.",
    }),
  },
  {
    pattern: /downloadArtifacts|failed to pull|pull access denied/i,
    classify: (_match, text) => ({
      reason: 'image_pull_denied',
      message: `the image cannot be pulled: ${quote(text)}`,
      fix: "Check the image's name, and that Vertex AI's service agent may read its repository.",
    }),
  },
  {
    pattern: /image .{0,200}not found|manifest unknown/i,
    classify: (_match, text) => ({
      reason: 'image_not_found',
      message: `the image does not exist: ${quote(text)}`,
      fix: 'Build it first, or correct its name.',
    }),
  },
];

/** 128 + n is how a shell and Docker report "killed by signal n". */
function exitStatus(status: number): Classification {
  if (status === 137) {
    return {
      reason: 'out_of_memory',
      message: 'the training code was killed (exit status 137), most often because memory ran out.',
      fix: 'Choose a machine with more memory, such as `machine=n1-highmem-8`, or a smaller batch.',
    };
  }
  return {
    reason: 'user_code_exit',
    message: `the training code exited with status ${status}.`,
    fix: 'Read the last lines of its log below, mend the code and push.',
  };
}

function byRules(text: string): Classification | undefined {
  for (const rule of rules) {
    const match = rule.pattern.exec(text);
    if (match !== null) return rule.classify(match, text);
  }
  return undefined;
}

/** Why a job that is over did not succeed; `logTail` is only searched for what the service cannot know. */
export function classifyJob(
  job: JobSnapshot,
  logTail: readonly string[],
  timeoutSeconds: number,
): Classification {
  if (job.state === 'cancelled') return cancelled('the job');
  const text = job.error?.message ?? '';
  if (job.state === 'expired' || /timed? ?out|deadline|CANCELED because it exceeded/i.test(text)) {
    return {
      reason: 'timeout',
      message: `the job was ended after its timeout of ${timeoutSeconds} seconds.`,
      fix: 'Allow more time with `timeout=2h`, or train for fewer steps.',
    };
  }
  if (logTail.some((line) => /CUDA out of memory|CUDA error: out of memory/i.test(line))) {
    return {
      reason: 'cuda_out_of_memory',
      message: 'the GPU ran out of memory.',
      fix: 'Use a smaller batch or a GPU with more memory.',
    };
  }
  return (
    byRules(text) ?? {
      reason: 'internal',
      message: text === '' ? 'Vertex AI gave no reason.' : `Vertex AI says: ${quote(text)}`,
      fix: "Try again; if it happens twice, look at the job's log.",
    }
  );
}

/** Why a build that is over did not succeed. */
export function classifyBuild(build: BuildSnapshot): Classification {
  const detail = build.statusDetail ?? '';
  switch (build.status) {
    case 'cancelled':
      return cancelled('the build');
    case 'timeout':
    case 'expired':
      return {
        reason: 'build_timeout',
        message: 'the image took longer to build than its timeout allows.',
        fix: 'Make the build smaller (a .dockerignore helps), or allow it more time.',
      };
    case 'internal_error':
      return {
        reason: 'internal',
        message: `Cloud Build had an internal error${detail === '' ? '.' : `: ${quote(detail)}`}`,
        fix: 'Try again.',
      };
    case 'unknown':
    case 'pending':
    case 'queued':
    case 'working':
    case 'success':
    case 'failure':
      return (
        byRules(detail) ?? {
          reason: 'build_failed',
          message: `the image could not be built${detail === '' ? '.' : `: ${quote(detail)}`}`,
          fix: 'The last lines of the build log below say which step failed.',
        }
      );
  }
}

/** Why a create call was refused: the service's status and text. */
export function classifyRefusal(what: string, status: number, text: string): Classification {
  const known = byRules(text);
  if (known !== undefined) return known;
  if (status === 403 || status === 401) {
    return {
      reason: 'permission_denied',
      message: `the account may not create the ${what}: ${quote(text)}`,
      fix: 'Give it the role that the message names; new roles take a few minutes to work.',
    };
  }
  if (status === 429) {
    return {
      reason: 'quota',
      message: `Google refused the ${what} for want of quota: ${quote(text)}`,
      fix: 'Wait for another run to end, or ask for more quota.',
    };
  }
  if (status >= 400 && status < 500) {
    return {
      reason: 'bad_config',
      message: `Google refused the ${what}: ${quote(text)}`,
      fix: 'Correct the job config or the command.',
    };
  }
  return {
    reason: 'internal',
    message: `the ${what} could not be created: ${quote(text)}`,
    fix: 'Try again.',
  };
}

function cancelled(what: string): Classification {
  return {
    reason: 'cancelled',
    message: `${what} was cancelled.`,
    fix: 'Start it again when you want it.',
  };
}
