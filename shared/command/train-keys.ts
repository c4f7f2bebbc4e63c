/** The keys of `/train`, one after the other: what help says of each, and how its value is read. */
import { isReservedEnv } from '../plan/open-fields.ts';
import { nearest, parseDurationSeconds } from '../units.ts';
import { buildModes, type GpuRequest, type TrainCommand } from './command.ts';
import { quoteToken } from './quote-token.ts';

export interface KeyHelp {
  readonly name: string;
  /** What the value looks like; empty for a flag that needs none. */
  readonly value: string;
  readonly description: string;
  /** A word that would be accepted. */
  readonly example: string;
}

/** Why a value is none, in words that follow it, and a value that would be one. */
export interface WrongValue {
  readonly why: string;
  readonly instead?: string;
}

export interface TrainKey extends KeyHelp {
  /** @param name as it was typed: a variable's in `env.NAME` */
  readonly read: (value: string, name: string) => Partial<TrainCommand> | WrongValue;
}

const envPrefix = 'env.';

export const trainKeys: readonly TrainKey[] = [
  {
    name: 'gpu',
    value: 'NAME[:COUNT] or none',
    description: 'the GPU, and how many of it',
    example: 'gpu=T4',
    read: (value) => {
      const gpu = parseGpu(value);
      return gpu === undefined
        ? { why: 'write a name and perhaps a count, such as `T4` or `T4:2`, or `none`.' }
        : { gpu };
    },
  },
  {
    name: 'machine',
    value: 'machine type',
    description: 'the machine, when the one that comes with the GPU is not right',
    example: 'machine=n1-standard-8',
    read: (value) =>
      /^[a-z][a-z0-9-]{2,40}$/.test(value)
        ? { machineType: value }
        : { why: 'that is no machine type.' },
  },
  {
    name: 'replicas',
    value: 'number',
    description: 'how many machines train together',
    example: 'replicas=2',
    read: (value) =>
      /^[1-9]\d{0,2}$/.test(value)
        ? { replicas: Number(value) }
        : { why: 'that is no number of machines; `1` is the least.' },
  },
  {
    name: 'region',
    value: 'region',
    description: 'where the job runs',
    example: 'region=us-central1',
    read: (value) =>
      /^[a-z]+-[a-z]+\d{1,2}$/.test(value)
        ? { region: value }
        : { why: 'that is no region; `us-central1` is one.' },
  },
  {
    name: 'config',
    value: 'path',
    description: 'the job config in this repository',
    example: 'config=config_gpu.yaml',
    read: (value) => {
      const config = repositoryPath(value);
      return config === undefined
        ? { why: 'give a path inside the repository, without `..`.' }
        : { config };
    },
  },
  {
    name: 'profile',
    value: 'name',
    description:
      'a set of keys that `.github/trainyard.yml` names; what you type beside it beats it',
    example: 'profile=quick',
    read: (value) =>
      /^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/.test(value)
        ? { profile: value }
        : { why: 'a profile has a name of letters, digits, `-` and `_`.' },
  },
  {
    name: 'spot',
    value: '',
    description: 'machines that cost less and may be taken away; `spot=false` wants none of those',
    example: 'spot',
    read: (value) =>
      value === '' || value === 'true' || value === 'false'
        ? { spot: value !== 'false' }
        : { why: 'it is there or not; `spot=false` beats a profile.' },
  },
  {
    name: 'timeout',
    value: 'duration',
    description: 'when the job is ended at the latest',
    example: 'timeout=1h30m',
    read: (value) => {
      const timeoutSeconds = parseDurationSeconds(value);
      return timeoutSeconds === undefined
        ? {
            why: 'the timeout is a duration such as `90m`, `2h` or `1h30m`.',
            ...withUnit(value),
          }
        : { timeoutSeconds };
    },
  },
  {
    name: 'max-cost',
    value: 'US dollars',
    description: 'the most that the run may cost, below what is allowed anyway',
    example: 'max-cost=5',
    read: (value) => {
      const [, digits] = /^\$?(\d{1,6}(?:\.\d{1,2})?)$/.exec(value) ?? [];
      return Number(digits ?? 0) > 0
        ? { maxUsd: Number(digits) }
        : { why: 'the most that the run may cost is a sum such as `5` or `0.50`.' };
    },
  },
  {
    name: 'build',
    value: buildModes.join(', '),
    description:
      'whether an image that was built of the same files before will do: it does (`auto`), none does (`always`), only such a one does (`never`)',
    example: 'build=always',
    read: (value) => {
      const build = buildModes.find((mode) => mode === value);
      if (build !== undefined) return { build };
      const near = nearest(value, buildModes);
      const why = 'it is `auto`, `always` or `never`.';
      return near === undefined ? { why } : { why, instead: near };
    },
  },
  {
    name: 'image',
    value: '[NAME@]sha256:DIGEST',
    description: 'an image that a run of this repository has built, instead of building one',
    example: `image=sha256:${'0123456789abcdef'.repeat(4)}`,
    read: (value) =>
      /^(?:[a-z0-9][a-z0-9./_-]{0,200}@)?sha256:[0-9a-f]{64}$/.test(value)
        ? { image: value }
        : { why: 'an image is named by its digest, `sha256:` and 64 digits, as its card has it.' },
  },
  {
    name: 'name',
    value: 'name',
    description: 'what the job is called in Google Cloud',
    example: 'name=wider-layers',
    read: (value) =>
      /^[a-z0-9][a-z0-9_-]{0,62}$/.test(value)
        ? { name: value }
        : {
            why: 'a name has lower-case letters, digits, `-` and `_`, at most 63 of them.',
            ...asName(value),
          },
  },
  {
    name: `${envPrefix}NAME`,
    value: 'text',
    description: 'an environment variable of your code',
    example: 'env.LR=0.1',
    read: (value, name) => {
      const variable = name.slice(envPrefix.length);
      if (!/^[A-Za-z_]\w{0,99}$/.test(variable))
        return { why: 'an environment variable has letters, digits and `_`.' };
      if (isReservedEnv(variable))
        return { why: `${quoteToken(variable)} belongs to Vertex AI or to the system.` };
      return { env: { [variable]: value } };
    },
  },
  {
    name: 'dry-run',
    value: '',
    description: 'shows the plan and its price and does nothing',
    example: 'dry-run',
    // Whatever else it is, somebody thought of not paying.
    read: (value) =>
      value === '' || value === 'true' ? { dryRun: true } : { why: 'it takes no value.' },
  },
];

/** The key of that name; each variable is a key of its own. */
export function findKey(keys: readonly TrainKey[], name: string): TrainKey | undefined {
  const wanted = name.startsWith(envPrefix) ? `${envPrefix}NAME` : name;
  return keys.find((key) => key.name === wanted);
}

/** Reads `T4`, `T4:2` or `none`; also what the Action's `gpu` input takes. Undefined when it is none of these. */
function parseGpu(value: string): GpuRequest | undefined {
  if (value.toLowerCase() === 'none') return { kind: 'none' };
  const match = /^([A-Za-z][A-Za-z0-9_-]{0,30})(?::(\d{1,3}))?$/.exec(value);
  const count = Number(match?.[2] ?? 1);
  return match === null || count < 1 ? undefined : { kind: 'gpu', name: match[1] ?? '', count };
}

/** A path that stays inside the repository, `./` removed; undefined for anything else. */
export function repositoryPath(value: string): string | undefined {
  const parts = value.split('/').filter((part) => part !== '.');
  const isInside = !value.startsWith('/') && parts.every((part) => part !== '' && part !== '..');
  const isPlain = value.length <= 200 && !/[\\\u0000-\u001f\u007f]/.test(value);
  return isInside && isPlain && parts.length > 0 ? parts.join('/') : undefined;
}

/** A bare number is hours while that is likely, and minutes beyond. */
function withUnit(value: string): { readonly instead?: string } {
  if (!/^[1-9]\d{0,3}$/.test(value)) return {};
  return { instead: Number(value) <= 24 ? `${value}h` : `${value}m` };
}

function asName(value: string): { readonly instead?: string } {
  const name = value
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replace(/^[-_]+/, '')
    .slice(0, 63);
  return name === '' ? {} : { instead: name };
}
