/**
 * `command: cancel`: a resource or a run's id in, the proof that it has ended out. Only `job` may name what a
 * workflow has not started; by `run_id` nothing is touched that does not carry the owner's label.
 */
import { UserError } from '../../shared/errors.ts';
import {
  ownerLabel,
  ownerTag,
  runLabel,
  runTag,
  workflowOwner,
} from '../../shared/launch/requests.ts';
import type { Builds, Clock, Jobs } from '../../shared/ports.ts';
import { formatDuration } from '../../shared/units.ts';
import {
  isBuildOver,
  isJobOver,
  type BuildSnapshot,
  type JobSnapshot,
} from '../../shared/watch/run.ts';
import type { ResourceKind, ResourceName } from '../resource-input.ts';
import { orMissing } from './follow.ts';

export interface CancelPorts {
  readonly builds: Pick<Builds, 'get' | 'cancel' | 'findByTag'>;
  readonly jobs: Pick<Jobs, 'get' | 'cancel' | 'findByLabel'>;
  readonly clock: Clock;
  readonly say: (line: string) => void;
}

export interface CancelOptions {
  readonly pollMs: number;
  /** How long a resource may be missing from Google's lists. */
  readonly settleMs: number;
  /** How long Google may take to confirm. */
  readonly patienceMs: number;
}

/** Where the pieces of a run are looked for. */
export interface RunPlace {
  readonly runId: string;
  readonly project: string;
  readonly region: string;
  readonly buildRegion: string;
}

export interface Ended {
  readonly kind: ResourceKind;
  readonly name: string;
  /** Vertex AI's or Cloud Build's word for how it ended. */
  readonly state: string;
  /** It was over before anybody asked. */
  readonly already: boolean;
}

/** @throws {UserError} when there is nothing to cancel, it is not ours, or it does not end in time */
export async function cancel(
  what: ResourceName | RunPlace,
  ports: CancelPorts,
  options: CancelOptions,
): Promise<readonly Ended[]> {
  return 'kind' in what ? cancelNamed(what, ports, options) : cancelRun(what, ports, options);
}

interface Piece {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly state: string;
  readonly isOver: boolean;
  /** Of a build: an image came of it, so a job may follow. */
  readonly succeeded: boolean;
}

function jobPiece({ name, state }: JobSnapshot): Piece {
  return { kind: 'job', name, state, isOver: isJobOver(state), succeeded: state === 'succeeded' };
}

function buildPiece({ name, status }: BuildSnapshot): Piece {
  const succeeded = status === 'success';
  return { kind: 'build', name, state: status, isOver: isBuildOver(status), succeeded };
}

async function cancelNamed(
  target: ResourceName,
  ports: CancelPorts,
  options: CancelOptions,
): Promise<readonly Ended[]> {
  const piece = await orMissing(target, () => look(target, ports));
  // The answer may spell the project as a number; what was asked for is what the log says.
  return [await end({ ...piece, name: target.name }, ports, options)];
}

async function look(
  { kind, name }: Pick<Piece, 'kind' | 'name'>,
  { builds, jobs }: CancelPorts,
): Promise<Piece> {
  return kind === 'job' ? jobPiece(await jobs.get(name)) : buildPiece(await builds.get(name));
}

/**
 * Looks until there is nothing more to find: lists lag, and whoever runs the run may be about to launch its
 * job when its build has just succeeded.
 */
async function cancelRun(
  place: RunPlace,
  ports: CancelPorts,
  options: CancelOptions,
): Promise<readonly Ended[]> {
  const ended = new Map<string, Ended>();
  const giveUpAt = ports.clock.now().getTime() + options.settleMs;
  for (;;) {
    const pieces = await findPieces(place, ports);
    const fresh = pieces.filter(({ name }) => !ended.has(name));
    const done = await Promise.all(fresh.map((piece) => end(piece, ports, options)));
    for (const one of done) ended.set(one.name, one);
    const all = [...ended.values()];
    const hasJob = all.some(({ kind }) => kind === 'job');
    const hasFailedBuild = all.some(({ kind, state }) => kind === 'build' && state !== 'success');
    if (hasJob || hasFailedBuild) return all;
    if (ports.clock.now().getTime() >= giveUpAt) {
      if (all.length > 0) return all;
      throw nothingFound(place);
    }
    if (fresh.length === 0) ports.say('Looking for what the run has started');
    await ports.clock.sleep(options.pollMs);
  }
}

/** What carries the run's id, when all of it is ours. */
async function findPieces(place: RunPlace, ports: CancelPorts): Promise<readonly Piece[]> {
  const { runId, project, region, buildRegion } = place;
  const [jobs, builds] = await Promise.all([
    ports.jobs.findByLabel({ project, region, key: runLabel, value: runId }),
    ports.builds.findByTag({ project, region: buildRegion, tag: runTag(runId) }),
  ]);
  const strangers = [
    ...jobs.filter(({ labels }) => labels[ownerLabel] !== workflowOwner),
    ...builds.filter(({ tags }) => !tags.includes(ownerTag(workflowOwner))),
  ];
  const [stranger] = strangers;
  if (stranger !== undefined) throw notOurs(runId, stranger.name);
  return [...jobs.map(jobPiece), ...builds.map(buildPiece)];
}

/** Cancels it and waits until it is over. Cancelling is a request: it may still succeed. */
async function end(piece: Piece, ports: CancelPorts, options: CancelOptions): Promise<Ended> {
  const { kind, name } = piece;
  if (piece.isOver) {
    ports.say(`The ${kind} ${name} was over already: ${piece.state}`);
    return { kind, name, state: piece.state, already: true };
  }
  ports.say(`Cancelling the ${kind} ${name}, which is ${piece.state}`);
  await (kind === 'job' ? ports.jobs : ports.builds).cancel(name);
  const deadline = ports.clock.now().getTime() + options.patienceMs;
  for (;;) {
    const { isOver, state } = await look(piece, ports);
    if (isOver) {
      ports.say(`The ${kind} ${name} has ended: ${state}`);
      return { kind, name, state, already: false };
    }
    if (ports.clock.now().getTime() >= deadline) throw notYetOver(kind, name, state, options);
    await ports.clock.sleep(options.pollMs);
  }
}

function nothingFound({ runId, region, buildRegion }: RunPlace): UserError {
  return new UserError(
    'bad_argument',
    `nothing of the run ${runId} was found: no job in ${region} and no build in ${buildRegion}.`,
    'Check the inputs `run_id`, `region`, `build_region` and `project_id`, or name the `job` itself.',
  );
}

function notOurs(runId: string, name: string): UserError {
  return new UserError(
    'no_permission',
    `${name} carries the run id ${runId} but was not started by a workflow, so it is not cancelled.`,
    'Name it in the input `job` if you mean it, or cancel it where it was started.',
  );
}

function notYetOver(
  kind: ResourceKind,
  name: string,
  state: string,
  { patienceMs }: CancelOptions,
): UserError {
  return new UserError(
    'timeout',
    `the ${kind} ${name} was asked to end ${formatDuration(patienceMs / 1_000)} ago and is still ${state}.`,
    'Run this step again, or look at it in the Google Cloud console.',
  );
}
