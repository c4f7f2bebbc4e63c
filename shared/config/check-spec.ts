/**
 * What the service asks of a job beyond the types of its fields, and can be seen in the file: a well-typed
 * spec in, the problems with their places out. Whether a machine exists is the catalogue's to say.
 */
import { quoteToken } from '../command/quote-token.ts';
import { nearest } from '../units.ts';
import type { CustomJobSpec, MachineSpec, WorkerPoolSpec } from './job-spec.ts';
import type { ConfigProblem } from './problem.ts';
import type { Path, YamlFile } from './yaml-file.ts';

/** Which pools get their machine from elsewhere (a command, a default), so that the file may leave it out. */
export type MachinesFromElsewhere = 'none' | 'first' | 'every';

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/CustomJobSpec */
export function checkSpec(
  spec: Readonly<Record<string, unknown>>,
  file: YamlFile,
  machines: MachinesFromElsewhere,
): readonly ConfigProblem[] {
  const checker = new SpecChecker(file);
  const { workerPoolSpecs: pools = [], ...rest } = spec as unknown as Partial<CustomJobSpec>;
  if (pools.length === 0) checker.add([], '`workerPoolSpecs` is missing: the job has no machine.');
  checker.duration(rest.scheduling?.timeout);
  checker.output(rest.baseOutputDirectory?.outputUriPrefix);
  // On a persistent resource the machines are there already.
  const mayLeaveOut = (index: number): boolean =>
    machines === 'every' ||
    (machines === 'first' && index === 0) ||
    (rest['persistentResourceId'] ?? '') !== '';
  for (const [index, pool] of pools.entries()) {
    const path: Path = ['workerPoolSpecs', index];
    // A pool `{}` is skipped by the service, all but the first.
    if (index > 0 && Object.keys(pool).length === 0) continue;
    checker.pool(pool, path, index === 0);
    checker.machine(pool.machineSpec, path, mayLeaveOut(index));
  }
  return checker.problems;
}

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/DiskSpec */
const bootDiskTypes = ['pd-ssd', 'pd-standard', 'hyperdisk-balanced'];
const [minDiskGb, maxDiskGb] = [100, 64_000];

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/ContainerSpec */
const maxListed = 100;

const maxProblems = 10;

class SpecChecker {
  readonly problems: ConfigProblem[] = [];
  private readonly file: YamlFile;

  constructor(file: YamlFile) {
    this.file = file;
  }

  add(path: Path, message: string): void {
    if (this.problems.length >= maxProblems) return;
    this.problems.push(this.file.problemAt(path, message));
  }

  duration(timeout: string | undefined): void {
    if (timeout !== undefined && Number.parseFloat(timeout) <= 0)
      this.add(['scheduling', 'timeout'], '`timeout` must be above 0.');
  }

  output(prefix: string | undefined): void {
    if (prefix === undefined || /^gs:\/\/[a-z0-9][a-z0-9._-]*(?:\/|$)/.test(prefix)) return;
    const message = '`outputUriPrefix` must begin with `gs://` and a bucket.';
    this.add(['baseOutputDirectory', 'outputUriPrefix'], message);
  }

  pool(pool: WorkerPoolSpec, path: Path, isFirst: boolean): void {
    const kinds = (['containerSpec', 'pythonPackageSpec'] as const).filter(
      (kind) => pool[kind] !== undefined,
    );
    if (kinds.length !== 1) {
      const message = 'a worker pool needs exactly one of `containerSpec` and `pythonPackageSpec`.';
      this.add(path, message);
    }
    for (const kind of kinds) this.program({ ...pool[kind] }, [...path, kind]);
    const replicas = Number(pool.replicaCount ?? '1');
    const replicaPath = [...path, 'replicaCount'];
    if (isFirst && replicas !== 1) {
      const message =
        '`replicaCount`: the first worker pool has exactly 1 replica; more go into a second pool.';
      this.add(replicaPath, message);
    } else if (replicas < 1) this.add(replicaPath, '`replicaCount` must be at least 1.');
    this.disk(pool['diskSpec'], [...path, 'diskSpec']);
  }

  private program(program: Readonly<Record<string, unknown>>, path: Path): void {
    const env = (program['env'] ?? []) as readonly { readonly name: string }[];
    for (const [index, { name }] of env.entries()) {
      // @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/EnvVar
      if (/^[A-Za-z_]\w*$/.test(name)) continue;
      const message = `${quoteToken(name)} is no name of a variable: letters, digits and \`_\` only.`;
      this.add([...path, 'env', index, 'name'], message);
    }
    for (const list of ['env', 'packageUris']) {
      if (((program[list] ?? []) as readonly unknown[]).length > maxListed)
        this.add([...path, list], `\`${list}\` may have at most ${maxListed} entries.`);
    }
  }

  private disk(disk: unknown, path: Path): void {
    const { bootDiskType, bootDiskSizeGb } = (disk ?? {}) as {
      readonly bootDiskType?: string;
      readonly bootDiskSizeGb?: number;
    };
    if (bootDiskType !== undefined && !bootDiskTypes.includes(bootDiskType)) {
      const near = nearest(bootDiskType, bootDiskTypes);
      const hint =
        near === undefined ? `Valid are ${bootDiskTypes.join(', ')}.` : `Did you mean \`${near}\`?`;
      const message = `\`bootDiskType\` cannot be ${quoteToken(bootDiskType)}. ${hint}`;
      this.add([...path, 'bootDiskType'], message);
    }
    const size = bootDiskSizeGb ?? minDiskGb;
    if (size >= minDiskGb && size <= maxDiskGb) return;
    const message = `\`bootDiskSizeGb\` must be between ${minDiskGb} and ${maxDiskGb}.`;
    this.add([...path, 'bootDiskSizeGb'], message);
  }

  /** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/MachineSpec ("this field is required") */
  machine(machine: MachineSpec | undefined, pool: Path, mayBeLeftOut: boolean): void {
    const path = [...pool, 'machineSpec'];
    if ((machine?.machineType ?? '') === '' && !mayBeLeftOut) {
      const missing = machine === undefined ? 'machineSpec' : 'machineType';
      const example = '`machineSpec: {machineType: n1-standard-4}`';
      this.add(
        machine === undefined ? pool : path,
        `\`${missing}\` is missing: write ${example}, or another machine.`,
      );
    }
    const { acceleratorType: type, acceleratorCount: count } = machine ?? {};
    const hasType = type !== undefined && type !== 'ACCELERATOR_TYPE_UNSPECIFIED';
    if (hasType && (count ?? 0) < 1) {
      const message =
        count === undefined
          ? '`acceleratorType` needs an `acceleratorCount`, such as 1.'
          : '`acceleratorCount` must be at least 1.';
      this.add([...path, count === undefined ? 'acceleratorType' : 'acceleratorCount'], message);
    } else if (!hasType && (count ?? 0) !== 0) {
      this.add([...path, 'acceleratorCount'], '`acceleratorCount` needs an `acceleratorType`.');
    }
  }
}
