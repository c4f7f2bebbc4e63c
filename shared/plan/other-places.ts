/** Where else the same job could run, when the region that was chosen has no machine for it. */
import { chooseMachine } from '../catalogue/choose-machine.ts';
import type { TrainCommand } from '../command/command.ts';
import type { CustomJobSpec } from '../config/job-spec.ts';
import type { ProjectSettings } from '../config/project-settings.ts';
import { runsOnPersistentResource } from './choose-hardware.ts';

/**
 * The other regions that are allowed, in their order: those that have a bucket for results, which must be in
 * the job's region, and whose machines are known to be offered there. None when somebody named the region,
 * or when the job itself is bound to one.
 */
export function otherPlaces(
  spec: CustomJobSpec,
  input: { readonly settings: ProjectSettings; readonly command: TrainCommand },
  region: string,
): readonly string[] {
  const { settings, command } = input;
  if ((settings.maxAttempts ?? 1) <= 1 || isBound(spec)) return [];
  if (command.region !== undefined && settings.regions[0] !== command.region) return [];
  return settings.regions.filter(
    (place) =>
      place !== region &&
      settings.resultsBuckets[place] !== undefined &&
      spec.workerPoolSpecs.every(
        (pool) => Object.keys(pool).length === 0 || isOffered(pool.machineSpec, place),
      ),
  );
}

/** What a job names by a region's own name. */
function isBound(spec: CustomJobSpec): boolean {
  return (
    runsOnPersistentResource(spec) ||
    spec.baseOutputDirectory !== undefined ||
    (spec['tensorboard'] ?? '') !== ''
  );
}

function isOffered(
  machine: CustomJobSpec['workerPoolSpecs'][number]['machineSpec'],
  region: string,
): boolean {
  const answer = chooseMachine({ ...(machine && { configured: machine }), region });
  return answer.kind === 'chosen';
}
