/**
 * Why a run failed: what a service says of a job, a build or a refused request in, a closed reason and two
 * sentences out. What fits no rule is `internal`, `build_failed` or `bad_config` with the service's own words.
 */
import type { EndReason } from '../errors.ts';
import { formatDuration } from '../units.ts';
import { knownError, quote, type Classification } from './known-errors.ts';
import type { BuildSnapshot, JobSnapshot } from './run.ts';

export type { Classification } from './known-errors.ts';

/** Why a job that is over did not succeed; `logTail` is only searched for what the service cannot know. */
export function classifyJob(
  job: JobSnapshot,
  logTail: readonly string[],
  timeoutSeconds: number,
): Classification {
  if (job.state === 'cancelled') return cancelled('the job');
  const text = job.error?.message ?? '';
  if (job.state === 'expired' && job.startTime === undefined) {
    return {
      reason: 'start_timeout',
      message: 'the job expired before it got a machine.',
      fix: 'Try another `region=` or GPU, or later.',
    };
  }
  if (job.state === 'expired' || /timed? ?out|deadline|CANCELED because it exceeded/i.test(text)) {
    return {
      reason: 'timeout',
      message: `the job was ended after its timeout of ${formatDuration(timeoutSeconds)}.`,
      fix: 'Allow more time with a longer `timeout`, or train for fewer steps.',
    };
  }
  if (job.state === 'partially_succeeded') {
    return {
      reason: 'internal',
      message: `only a part of the job succeeded${text === '' ? '.' : `: ${quote(text)}`}`,
      fix: "Look at the job's log for what is missing, and run it again.",
    };
  }
  const known = knownError(text, projectOf(job.name));
  // A program's words explain its own end, and not that of a machine that was taken from it.
  if (known === undefined || ownEnds.has(known.reason)) {
    const told = fromLog(logTail);
    if (told !== undefined) return told;
  }
  return (
    known ?? {
      reason: 'internal',
      message: text === '' ? 'Vertex AI gave no reason.' : `Vertex AI says: ${quote(text)}`,
      fix: "Try again; if it happens twice, look at the job's log.",
    }
  );
}

/** Ends of the program itself. */
const ownEnds: ReadonlySet<EndReason> = new Set(['user_code_exit', 'out_of_memory']);

/** What the service cannot know. */
function fromLog(logTail: readonly string[]): Classification | undefined {
  if (logTail.some((line) => /CUDA out of memory|CUDA error: out of memory/i.test(line))) {
    return {
      reason: 'cuda_out_of_memory',
      message: 'the GPU ran out of memory.',
      fix: 'Use a smaller batch size or a GPU with more memory.',
    };
  }
  const shim = logTail.flatMap((line) => shimComplaint.exec(line)?.[1] ?? []).at(0);
  return shim === undefined ? undefined : withoutSecrets(shim);
}

/** What the lines before a program with secrets say when they cannot start it. @see shared/launch/entry-shim.ts */
const shimComplaint = /^trainyard: ((?:could not get|the secret|secrets_env needs) .{1,1000})$/;

function withoutSecrets(complaint: string): Classification {
  return {
    reason: complaint.includes('HTTP 403') ? 'permission_denied' : 'bad_config',
    message: `the job could not read its secrets: ${quote(complaint).replace(/\.?$/, '.')}`,
    fix: complaint.startsWith('secrets_env')
      ? 'Install Python 3 in the image, or give the value in another way.'
      : "Check the secret's name and version, and grant the job's account `roles/secretmanager.secretAccessor` on it.",
  };
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
        repositoryMissing(detail) ?? knownError(detail, projectOf(build.name)) ?? stepFailed(detail)
      );
  }
}

/**
 * A push to a repository that nobody has made, the commonest mistake of a new project.
 * @see https://cloud.google.com/artifact-registry/docs/docker/troubleshoot#push
 */
function repositoryMissing(detail: string): Classification | undefined {
  const name = /Repository "?([a-z][a-z0-9-]{0,62})"? not found/.exec(detail)?.[1];
  if (name === undefined) return undefined;
  const [, location = 'LOCATION', project = 'PROJECT'] =
    /([a-z0-9-]{1,40})-docker\.pkg\.dev\/([a-z0-9-]{1,63})\//.exec(detail) ?? [];
  return {
    reason: 'build_failed',
    message: `there is no repository \`${name}\` in Artifact Registry to push the image to.`,
    fix: `Make it: \`gcloud artifacts repositories create ${name} --repository-format=docker --location=${location} --project=${project}\`.`,
  };
}

/** `images/Dockerfile.gpu:8: COPY failed: …` */
const placeInDockerfile =
  /(?<![^\s:])((?:[\w.-]{1,60}\/){0,5}[\w.-]{0,40}Dockerfile[\w.-]{0,40}):(\d{1,6}): (.+)/i;

/** @param detail `Build step failure: build step 0 "gcr.io/…" failed: Dockerfile:8: COPY failed: …` */
function stepFailed(detail: string): Classification {
  const reason = 'build_failed';
  const said = detail.replace(
    /^(?:Build step failure: )?build step (\d+) "[^"]*" failed: /i,
    'step $1: ',
  );
  const [, file, line, why] = placeInDockerfile.exec(said) ?? [];
  if (file === undefined || line === undefined || why === undefined) {
    const what = said === '' ? '.' : `: ${quote(said)}`;
    const fix = 'The last lines of the build log below say which step failed.';
    return { reason, message: `the image could not be built${what}`, fix };
  }
  const message = `\`${file}:${line}\`: ${quote(why)}`;
  return { reason, message, fix: `Correct line ${line} of \`${file}\` and push.` };
}

/** Why a create call was refused: the service's status and text. */
export function classifyRefusal(
  what: string,
  status: number,
  text: string,
  project?: string,
): Classification {
  const known = knownError(text, project);
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

/** Of `projects/P/…`; the services answer with its number. */
function projectOf(name: string): string | undefined {
  return /^projects\/([a-z0-9:.-]{1,100})\//.exec(name)?.[1];
}

function cancelled(what: string): Classification {
  return {
    reason: 'cancelled',
    message: `${what} was cancelled.`,
    fix: 'Start it again when you want it.',
  };
}
