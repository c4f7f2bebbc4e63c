/** How a run ended: a Run with nothing left to do in, its RunEnd out. Pure. */
import type { EndReason } from '../errors.ts';
import { isImageOnly } from '../plan/plan-image.ts';
import { classifyBuild, classifyJob, type Classification } from '../watch/classify.ts';
import { jobPlanOf, type Run, type RunEnd } from '../watch/run.ts';

export function endOf(run: Run, now: string): RunEnd {
  if (run.image !== undefined && isImageOnly(run.plan)) return { outcome: 'succeeded', at: now };
  const job = run.job?.snapshot;
  if (job?.state === 'succeeded') return { outcome: 'succeeded', at: now };
  if (run.cancel?.because !== undefined) return failed(now, givenUp(run.cancel.because));
  if (run.cancel !== undefined) return { outcome: 'cancelled', at: now, reason: 'cancelled' };
  if (job !== undefined) return ended(now, jobEnd(run));
  const build = run.build?.snapshot;
  if (build === undefined) throw new Error('finish: nothing was started and nothing was cancelled');
  return ended(now, classifyBuild(build));
}

/** Why the run's job, which is over, did not succeed. */
export function jobEnd(run: Run): Classification {
  const job = run.job?.snapshot;
  if (job === undefined) throw new Error('job end: the run has no job');
  return classifyJob(job, run.logTail ?? [], jobPlanOf(run).timeoutSeconds);
}

/** Why it was never created. */
export function tooManyRequests(run: Run, what: 'build' | 'job'): Classification {
  const message = run[what]?.intent.postponed?.message ?? '';
  return {
    reason: 'quota',
    message: `Google refused the ${what} again and again because too many requests came, until there was no time left: ${message}`,
    fix: 'Start fewer runs at the same time, or ask for more of the quota of requests that the message names.',
  };
}

export function failed(at: string, why: Classification): RunEnd {
  return { outcome: 'failed', at, ...why };
}

function ended(now: string, why: Classification): RunEnd {
  return why.reason === 'cancelled' ? { outcome: 'cancelled', at: now, ...why } : failed(now, why);
}

/** What people are told when the run was cancelled by ourselves. */
function givenUp(reason: EndReason): Classification {
  switch (reason) {
    case 'start_timeout':
      return {
        reason,
        message:
          'the job was still waiting for a machine when its start timeout was over, and was cancelled.',
        fix: "Try another region or GPU, or check the project's quota for it.",
      };
    case 'timeout':
      return {
        reason,
        message: 'the job still ran when its timeout had long been over, and was cancelled.',
        fix: 'Vertex AI may have started it again meanwhile; its log says why. Give it a longer timeout, if it needs one.',
      };
    case 'no_longer_allowed':
      return {
        reason,
        message:
          'Trainyard no longer serves this repository, so what was running for it was cancelled.',
        fix: 'Ask the operator of Trainyard, if it should.',
      };
    default:
      return {
        reason,
        message: 'Trainyard could not follow this run any more, and cancelled what was running.',
        fix: 'Try again; if it happens twice, tell whoever runs Trainyard.',
      };
  }
}
