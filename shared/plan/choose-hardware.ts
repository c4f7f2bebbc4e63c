/** Which machines a run's pools get: the config's pools and the command's wishes in, checked pools out. */
import type { MachineChoice } from '../catalogue/catalogue.ts';
import { chooseMachine, type MachineRequest } from '../catalogue/choose-machine.ts';
import type { TrainCommand } from '../command/command.ts';
import type { CustomJobSpec, MachineSpec, WorkerPoolSpec } from '../config/job-spec.ts';
import type { Refusal } from '../policy/decision.ts';

export interface Hardware {
  readonly kind: 'chosen';
  readonly spec: CustomJobSpec;
  /** The first pool's, which is the one that trains. */
  readonly machine: MachineChoice;
  readonly notes: readonly string[];
}

/** What is the same for every pool of a run. */
type HardwareRules = Pick<
  MachineRequest,
  'region' | 'regions' | 'allowUnknown' | 'rates' | 'audience'
>;

/**
 * The command's machine goes into the first pool; the others are checked as they are. What a workflow's
 * file says is otherwise left as gcloud would send it.
 */
export function chooseHardware(
  spec: CustomJobSpec,
  command: TrainCommand,
  rules: HardwareRules,
): Hardware | Refusal {
  const notes: string[] = [];
  const pools: WorkerPoolSpec[] = [];
  let first: MachineChoice | undefined;
  for (const [index, pool] of spec.workerPoolSpecs.entries()) {
    // An empty pool is skipped by the service.
    if (index > 0 && Object.keys(pool).length === 0) {
      pools.push(pool);
      continue;
    }
    const wishes = index === 0 ? command : undefined;
    const answer = runsOnPersistentResource(spec) ? asItIs(pool) : choosePool(pool, wishes, rules);
    if (answer.kind === 'rejected') return answer;
    notes.push(...answer.notes);
    first ??= answer.machine;
    pools.push(answer.pool);
  }
  const machine = first ?? { machineType: '' };
  return {
    kind: 'chosen',
    spec: { ...spec, workerPoolSpecs: pools },
    machine,
    notes: [...new Set(notes)],
  };
}

/** Its machines are there already, and paid for as long as they are. */
export function runsOnPersistentResource(spec: CustomJobSpec): boolean {
  return (spec['persistentResourceId'] ?? '') !== '';
}

interface ChosenPool {
  readonly kind: 'chosen';
  readonly pool: WorkerPoolSpec;
  readonly machine: MachineChoice;
  readonly notes: readonly string[];
}

function asItIs(pool: WorkerPoolSpec): ChosenPool {
  return { kind: 'chosen', pool, machine: toMachineChoice(pool.machineSpec), notes: [] };
}

function choosePool(
  pool: WorkerPoolSpec,
  command: TrainCommand | undefined,
  rules: HardwareRules,
): ChosenPool | Refusal {
  const { gpu, machineType } = command ?? {};
  const configured = pool.machineSpec;
  const answer = chooseMachine({
    ...rules,
    ...(gpu === undefined ? {} : { gpu }),
    ...(machineType === undefined ? {} : { machineType }),
    ...(configured === undefined ? {} : { configured }),
  });
  if (answer.kind === 'rejected') return answer;
  const { machine, notes } = answer;
  const isWorkflow = rules.audience === 'workflow';
  if (isWorkflow && gpu === undefined && machineType === undefined)
    return { kind: 'chosen', pool, machine, notes };
  const chosen = {
    ...pool,
    machineSpec: withMachine(configured, machine),
    ...(isWorkflow ? {} : { replicaCount: pool.replicaCount ?? '1' }),
  };
  return { kind: 'chosen', pool: chosen, machine, notes };
}

/** The chosen machine in place of the configured one; what else the file says of it (a reservation, a topology) stays. */
function withMachine(configured: MachineSpec | undefined, machine: MachineChoice): MachineSpec {
  const spec: Record<string, unknown> = { ...configured, ...machine };
  if (machine.acceleratorType === undefined) {
    delete spec['acceleratorType'];
    delete spec['acceleratorCount'];
  }
  return spec;
}

/** What the file says, without asking the catalogue. */
export function toMachineChoice(spec: MachineSpec | undefined): MachineChoice {
  const { machineType = '', acceleratorType, acceleratorCount } = spec ?? {};
  if (acceleratorType === undefined || acceleratorType === 'ACCELERATOR_TYPE_UNSPECIFIED')
    return { machineType };
  return { machineType, acceleratorType, acceleratorCount: acceleratorCount ?? 1 };
}
