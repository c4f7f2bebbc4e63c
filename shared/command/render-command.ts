/** A Command as the line that asks for it: what `parseCommands` reads back as the same. */
import type {
  CancelCommand,
  Command,
  CompareCommand,
  GpuRequest,
  TrainCommand,
  TriggerCommand,
} from './command.ts';
import { joinWords } from './split-words.ts';

export function renderCommand(command: Command): string {
  return `/${joinWords([command.kind, ...wordsOf(command)])}`;
}

function wordsOf(command: Command): readonly string[] {
  switch (command.kind) {
    case 'train':
      return trainWords(command);
    case 'build':
      return [...ifSet('build', command.build), ...flag('dry-run', command.dryRun)];
    case 'retry':
      return [...one(command.runId), ...trainWords(command.changes)];
    case 'cancel':
      return cancelWords(command);
    case 'logs':
      return [...one(command.runId), ...ifSet('lines', command.lines)];
    case 'compare':
      return compareWords(command);
    case 'help':
      return one(command.topic);
    case 'approve':
      return [command.sha];
    case 'trigger':
      return triggerWords(command);
    case 'status':
    case 'cost':
      return [];
  }
}

function trainWords(command: TrainCommand): readonly string[] {
  const { gpu, spot, timeoutSeconds, args, env = {} } = command;
  return [
    ...ifSet('profile', command.profile),
    ...ifSet('gpu', gpu && gpuText(gpu)),
    ...ifSet('machine', command.machineType),
    ...ifSet('replicas', command.replicas),
    ...ifSet('region', command.region),
    ...ifSet('config', command.config),
    ...(spot === undefined ? [] : [spot ? 'spot' : 'spot=false']),
    ...ifSet('timeout', timeoutSeconds && durationText(timeoutSeconds)),
    ...ifSet('max-cost', command.maxUsd),
    ...ifSet('build', command.build),
    ...ifSet('image', command.image),
    ...ifSet('name', command.name),
    ...Object.entries(env).map(([name, value]) => `env.${name}=${value}`),
    ...flag('dry-run', command.dryRun),
    ...(args === undefined ? [] : ['--', ...args]),
  ];
}

function gpuText(gpu: GpuRequest): string {
  if (gpu.kind === 'none') return 'none';
  return gpu.count === 1 ? gpu.name : `${gpu.name}:${gpu.count}`;
}

/** Exact, and in units that people write. */
function durationText(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 3_600), 'h'],
    [Math.floor((seconds % 3_600) / 60), 'm'],
    [seconds % 60, 's'],
  ] as const;
  return parts.map(([count, unit]) => (count === 0 ? '' : `${count}${unit}`)).join('');
}

function cancelWords({ target }: CancelCommand): readonly string[] {
  switch (target.kind) {
    case 'run':
      return [target.runId];
    case 'all':
      return ['all'];
    case 'only':
      return [];
  }
}

function compareWords({ runId, other }: CompareCommand): readonly string[] {
  return [
    ...one(runId),
    ...one(other && (other.kind === 'base' ? (other.name ?? 'base') : other.runId)),
  ];
}

function triggerWords(command: TriggerCommand): readonly string[] {
  const { action, name, ref, substitutions, dryRun } = command;
  const values = Object.entries(substitutions).map(([key, value]) => `${key}=${value}`);
  return [action, ...one(name), ...one(ref), ...values, ...flag('dry-run', dryRun)];
}

function one(word: string | undefined): readonly string[] {
  return word === undefined ? [] : [word];
}

function flag(name: string, isSet: boolean): readonly string[] {
  return isSet ? [name] : [];
}

function ifSet(name: string, value: string | number | undefined): readonly string[] {
  return value === undefined ? [] : [`${name}=${value}`];
}
