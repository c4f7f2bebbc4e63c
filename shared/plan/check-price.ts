/** What a run may cost: its pools, its timeout and the limits in, an Estimate or a Refusal out. */
import type { Estimate } from '../catalogue/catalogue.ts';
import { describeMachine } from '../catalogue/choose-machine.ts';
import { estimate } from '../catalogue/estimate.ts';
import { pricesAsOf } from '../catalogue/machines.ts';
import type { CustomJobSpec } from '../config/job-spec.ts';
import type { Refusal } from '../policy/decision.ts';
import { formatDuration, formatUsd } from '../units.ts';
import { toMachineChoice } from './choose-hardware.ts';

export interface PriceLimits {
  readonly maxUsd: number;
  /** False where the author of a workflow answers for what cannot be priced. */
  readonly mustBeKnown: boolean;
}

/** The estimate is for the whole timeout, on demand: what a run can cost at most by the list. */
export function checkPrice(
  spec: CustomJobSpec,
  timeoutSeconds: number,
  limits: PriceLimits,
):
  | { readonly kind: 'priced'; readonly estimate: Estimate; readonly notes: readonly string[] }
  | Refusal {
  const pools = spec.workerPoolSpecs
    .filter((pool) => Object.keys(pool).length > 0)
    .map((pool) => ({
      machine: toMachineChoice(pool.machineSpec),
      replicas: Number(pool.replicaCount ?? '1'),
      ...diskOf(pool['diskSpec']),
    }));
  const price = estimate(pools, timeoutSeconds);
  if (price === undefined) {
    const names = pools.map(({ machine }) => describeMachine(machine)).join(', ');
    if (!limits.mustBeKnown) {
      const unknown = { usdPerHour: 0, ceilingUsd: 0, timeoutSeconds, pricesAsOf };
      const notes = [`The price of ${names} is not known: there is no estimate and no ceiling.`];
      return { kind: 'priced', estimate: unknown, notes };
    }
    return {
      kind: 'rejected',
      reason: 'price_unknown',
      message: `The price of ${names} is not known, so the run's ceiling cannot be kept.`,
      fix: 'Choose a machine with a known price, such as `gpu=T4` or `gpu=A100`.',
    };
  }
  if (price.ceilingUsd <= limits.maxUsd) return { kind: 'priced', estimate: price, notes: [] };
  const affordable = Math.floor((limits.maxUsd / price.usdPerHour) * 60);
  return {
    kind: 'rejected',
    reason: 'over_ceiling',
    message: `The run could cost ${formatUsd(price.ceilingUsd)} (est. ${formatUsd(price.usdPerHour)}/h for ${formatDuration(timeoutSeconds)}), and a run may cost at most ${formatUsd(limits.maxUsd)}.`,
    fix:
      affordable >= 1
        ? `Add \`timeout=${affordable}m\`, or choose a cheaper machine.`
        : 'Choose a cheaper machine.',
  };
}

/** The boot disk as the file has it; the catalogue knows the default. */
function diskOf(spec: unknown): { disk?: { type?: string; sizeGb?: number } } {
  if (typeof spec !== 'object' || spec === null) return {};
  const { bootDiskType, bootDiskSizeGb } = spec as Readonly<Record<string, unknown>>;
  return {
    disk: {
      ...(typeof bootDiskType === 'string' ? { type: bootDiskType } : {}),
      ...(typeof bootDiskSizeGb === 'number' ? { sizeGb: bootDiskSizeGb } : {}),
    },
  };
}
