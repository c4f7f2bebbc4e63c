/**
 * Carries out one Step of a run: the effect through a port, the outcome into a new Run. Nothing here
 * decides what comes next; that is watch/next-step.ts.
 */
import { CloudError, UserError } from '../errors.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { RunPorts } from '../flow.ts';
import type { JobRequest } from '../ports.ts';
import { withoutTag } from '../plan/own-image.ts';
import { secondsBetween } from '../units.ts';
import { classifyRefusal, type Classification } from '../watch/classify.ts';
import type { Resource, Step } from '../watch/next-step.ts';
import { postpone } from '../watch/postponed.ts';
import {
  jobPlanOf,
  triesAgain,
  type EndedAttempt,
  type Intent,
  type Run,
  type RunEnd,
  type Tracked,
} from '../watch/run.ts';
import { sortOutBuilds, sortOutJobs } from './adopt.ts';
import { collectMetrics } from './collect-metrics.ts';
import { findBuiltImage, findEarlierImage } from './find-image.ts';
import { observeBuild, observeJob } from './observe.ts';
import { withSecrets } from './job-request-secrets.ts';
import { runLabel, runTag, toBuildRequest, toJobRequest } from './requests.ts';
import { endOf, failed, jobEnd, tooManyRequests } from './run-end.ts';

/** As old as a command may be when it is handled: see policy/decide.ts. */
const freshCommandSeconds = 600;

export async function takeStep(
  step: Exclude<Step, { do: 'wait' | 'done' }>,
  run: Run,
  ports: RunPorts,
): Promise<Run> {
  const now = ports.clock.now().toISOString();
  switch (step.do) {
    case 'stage-source':
      return stageSource(run, ports, now);
    case 'intend':
      return launchIfAllowed(run, step.what, ports, now);
    case 'doubt':
      return withDoubt(run, step.what, now);
    case 'create':
      return step.what === 'build' ? createBuild(run, ports, now) : createJob(run, ports, now);
    case 'find':
      return step.what === 'build' ? findBuild(run, ports) : findJob(run, ports);
    case 'observe':
      return step.what === 'build' ? observeBuild(run, ports) : observeJob(run, ports);
    case 'stop':
      await stop(run, step.what, ports);
      return run;
    case 'use-image':
      return useImage(run, ports, now);
    case 'give-up-start':
      return { ...run, cancel: { at: now, by: 'trainyard', because: 'start_timeout' } };
    case 'give-up-run':
      return { ...run, cancel: { at: now, by: 'trainyard', because: 'timeout' } };
    case 'give-up-create':
      return refused(run, step.what, now, tooManyRequests(run, step.what));
    case 'try-again':
      return tryAgain(run, now, jobEnd(run));
    case 'collect':
      return { ...run, metrics: await metricsOf(run, ports) };
    case 'finish':
      return { ...run, end: endOf(run, now) };
  }
}

/** Uploads what the image is to be built from, unless a build of ours has made an image of just that. */
async function stageSource(run: Run, ports: RunPorts, now: string): Promise<Run> {
  const { build } = run.plan;
  if (build === undefined) throw new Error('stage source: the run has no build plan');
  try {
    // Who only starts a job does not load what packing takes.
    const { packContext, readContext } = await import('../source/build-context.ts');
    const context = await readContext(await ports.source());
    const { contentHash } = context;
    const earlier =
      build.mode === 'always'
        ? undefined
        : await findEarlierImage(run.plan, build, contentHash, ports);
    if (earlier !== undefined) {
      const { image, ...reused } = earlier;
      return { ...run, reused, image };
    }
    if (build.mode === 'never') return { ...run, end: failed(now, noEarlierImage) };
    const bucket = build.sourceBucket;
    const object = `source/${contentHash}.tgz`;
    const { generation } = await ports.objects.put({ bucket, object }, () => packContext(context));
    return { ...run, source: { bucket, object, generation, contentHash } };
  } catch (error) {
    return endedBy(error, 'source archive', run, now);
  }
}

const noEarlierImage: Classification = {
  reason: 'image_not_found',
  message: 'no image was built of these files before, and `build=never` builds none.',
  fix: 'Leave `build=never` out, and the image is built.',
};

/** Nothing was bought yet: what is retryable is thrown, and simply tried at the next call. */
function endedBy(error: unknown, what: string, run: Run, now: string): Run {
  if (error instanceof UserError) {
    const { message, fix } = error;
    const reason = error.reason as RunEnd['reason'] & string;
    return { ...run, end: failed(now, { reason, message, fix }) };
  }
  if (!(error instanceof CloudError) || error.retryable || error.ambiguous) throw error;
  return { ...run, end: failed(now, refusal(what, error, run)) };
}

function refusal(what: string, { status, message }: CloudError, { plan }: Run): Classification {
  return classifyRefusal(what, status, message, plan.project);
}

async function createBuild(run: Run, ports: RunPorts, now: string): Promise<Run> {
  const { plan, source, build } = run;
  if (plan.build === undefined || source === undefined || build === undefined) {
    throw new Error('create build: the run has no build plan, source or intent');
  }
  const request = toBuildRequest(plan, plan.build, source, ports.mac);
  return create(run, 'build', ports, now, async () => {
    const snapshot = await ports.builds.create(request);
    return { ...run, build: { ...build, name: snapshot.name, snapshot } };
  });
}

async function createJob(run: Run, ports: RunPorts, now: string): Promise<Run> {
  const { job } = run;
  if (job === undefined) throw new Error('create job: the run has no intent');
  const request = await jobRequestOf(run, ports, now);
  if ('ended' in request) return request.ended;
  return create(run, 'job', ports, now, async () => {
    const snapshot = await ports.jobs.create(request);
    return { ...run, job: { ...job, name: snapshot.name, snapshot } };
  });
}

/** With the run's secrets; the ended run when they cannot be had. */
async function jobRequestOf(
  run: Run,
  ports: RunPorts,
  now: string,
): Promise<JobRequest | { readonly ended: Run }> {
  try {
    return await withSecrets(toJobRequest(run, ports.mac), run, ports);
  } catch (error) {
    return { ended: endedBy(error, 'job', run, now) };
  }
}

/** One attempt. An unclear answer turns into doubt, a refusal for now into a wait, any other ends the run. */
async function create(
  run: Run,
  what: Resource,
  ports: RunPorts,
  now: string,
  send: () => Promise<Run>,
): Promise<Run> {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    if (error.ambiguous) return withDoubt(run, what, now);
    if (error.rateLimited) return withPostponement(run, what, error, ports);
    return refused(run, what, now, refusal(what, error, run));
  }
}

function refused(run: Run, what: Resource, now: string, why: Classification): Run {
  return what === 'job' && triesAgain(run, why.reason)
    ? tryAgain(run, now, why)
    : { ...run, end: failed(now, why) };
}

function withPostponement(run: Run, what: Resource, error: CloudError, ports: RunPorts): Run {
  const tracked = trackedOf(run, what);
  const random = ports.random?.() ?? Math.random();
  const intent = postpone(tracked.intent, error, ports.clock.now(), random);
  return { ...run, [what]: { ...tracked, intent } };
}

function trackedOf(run: Run, what: Resource): Tracked<unknown> {
  const tracked = run[what];
  if (tracked === undefined) throw new Error(`${what}: the run has no intent`);
  return tracked;
}

/** What the run still may is asked anew, once its command is too old for anybody to be waiting for it. */
async function launchIfAllowed(
  run: Run,
  what: Resource,
  ports: RunPorts,
  now: string,
): Promise<Run> {
  const isOld = secondsBetween(run.createdAt, now) > freshCommandSeconds;
  const why = isOld ? await ports.whyNotAllowed?.(run) : undefined;
  return why === undefined ? intend(run, what, now) : { ...run, end: failed(now, why) };
}

/** A second intent keeps the time of the first, whose request may after all have been heard. */
function intend(run: Run, what: Resource, now: string): Run {
  const { at, firstAt = at, postponed } = run[what]?.intent ?? {};
  const intent: Intent = {
    at: now,
    ...(firstAt === undefined ? {} : { firstAt }),
    ...(postponed === undefined ? {} : { postponed }),
  };
  return { ...run, [what]: { intent } };
}

function withDoubt(run: Run, what: Resource, now: string): Run {
  const tracked = trackedOf(run, what);
  return { ...run, [what]: { ...tracked, intent: { ...tracked.intent, inDoubtSince: now } } };
}

async function findBuild(run: Run, ports: RunPorts): Promise<Run> {
  const { plan, build, source } = run;
  if (build === undefined || plan.build === undefined || source === undefined) return run;
  const found = await ports.builds.findByTag({
    project: plan.project,
    region: plan.build.region,
    tag: runTag(plan.runId),
  });
  const { ours, strange } = sortOutBuilds(run, build, found, ports.mac);
  if (strange.length > 0) ports.strangers?.(strange);
  await endExtras(ours.slice(1), ports.builds, ports);
  const snapshot = ours[0];
  return snapshot === undefined
    ? run
    : { ...run, build: { ...build, name: snapshot.name, snapshot } };
}

async function findJob(run: Run, ports: RunPorts): Promise<Run> {
  const { plan, job } = run;
  if (job === undefined) return run;
  const found = await ports.jobs.findByLabel({
    project: plan.project,
    region: jobPlanOf(run).region,
    key: runLabel,
    value: plan.runId,
  });
  const { ours, strange } = sortOutJobs(run, job, found, ports.mac);
  if (strange.length > 0) ports.strangers?.(strange);
  await endExtras(ours.slice(1), ports.jobs, ports);
  const snapshot = ours[0];
  return snapshot === undefined ? run : { ...run, job: { ...job, name: snapshot.name, snapshot } };
}

/** One that cannot be ended now must keep the run from none of its own; whoever is told sees to it. */
async function endExtras(
  extras: readonly { readonly name: string }[],
  port: { cancel(name: string): Promise<void> },
  ports: Pick<RunPorts, 'extraLeft'>,
): Promise<void> {
  for (const { name } of extras) {
    try {
      await port.cancel(name);
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      ports.extraLeft?.(name, error);
    }
  }
}

/** Puts the launch that ended so behind the run; the next one starts with an intent of its own. */
function tryAgain(run: Run, now: string, why: Classification): Run {
  const { job, progress: _, logTail: __, ...rest } = run;
  const snapshot = job?.snapshot;
  const attempt: EndedAttempt = {
    region: jobPlanOf(run).region,
    ...(job?.name === undefined ? {} : { job: job.name }),
    ...(snapshot?.startTime === undefined ? {} : { startTime: snapshot.startTime }),
    endTime: snapshot?.endTime ?? now,
    reason: why.reason,
    message: why.message,
  };
  return { ...rest, attempts: [...(run.attempts ?? []), attempt] };
}

async function stop(run: Run, what: Resource, ports: RunPorts): Promise<void> {
  const name = run[what]?.name;
  if (name === undefined) return;
  await (what === 'build' ? ports.builds.cancel(name) : ports.jobs.cancel(name));
}

async function useImage(run: Run, ports: RunPorts, now: string): Promise<Run> {
  if (run.source === undefined) return withReportedImage(run, now);
  try {
    const found = await findBuiltImage(run, ports.images);
    if (found.kind === 'found') return { ...run, image: found.image };
    return { ...run, end: failed(now, found.why) };
  } catch (error) {
    if (!(error instanceof CloudError) || error.retryable || error.ambiguous) throw error;
    return { ...run, end: failed(now, refusal('image', error, run)) };
  }
}

/** A build that is only followed: nobody runs what it made, so its first image will do, and so will none. */
function withReportedImage(run: Run, now: string): Run {
  const [image] = run.build?.snapshot?.images ?? [];
  return image === undefined
    ? { ...run, end: { outcome: 'succeeded', at: now } }
    : { ...run, image: `${withoutTag(image.name)}@${image.digest}` };
}

function metricsOf(run: Run, { objects, clock }: RunPorts): Promise<Metrics> {
  const snapshot = run.job?.snapshot;
  return collectMetrics(
    {
      outputUriPrefix: jobPlanOf(run).outputUriPrefix ?? '',
      createdAt: snapshot?.createTime ?? run.job?.intent.at ?? run.createdAt,
      endedAt: snapshot?.endTime ?? clock.now().toISOString(),
    },
    objects,
  );
}
